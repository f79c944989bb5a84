// CatalogEntries: from the store's rows to endpoints that calls can use.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "router/catalog_source.hpp"
#include "store/registry_rows.hpp"
#include "vault/vault.hpp"

namespace byway::router {

/// An endpoint as administration shows it; `key` may be null.
Endpoint endpoint_of(const store::EndpointRow& row, const store::SealedKeyRow* key,
                     EndpointSettings settings);

/// An entry with its limits; `waits`: calls stand in line for an in-flight share. Codes: those of
/// Entry::make().
Result<std::shared_ptr<const registry::Entry>> make_entry(Endpoint endpoint,
                                                          registry::OpenKey opener, bool waits);

/// Keeps what it made, so that what did not change stays the very same Entry, with its connections.
/// *One thread at a time.*
class CatalogEntries {
 public:
  explicit CatalogEntries(bool waits) noexcept : waits_(waits) {}

  /// A row that cannot be read is left out, a key that does not open fails its endpoint's calls;
  /// both are told in `broken` and touch nothing else.
  LoadedEntries load(const store::RegistryRows& rows, const vault::Vault& vault);

 private:
  struct Known {
    store::EndpointRow row;
    std::optional<store::SealedKeyRow> key;
    std::shared_ptr<const registry::Entry> entry;
    /// What is wrong; it is looked at again at each load.
    std::optional<Error> problem;
  };
  Known make(const store::EndpointRow& row, const store::SealedKeyRow* key,
             const vault::Vault& vault, const Known* before) const;

  bool waits_;
  std::unordered_map<std::string, Known> known_;
};

}  // namespace byway::router
