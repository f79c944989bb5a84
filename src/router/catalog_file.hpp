// RegistryFile: endpoints from a TOML file, read again when the file or a key file changes.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <byway/vault.hpp>

#include "base/digest.hpp"
#include "registry/settings.hpp"
#include "registry/toml_file.hpp"
#include "router/catalog_key.hpp"
#include "router/catalog_source.hpp"
#include "vault/vault.hpp"

namespace byway::router {

/// Enough of a file's state to see a change: modification and change time, size, inode.
struct FileStamp {
  std::string path = {};
  std::array<std::int64_t, 6> state = {};
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(std::string path);

/// *One thread at a time.* Keys from the environment and from files are sealed at once under a key
/// of this process, so that no call has to hold one that it does not use.
class RegistryFile {
 public:
  RegistryFile(std::string path, const CatalogOptions& options);

  /// Whether the file, or a key file that it names, differs from what was read last.
  bool has_changed() const;
  /// Reads everything; nothing is kept of a file that is wrong anywhere, but for the state that
  /// has_changed() compares. A key that is sealed and damaged breaks its endpoint alone. Codes:
  /// registry_invalid_file, registry_needs_store, vault_kek_wrong and vault_no_key (naming the
  /// endpoint), those of KeySource.
  Result<LoadedEntries> read();

 private:
  struct Known {
    registry::FileEndpoint from;
    /// HMAC of the plain key under a key of this process.
    base::Sha256 fingerprint = {};
    std::uint64_t generation = 0;
    std::shared_ptr<const registry::Entry> entry;
    std::optional<Error> problem = {};
  };
  using Place = std::pair<std::string, std::string>;

  Result<std::string> read_text();
  Result<void> ready_vault();
  const Known* known_of(const registry::FileEndpoint& from) const;
  Result<Known> make(const registry::FileEndpoint& from);
  /// Seals a plain key under the own master key; counts the generation up when it is another one.
  Result<void> seal_plain(Known& known, KeyPlace& place, std::string& sealed, std::string& preview);
  /// Fills in what the endpoint and its opener need of a key.
  Result<void> add_key(Known& known, const registry::CheckedSettings& checked, Endpoint& endpoint,
                       registry::OpenKey& opener);

  std::string path_;
  KeySource master_key_;
  std::shared_ptr<Clock> clock_;
  bool waits_in_flight_;
  std::string loaded_at_;
  bool is_vault_ready_ = false;
  /// Why sealed keys do not open here.
  std::optional<Error> master_key_problem_;
  vault::Vault vault_;
  Secret fingerprint_key_;
  std::vector<FileStamp> stamps_;
  std::map<Place, Known> known_;
};

}  // namespace byway::router
