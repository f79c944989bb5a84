// What administration does with rows and keys, on the store thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <byway/admin.hpp>
#include <byway/result.hpp>

#include "registry/settings.hpp"
#include "router/catalog.hpp"
#include "router/catalog_key.hpp"
#include "router/catalog_keys.hpp"
#include "store/registry_store.hpp"

namespace byway::router {

/// byo_endpoint_not_found: the same words whether the slug is unknown, another org's or no slug.
Error endpoint_not_found(std::string_view slug);

/// The endpoint's row. Code: byo_endpoint_not_found.
Result<store::EndpointRow> find_row(CatalogDesk& desk, std::string_view org, std::string_view slug);

/// A fresh id for a row.
std::string make_id(const CatalogDesk& desk);

/// Checks the settings and makes the row say them: slug, origin, enabled, time of the change;
/// settings.base_url becomes the checked one. Codes: those of registry::check_settings().
Result<registry::CheckedSettings> put_settings(CatalogDesk& desk, EndpointSettings& settings,
                                               store::EndpointRow& row);

/// Where the endpoint's key is bound to.
KeyPlace place_of(const store::EndpointRow& row, const store::SealedKeyRow& key);

/// Seals a key for the row's place and puts it there, as the generation after the row's last or as
/// `generation`. Codes: vault_secret_invalid, vault_wrap_limit, vault_kek_wrong, vault_memory.
Result<store::SealedKeyRow> put_key(CatalogDesk& desk, const store::EndpointRow& row,
                                    std::string_view key,
                                    std::optional<std::uint64_t> generation = {});
Result<store::SealedKeyRow> put_key(CatalogDesk& desk, const store::EndpointRow& row,
                                    const Secret& key,
                                    std::optional<std::uint64_t> generation = {});

/// vault_no_change when the endpoint's key is this one; a key that does not open is another.
Result<void> check_changes(CatalogDesk& desk, const store::EndpointRow& row, std::string_view key);

/// One transaction. When another process has put another master key in place meanwhile, that is
/// looked for and the change is tried once more.
Result<void> transact(CatalogDesk& desk, const std::function<Result<void>()>& change);

/// Finishes a rotation of the master key, or makes one; see Admin::rotate_master().
/// `org` is whose owner does it.
Result<MasterRotation> rotate_master(CatalogDesk& desk, const KeySource& new_key,
                                     std::string_view org);

}  // namespace byway::router
