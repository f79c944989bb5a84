// CatalogKey: an endpoint's sealed key, ready to be opened for one attempt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <byway/endpoint.hpp>
#include <byway/result.hpp>

#include "registry/snapshot.hpp"
#include "vault/vault.hpp"
#include "wire/dialect.hpp"

namespace byway::router {

/// The name of the upstream key among an endpoint's secret settings.
inline constexpr std::string_view key_field = "key";

/// The place that an upstream key is bound to.
struct KeyPlace {
  std::string org = {};
  std::string slug = {};
  std::string origin = {};
  std::string record_id = {};
  std::uint64_t generation = 0;

  /// Views of this.
  vault::Binding binding() const;
  bool operator==(const KeyPlace&) const = default;
};

/// "Authorization: Bearer ", or the dialect's own header, the key to follow. A key that was given
/// is sent even when the dialect usually needs none.
std::string header_prefix(const wire::DialectAuth& auth);

/// Opens `sealed` with the vault as it is now: a later change of master keys does not touch it. It
/// has been opened once when this returns. Codes: vault_kek_wrong, vault_ciphertext_corrupt,
/// vault_unknown_format, vault_no_key, vault_memory.
Result<registry::OpenKey> make_opener(const vault::Vault& vault, KeyPlace place, std::string sealed,
                                      const wire::DialectAuth& auth);

/// For a key that does not open: every call of the endpoint fails with the reason.
registry::OpenKey broken_opener(Error why);

}  // namespace byway::router
