// Admin: customer keys, and what each handle may do.
#include <byway/admin.hpp>

#include <algorithm>
#include <utility>

#include "policy/customer_key.hpp"
#include "registry/fields.hpp"
#include "registry/key_settings.hpp"
#include "router/caller.hpp"
#include "router/catalog_access.hpp"
#include "router/catalog_audit.hpp"
#include "router/catalog_desk.hpp"
#include "router/catalog_prices.hpp"
#include "router/catalog_time.hpp"
#include "router/permissions.hpp"

namespace byway {
namespace {

using router::AdminMethod;
using router::CatalogDesk;
using store::CustomerKeyRow;

constexpr std::chrono::seconds overlap_max = std::chrono::hours(24 * 366);

/// The same words whether the id is unknown, another org's or no id.
Error key_not_found(std::string_view id) {
  std::string message = "there is no customer key of that id";
  if (policy::is_key_id(id)) message = "there is no customer key " + std::string(id);
  return Error(ErrorCode::byo_endpoint_not_found, std::move(message));
}

Result<CustomerKeyRow> find_key(CatalogDesk& desk, std::string_view org, std::string_view id) {
  auto row = desk.store.find_customer_key(org, id);
  if (!row) return row.error();
  if (!*row) return key_not_found(id);
  return **std::move(row);
}

/// Gives the row a fresh secret.
Result<Secret> make_secret(CatalogDesk& desk, const registry::Access& access, CustomerKeyRow& row) {
  const registry::Pepper* pepper = access.newest_pepper();
  if (pepper == nullptr) {
    return Error(ErrorCode::vault_no_key,
                 "customer keys cannot be made: the store's master key is not here");
  }
  Secret key = policy::mint_customer_key(
      access.key_prefix(), row.mode == "test" ? KeyMode::test : KeyMode::live, row.id);
  const registry::KeyVerifier verifier = router::verifier_of(*pepper, key);
  row.verifier.assign(verifier.bytes.begin(), verifier.bytes.end());
  row.pepper_version = verifier.pepper_version;
  row.updated_at = router::rfc3339(desk.clock.wall_now());
  return key;
}

Result<void> put(CatalogDesk& desk, const CustomerKeyRow& row) {
  if (Result<void> done = desk.store.put_customer_key(row); !done) return done;
  return router::check_prices(desk, row.org);
}

Result<MintedKey> minted(const CustomerKeyRow& row, Secret key) {
  auto record = router::customer_key_of(row);
  if (!record) return record.error();
  return MintedKey{*std::move(record), std::move(key)};
}

/// The body of rotate_customer_key(), inside a transaction.
Result<void> rotate(CatalogDesk& desk, const registry::Access& access, CustomerKeyRow& row,
                    std::chrono::seconds overlap, Secret& key) {
  if (!row.revoked_at.empty()) {
    return registry::field_invalid("id", "the customer key is revoked: mint another");
  }
  row.previous_verifier = row.verifier;
  row.previous_pepper_version = row.pepper_version;
  row.overlap_until = router::rfc3339(desk.clock.wall_now() + overlap);
  if (overlap.count() == 0) {
    row.previous_verifier.clear();
    row.previous_pepper_version = 0;
    row.overlap_until.clear();
  }
  ++row.generation;
  auto made = make_secret(desk, access, row);
  if (!made) return made.error();
  key = *std::move(made);
  return desk.store.put_customer_key(row);
}

}  // namespace

Result<void> Admin::allow(AdminMethod method) const {
  if (key_id_.empty()) return {};
  const auto snapshot = catalog_->snapshots().current();
  const auto& record = snapshot->access().find_key(key_id_);
  if (!record) return router::bad_key("unknown");
  Result<void> good = router::check_state(*record, catalog_->clock().wall_now());
  if (!good) return good;
  const router::Permission wanted = router::permission_of(method);
  const Role role = record->key.settings.role;
  if (router::has_permission(role, wanted)) return {};
  return Error(ErrorCode::policy_forbidden, wanted == router::Permission::owner
                                                ? "only the owner of the store may do this"
                                                : "the role " + std::string(name_of(role)) +
                                                      " lacks the right " +
                                                      std::string(name_of(wanted)));
}

bool Admin::may_write_keys() const {
  return allow(AdminMethod::set_customer_key).has_value();
}

Result<std::vector<CustomerKey>> Admin::customer_keys() const {
  if (Result<void> good = allow(AdminMethod::customer_keys); !good) return good.error();
  const auto snapshot = catalog_->snapshots().current();
  std::vector<CustomerKey> listed;
  for (const auto& record : snapshot->access().records().keys) {
    if (record->key.org == org_) listed.push_back(record->key);
  }
  std::sort(listed.begin(), listed.end(),
            [](const CustomerKey& a, const CustomerKey& b) { return a.id < b.id; });
  return listed;
}

Result<CustomerKey> Admin::customer_key(std::string_view id) const {
  if (Result<void> good = allow(AdminMethod::customer_key); !good) return good.error();
  const auto snapshot = catalog_->snapshots().current();
  const auto& record = snapshot->access().find_key(id);
  if (!record || record->key.org != org_) return key_not_found(id);
  return record->key;
}

Result<MintedKey> Admin::mint_customer_key(CustomerKeySettings settings, KeyMode mode) {
  if (Result<void> good = allow(AdminMethod::mint_customer_key); !good) return good.error();
  return catalog_->change([&](CatalogDesk& desk) -> Result<MintedKey> {
    if (Result<void> good = registry::check_key_settings(settings); !good) return good.error();
    const auto snapshot = catalog_->snapshots().current();
    CustomerKeyRow row;
    row.id = policy::make_key_id();
    row.org = org_;
    row.mode = name_of(mode);
    row.settings = registry::to_json(settings);
    auto key = make_secret(desk, snapshot->access(), row);
    if (!key) return key.error();
    row.created_at = row.updated_at;
    Result<void> done = router::transact(desk, [&]() -> Result<void> {
      if (Result<void> made = put(desk, row); !made) return made;
      return router::record(desk, {org_, key_id_, "key.mint", row.id});
    });
    if (!done) return done.error();
    return minted(row, *std::move(key));
  });
}

Result<CustomerKey> Admin::set_customer_key(std::string_view id,
                                            std::span<const FieldChange> changes) {
  if (Result<void> good = allow(AdminMethod::set_customer_key); !good) return good.error();
  return catalog_->change([&](CatalogDesk& desk) -> Result<CustomerKey> {
    CustomerKeyRow row;
    Result<void> done = router::transact(desk, [&]() -> Result<void> {
      auto found = find_key(desk, org_, id);
      if (!found) return found.error();
      row = *std::move(found);
      auto settings = registry::key_settings_from_json(row.settings);
      if (!settings) return settings.error();
      for (const FieldChange& change : changes) {
        Result<void> set = registry::set_key_field(*settings, change.field, change.value);
        if (!set) return set;
      }
      if (Result<void> good = registry::check_key_settings(*settings); !good) return good;
      row.settings = registry::to_json(*settings);
      row.updated_at = router::rfc3339(desk.clock.wall_now());
      const std::string subject = router::changed_text(id, changes);
      Result<void> told = router::record(desk, {org_, key_id_, "key.set", subject});
      if (!told) return told;
      return put(desk, row);
    });
    if (!done) return done.error();
    return router::customer_key_of(row);
  });
}

Result<MintedKey> Admin::rotate_customer_key(std::string_view id, std::chrono::seconds overlap) {
  if (Result<void> good = allow(AdminMethod::rotate_customer_key); !good) return good.error();
  if (overlap.count() < 0 || overlap > overlap_max) {
    return registry::field_invalid("overlap", "is 0 to 366 days");
  }
  return catalog_->change([&](CatalogDesk& desk) -> Result<MintedKey> {
    const auto snapshot = catalog_->snapshots().current();
    CustomerKeyRow row;
    Secret key;
    Result<void> done = router::transact(desk, [&]() -> Result<void> {
      auto found = find_key(desk, org_, id);
      if (!found) return found.error();
      row = *std::move(found);
      Result<void> told = router::record(desk, {org_, key_id_, "key.rotate", id});
      if (!told) return told;
      return rotate(desk, snapshot->access(), row, overlap, key);
    });
    if (!done) return done.error();
    return minted(row, std::move(key));
  });
}

Result<CustomerKey> Admin::revoke_customer_key(std::string_view id) {
  if (Result<void> good = allow(AdminMethod::revoke_customer_key); !good) return good.error();
  return catalog_->change([&](CatalogDesk& desk) -> Result<CustomerKey> {
    CustomerKeyRow row;
    Result<void> done = router::transact(desk, [&]() -> Result<void> {
      auto found = find_key(desk, org_, id);
      if (!found) return found.error();
      row = *std::move(found);
      if (!row.revoked_at.empty()) return {};
      row.updated_at = row.revoked_at = router::rfc3339(desk.clock.wall_now());
      Result<void> told = router::record(desk, {org_, key_id_, "key.revoke", id});
      if (!told) return told;
      return desk.store.put_customer_key(row);
    });
    if (!done) return done.error();
    return router::customer_key_of(row);
  });
}

}  // namespace byway
