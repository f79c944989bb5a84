// Admin: the registry as text, out and in.
#include <byway/admin.hpp>

#include <map>
#include <utility>

#include "registry/alias_rules.hpp"
#include "registry/fields.hpp"
#include "registry/toml_file.hpp"
#include "router/catalog_aliases.hpp"
#include "router/catalog_audit.hpp"
#include "router/catalog_desk.hpp"
#include "router/catalog_entries.hpp"
#include "router/catalog_plain_key.hpp"
#include "router/catalog_prices.hpp"
#include "router/catalog_source.hpp"
#include "router/permissions.hpp"

namespace byway {
namespace {

using registry::FileEndpoint;
using registry::KeyOrigin;
using router::AdminMethod;
using router::CatalogDesk;

FileEndpoint to_file(EndpointSettings settings, const store::SealedKeyRow* key) {
  FileEndpoint endpoint;
  endpoint.settings = std::move(settings);
  if (key == nullptr) return endpoint;
  endpoint.key = {KeyOrigin::sealed, key->sealed, key->record_id, key->generation};
  return endpoint;
}

/// The key that the text names or holds, opened where it claims to be from.
Result<Secret> key_of(CatalogDesk& desk, const FileEndpoint& from, const store::EndpointRow& row) {
  if (from.key.origin != KeyOrigin::sealed) return router::read_plain_key(from.key);
  const router::KeyPlace place{row.org, row.slug, row.origin, from.key.record_id,
                               from.key.generation};
  return desk.keys.vault().open(place.binding(), from.key.text);
}

Result<StoredEndpoint> import_one(CatalogDesk& desk, std::string_view org,
                                  const FileEndpoint& from) {
  const std::string& slug = from.settings.slug;
  if (from.settings.org != org) {
    return router::about_endpoint(
        slug, registry::field_invalid("org",
                                      "the endpoint is of another org, and a sealed key "
                                      "cannot leave its own"));
  }
  EndpointSettings settings = from.settings;
  store::EndpointRow row;
  auto checked = router::put_settings(desk, settings, row);
  if (!checked) return router::about_endpoint(slug, checked.error());
  row.id = router::make_id(desk);
  row.created_at = row.updated_at;
  if (Result<void> put = desk.store.insert_endpoint(row); !put) return put.error();
  std::optional<store::SealedKeyRow> sealed;
  if (from.key.origin != KeyOrigin::none) {
    auto key = key_of(desk, from, row);
    if (!key) return router::about_endpoint(slug, key.error());
    // Sealed anew, as a record of its own: the one that the text holds may be in use elsewhere.
    auto put = router::put_key(desk, row, *key, std::max<std::uint64_t>(from.key.generation, 1));
    if (!put) return router::about_endpoint(slug, put.error());
    sealed = *std::move(put);
  }
  return StoredEndpoint{router::endpoint_of(row, sealed ? &*sealed : nullptr, std::move(settings)),
                        from.warnings};
}

/// A name that is taken is refused, as a slug is.
Result<void> import_alias(CatalogDesk& desk, std::string_view org, const Alias& alias,
                          bool may_grant) {
  if (alias.org != org) {
    return registry::field_invalid("org", "the alias " + alias.name + " is of another org");
  }
  auto rows = desk.store.load();
  if (!rows) return rows.error();
  for (const store::AliasRow& row : rows->aliases) {
    if (row.org == org && row.name == alias.name) {
      return Error(ErrorCode::registry_duplicate_slug,
                   "the org has an alias " + alias.name + " already");
    }
  }
  return router::put_alias(desk, alias, may_grant);
}

}  // namespace

Result<std::string> Admin::export_registry() const {
  if (Result<void> good = allow(AdminMethod::export_registry); !good) return good.error();
  return catalog_->change([&](CatalogDesk& desk) -> Result<std::string> {
    auto rows = desk.store.load();
    if (!rows) return rows.error();
    std::map<std::string_view, const store::SealedKeyRow*> keys;
    for (const store::SealedKeyRow& key : rows->sealed_keys) {
      if (key.field == router::key_field) keys.emplace(key.endpoint_id, &key);
    }
    std::map<std::string, FileEndpoint> by_slug;
    for (const store::EndpointRow& row : rows->endpoints) {
      if (row.org != org_) continue;
      auto settings = registry::settings_from_json(row.settings);
      if (!settings) return router::about_endpoint(row.slug, settings.error());
      settings->enabled = row.enabled;
      const auto key = keys.find(row.id);
      by_slug.emplace(row.slug,
                      to_file(*std::move(settings), key == keys.end() ? nullptr : key->second));
    }
    std::vector<FileEndpoint> endpoints;
    endpoints.reserve(by_slug.size());
    for (auto& [slug, endpoint] : by_slug) endpoints.push_back(std::move(endpoint));
    registry::FileRegistry registry{.endpoints = std::move(endpoints), .aliases = {}};
    for (const store::AliasRow& row : rows->aliases) {
      if (row.org != org_) continue;
      Alias& alias = registry.aliases.emplace_back();
      alias.name = row.name;
      alias.org = row.org;
      Result<void> read = registry::read_alias_json(alias, row.settings);
      if (!read) return read.error();
    }
    return registry::write_registry(registry);
  });
}

Result<std::vector<StoredEndpoint>> Admin::import_registry(std::string_view toml) {
  if (Result<void> good = allow(AdminMethod::import_registry); !good) return good.error();
  return catalog_->change([&](CatalogDesk& desk) -> Result<std::vector<StoredEndpoint>> {
    auto read = registry::parse_registry(toml, "registry text");
    if (!read) return read.error();
    const bool may_grant = may_write_keys();
    std::vector<StoredEndpoint> stored;
    Result<void> done = router::transact(desk, [&]() -> Result<void> {
      stored.clear();
      for (const FileEndpoint& from : read->endpoints) {
        auto one = import_one(desk, org_, from);
        if (!one) return one.error();
        const std::string& slug = one->endpoint.settings.slug;
        Result<void> told =
            router::record(desk, {org_, key_id_, "endpoint.add", slug, one->endpoint.id, slug});
        if (!told) return told;
        stored.push_back(*std::move(one));
      }
      for (const Alias& alias : read->aliases) {
        if (Result<void> put = import_alias(desk, org_, alias, may_grant); !put) return put;
        Result<void> told = router::record(desk, {org_, key_id_, "alias.set", alias.name});
        if (!told) return told;
      }
      return router::check_prices(desk, org_);
    });
    if (!done) return done.error();
    return stored;
  });
}

}  // namespace byway
