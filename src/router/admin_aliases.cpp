// Admin: aliases.
#include <byway/admin.hpp>

#include <utility>

#include "registry/alias_rules.hpp"
#include "registry/key_record.hpp"
#include "router/catalog_access.hpp"
#include "router/catalog_desk.hpp"
#include "router/catalog_prices.hpp"
#include "router/permissions.hpp"

namespace byway {
namespace {

using router::AdminMethod;
using router::CatalogDesk;

/// Whether the list of a key that is not revoked names the alias, which then grants its models.
Result<bool> is_granted_to_a_key(CatalogDesk& desk, std::string_view org, std::string_view alias) {
  auto rows = desk.store.load();
  if (!rows) return rows.error();
  for (const store::CustomerKeyRow& row : rows->customer_keys) {
    if (row.org != org || !row.revoked_at.empty()) continue;
    const auto key = router::customer_key_of(row);
    if (!key) return key.error();
    if (registry::KeyAllowlist(key->settings.allow).names_alias(alias)) return true;
  }
  return false;
}

Result<void> check_grant(CatalogDesk& desk, std::string_view org, std::string_view alias,
                         bool may_write_keys) {
  if (may_write_keys) return {};
  const auto is_granted = is_granted_to_a_key(desk, org, alias);
  if (!is_granted) return is_granted.error();
  if (!*is_granted) return {};
  return Error(ErrorCode::policy_forbidden, "a customer key's list names the alias " +
                                                std::string(alias) +
                                                ", so changing it needs the right keys:write too");
}

}  // namespace

Result<std::vector<Alias>> Admin::aliases() const {
  if (Result<void> good = allow(AdminMethod::aliases); !good) return good.error();
  const auto snapshot = catalog_->snapshots().current();
  std::vector<Alias> listed;
  for (const auto& alias : snapshot->access().records().aliases) {
    if (alias->org == org_) listed.push_back(*alias);
  }
  return listed;
}

Result<Alias> Admin::set_alias(Alias alias) {
  if (Result<void> good = allow(AdminMethod::set_alias); !good) return good.error();
  alias.org = org_;
  if (Result<void> good = registry::check_alias(alias); !good) return good.error();
  const bool may_grant = may_write_keys();
  return catalog_->change([&](CatalogDesk& desk) -> Result<Alias> {
    Result<void> done = router::transact(desk, [&]() -> Result<void> {
      Result<void> good = check_grant(desk, org_, alias.name, may_grant);
      if (!good) return good;
      Result<void> put = desk.store.put_alias({org_, alias.name, registry::to_json(alias)});
      if (!put) return put;
      return router::check_prices(desk, org_);
    });
    if (!done) return done.error();
    return alias;
  });
}

Result<void> Admin::remove_alias(std::string_view name) {
  if (Result<void> good = allow(AdminMethod::remove_alias); !good) return good;
  const bool may_grant = may_write_keys();
  return catalog_->change([&](CatalogDesk& desk) -> Result<void> {
    return router::transact(desk, [&]() -> Result<void> {
      Result<void> good = check_grant(desk, org_, name, may_grant);
      if (!good) return good;
      auto was_there = desk.store.remove_alias(org_, name);
      if (!was_there) return was_there.error();
      if (*was_there) return {};
      const bool is_name = registry::is_alias_name(name);
      return Error(ErrorCode::byo_endpoint_not_found,
                   is_name ? "there is no alias " + std::string(name)
                           : std::string("there is no alias of that name"));
    });
  });
}

}  // namespace byway
