// Admin: aliases.
#include <byway/admin.hpp>

#include <utility>

#include "registry/alias_rules.hpp"
#include "router/catalog_aliases.hpp"
#include "router/catalog_audit.hpp"
#include "router/catalog_desk.hpp"
#include "router/catalog_prices.hpp"
#include "router/permissions.hpp"

namespace byway {
using router::AdminMethod;
using router::CatalogDesk;

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
      Result<void> put = router::put_alias(desk, alias, may_grant);
      if (!put) return put;
      Result<void> told = router::record(desk, {org_, key_id_, "alias.set", alias.name});
      if (!told) return told;
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
      Result<void> good = router::check_grant(desk, org_, name, may_grant);
      if (!good) return good;
      auto was_there = desk.store.remove_alias(org_, name);
      if (!was_there) return was_there.error();
      if (*was_there) return router::record(desk, {org_, key_id_, "alias.remove", name});
      const bool is_name = registry::is_alias_name(name);
      return Error(ErrorCode::byo_endpoint_not_found,
                   is_name ? "there is no alias " + std::string(name)
                           : std::string("there is no alias of that name"));
    });
  });
}

}  // namespace byway
