// CatalogAccess: from the store's rows to customer keys, aliases and orgs that calls can use.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <byway/result.hpp>

#include "registry/access.hpp"
#include "store/registry_rows.hpp"
#include "vault/vault.hpp"

namespace byway::router {

struct LoadedAccess {
  registry::AccessRecords records = {};
  /// Rows that cannot be read; they are left out, so that a key among them is unknown.
  std::vector<Error> problems = {};
};

/// Keeps what it made, so that what did not change stays the very same record. *One thread at a
/// time.*
class CatalogAccess {
 public:
  /// `waits`: calls stand in line for an in-flight share.
  explicit CatalogAccess(bool waits) noexcept : waits_(waits) {}

  LoadedAccess load(const store::RegistryRows& rows, const vault::Vault& vault);

 private:
  struct KnownKey {
    store::CustomerKeyRow row;
    /// Its record names the limits of its org too.
    OrgLimits org;
    std::shared_ptr<const registry::KeyRecord> record;
  };

  void load_peppers(const store::RegistryRows& rows, const vault::Vault& vault,
                    LoadedAccess& loaded);
  void load_keys(const store::RegistryRows& rows, LoadedAccess& loaded);

  bool waits_;
  std::map<std::string, KnownKey, std::less<>> keys_;
  /// By version and record id: a re-wrap changes neither the bytes nor these.
  std::map<std::pair<std::uint32_t, std::string>, std::shared_ptr<const registry::Pepper>> peppers_;
};

/// A key as administration shows it. Code: registry_field_invalid.
Result<CustomerKey> customer_key_of(const store::CustomerKeyRow& row);

/// 32 fresh random bytes, sealed, ready to be inserted. Codes: those of Vault::seal().
Result<store::PepperRow> make_pepper(vault::Vault& vault, std::uint32_t version,
                                     std::string record_id);
/// Codes: those of Vault::open().
Result<Secret> open_pepper(const vault::Vault& vault, const store::PepperRow& row);

}  // namespace byway::router
