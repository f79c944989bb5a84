#include <byway/admin.hpp>

#include <utility>

#include "registry/capability_fields.hpp"
#include "registry/fields.hpp"
#include "router/catalog_audit.hpp"
#include "router/catalog_desk.hpp"
#include "router/catalog_entries.hpp"
#include "router/catalog_prices.hpp"
#include "router/catalog_time.hpp"
#include "router/permissions.hpp"

namespace byway {

using router::AdminMethod;
using router::CatalogDesk;

Admin::Admin(std::shared_ptr<router::Catalog> catalog, std::string org, std::string key_id)
    : catalog_(std::move(catalog)), org_(std::move(org)), key_id_(std::move(key_id)) {}
Admin::Admin(const Admin&) noexcept = default;
Admin::Admin(Admin&&) noexcept = default;
Admin& Admin::operator=(const Admin&) noexcept = default;
Admin& Admin::operator=(Admin&&) noexcept = default;
Admin::~Admin() = default;

namespace {

/// The row's settings as they are, `enabled` included.
Result<EndpointSettings> settings_of(const store::EndpointRow& row) {
  auto settings = registry::settings_from_json(row.settings);
  if (settings) settings->enabled = row.enabled;
  return settings;
}

/// Seals the key again when its place has another name; the place's origin may not have changed.
Result<void> move_key(CatalogDesk& desk, const store::EndpointRow& before,
                      const store::EndpointRow& now, store::SealedKeyRow& key) {
  if (before.origin != now.origin) {
    ErrorFields fields{.code = ErrorCode::vault_origin_changed};
    fields.endpoint = "byo:" + before.slug;
    fields.message = "the key of " + fields.endpoint + " was given for " + before.origin +
                     "; to send it to " + now.origin + ", give it again";
    fields.param = "base_url";
    return Error(std::move(fields));
  }
  if (before.slug == now.slug) return {};
  vault::Vault& vault = desk.keys.vault();
  auto secret = vault.open(router::place_of(before, key).binding(), key.sealed);
  if (!secret) return secret.error();
  auto sealed = vault.seal(router::place_of(now, key).binding(), *secret);
  if (!sealed) return sealed.error();
  key.sealed = *std::move(sealed);
  key.master_key_version = vault.active_version().value_or(0);
  return desk.store.reseal_key(key);
}

Result<void> apply(EndpointSettings& settings, std::span<const FieldChange> changes) {
  for (const FieldChange& change : changes) {
    if (change.field == "org") {
      return registry::field_invalid("org", "an endpoint stays in its org");
    }
    Result<void> done = registry::set_field(settings, change.field, change.value);
    if (!done) return done;
  }
  return {};
}

/// A change of key is told beside the change of other fields.
Result<void> tell(CatalogDesk& desk, router::Change who, const store::EndpointRow& row,
                  std::span<const FieldChange> changes, bool has_key) {
  who.endpoint = row.slug;
  who.endpoint_id = row.id;
  if (has_key) {
    who.action = "endpoint.rotate";
    who.subject = row.slug;
    if (Result<void> done = router::record(desk, who); !done || changes.empty()) return done;
  }
  const bool is_switch = changes.size() == 1 && changes.front().field == "enabled";
  who.action = !is_switch ? "endpoint.set" : row.enabled ? "endpoint.enable" : "endpoint.disable";
  const std::string subject = is_switch ? row.slug : router::changed_text(row.slug, changes);
  who.subject = subject;
  return router::record(desk, who);
}

/// The body of set_endpoint(), inside a transaction.
Result<void> change_endpoint(CatalogDesk& desk, const router::Change& who, std::string_view slug,
                             std::span<const FieldChange> changes,
                             std::optional<std::string_view> key, StoredEndpoint& stored) {
  auto before = router::find_row(desk, who.org, slug);
  if (!before) return before.error();
  auto settings = settings_of(*before);
  if (!settings) return settings.error();
  const std::string base_url_before = settings->base_url;
  if (Result<void> applied = apply(*settings, changes); !applied) return applied;
  store::EndpointRow row = *before;
  auto checked = router::put_settings(desk, *settings, row);
  if (!checked) return checked.error();
  const bool is_same_place = row.origin == before->origin;
  if (key && is_same_place) {
    if (Result<void> good = router::check_changes(desk, *before, *key); !good) return good;
  }
  if (Result<void> updated = desk.store.update_endpoint(row); !updated) return updated;
  // Another place may be another server: what was learned there is not true here.
  if (!row.capabilities.empty() && settings->base_url != base_url_before) {
    row.capabilities.clear();
    if (Result<void> put = desk.store.put_capabilities(row.id, ""); !put) return put;
  }
  auto sealed = desk.store.find_sealed_key(row.id, router::key_field);
  if (!sealed) return sealed.error();
  if (key) {
    auto put = router::put_key(desk, row, *key);
    if (!put) return put.error();
    *sealed = *std::move(put);
  } else if (*sealed) {
    if (Result<void> moved = move_key(desk, *before, row, **sealed); !moved) return moved;
  }
  stored.warnings = std::move(checked->warnings);
  stored.endpoint = router::endpoint_of(row, *sealed ? &**sealed : nullptr, *std::move(settings));
  if (Result<void> told = tell(desk, who, row, changes, key.has_value()); !told) return told;
  return router::check_prices(desk, who.org);
}

}  // namespace

Result<std::vector<Endpoint>> Admin::endpoints() const {
  if (Result<void> good = allow(AdminMethod::endpoints); !good) return good.error();
  std::vector<Endpoint> listed;
  for (const auto& entry : catalog_->snapshots().current()->list(org_)) {
    listed.push_back(entry->endpoint);
  }
  return listed;
}

Result<Endpoint> Admin::endpoint(std::string_view slug) const {
  if (Result<void> good = allow(AdminMethod::endpoint); !good) return good.error();
  const auto snapshot = catalog_->snapshots().current();
  const auto& entry = snapshot->find(org_, slug);
  if (!entry) return router::endpoint_not_found(slug);
  return entry->endpoint;
}

Result<StoredEndpoint> Admin::add_endpoint(EndpointSettings settings,
                                           std::optional<std::string_view> key) {
  if (Result<void> good = allow(AdminMethod::add_endpoint); !good) return good.error();
  return catalog_->change([&](CatalogDesk& desk) -> Result<StoredEndpoint> {
    settings.org = org_;
    store::EndpointRow row;
    auto checked = router::put_settings(desk, settings, row);
    if (!checked) return checked.error();
    row.id = router::make_id(desk);
    row.created_at = row.updated_at;
    std::optional<store::SealedKeyRow> sealed;
    Result<void> done = router::transact(desk, [&]() -> Result<void> {
      if (Result<void> put = desk.store.insert_endpoint(row); !put) return put;
      if (key) {
        auto put = router::put_key(desk, row, *key);
        if (!put) return put.error();
        sealed = *std::move(put);
      }
      Result<void> told =
          router::record(desk, {org_, key_id_, "endpoint.add", row.slug, row.id, row.slug});
      if (!told) return told;
      return router::check_prices(desk, org_);
    });
    if (!done) return done.error();
    return StoredEndpoint{router::endpoint_of(row, sealed ? &*sealed : nullptr, settings),
                          std::move(checked->warnings)};
  });
}

Result<StoredEndpoint> Admin::set_endpoint(std::string_view slug,
                                           std::span<const FieldChange> changes,
                                           std::optional<std::string_view> key) {
  if (Result<void> good = allow(AdminMethod::set_endpoint); !good) return good.error();
  return catalog_->change([&](CatalogDesk& desk) -> Result<StoredEndpoint> {
    StoredEndpoint stored;
    Result<void> done = router::transact(desk, [&] {
      return change_endpoint(desk, {org_, key_id_}, slug, changes, key, stored);
    });
    if (!done) return done.error();
    return stored;
  });
}

Result<Endpoint> Admin::set_enabled(std::string_view slug, bool enabled) {
  if (Result<void> good = allow(AdminMethod::set_enabled); !good) return good.error();
  const FieldChange change{"enabled", enabled ? "true" : "false"};
  auto stored = set_endpoint(slug, std::span(&change, 1));
  if (!stored) return stored.error();
  return std::move(stored->endpoint);
}

Result<Endpoint> Admin::rotate_key(std::string_view slug, std::string_view key) {
  if (Result<void> good = allow(AdminMethod::rotate_key); !good) return good.error();
  auto stored = set_endpoint(slug, {}, key);
  if (!stored) return stored.error();
  return std::move(stored->endpoint);
}

Result<Endpoint> Admin::keep_capabilities(std::string_view slug, const CapabilityRecord& record) {
  if (Result<void> good = allow(AdminMethod::keep_capabilities); !good) return good.error();
  return catalog_->change([&](CatalogDesk& desk) -> Result<Endpoint> {
    std::optional<Endpoint> kept;
    Result<void> done = router::transact(desk, [&]() -> Result<void> {
      auto row = router::find_row(desk, org_, slug);
      if (!row) return row.error();
      auto settings = settings_of(*row);
      if (!settings) return settings.error();
      CapabilityRecord now = record;
      auto before = registry::capabilities_from_json(row->capabilities);
      if (before) now = merged(*before, std::move(now));
      row->capabilities = registry::capabilities_to_json(now);
      if (Result<void> put = desk.store.put_capabilities(row->id, row->capabilities); !put) {
        return put;
      }
      Result<void> told = router::record(
          desk, {org_, key_id_, "endpoint.capabilities", row->slug, row->id, row->slug});
      if (!told) return told;
      auto key = desk.store.find_sealed_key(row->id, router::key_field);
      if (!key) return key.error();
      kept = router::endpoint_of(*row, *key ? &**key : nullptr, *std::move(settings));
      return {};
    });
    if (!done) return done.error();
    return *std::move(kept);
  });
}

Result<void> Admin::remove_endpoint(std::string_view slug) {
  if (Result<void> good = allow(AdminMethod::remove_endpoint); !good) return good;
  return catalog_->change([&](CatalogDesk& desk) -> Result<void> {
    return router::transact(desk, [&]() -> Result<void> {
      auto row = router::find_row(desk, org_, slug);
      if (!row) return row.error();
      Result<void> told =
          router::record(desk, {org_, key_id_, "endpoint.remove", row->slug, row->id, row->slug});
      if (!told) return told;
      return desk.store.remove_endpoint(row->id, router::rfc3339(desk.clock.wall_now()));
    });
  });
}

}  // namespace byway
