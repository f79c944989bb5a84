// Admin: orgs and their limits.
#include <byway/admin.hpp>

#include <utility>

#include "registry/fields.hpp"
#include "registry/org_limits.hpp"
#include "registry/settings.hpp"
#include "router/catalog_audit.hpp"
#include "router/catalog_desk.hpp"
#include "router/catalog_prices.hpp"
#include "router/permissions.hpp"

namespace byway {

using router::AdminMethod;
using router::CatalogDesk;

Result<Org> Admin::org() const {
  if (Result<void> good = allow(AdminMethod::org); !good) return good.error();
  const auto snapshot = catalog_->snapshots().current();
  const auto& found = snapshot->access().find_org(org_);
  return found ? found->org : Org{.name = org_, .limits = {}};
}

Result<Org> Admin::set_org_limits(std::span<const FieldChange> changes) {
  if (Result<void> good = allow(AdminMethod::set_org_limits); !good) return good.error();
  return catalog_->change([&](CatalogDesk& desk) -> Result<Org> {
    Org org{.name = org_, .limits = {}};
    Result<void> done = router::transact(desk, [&]() -> Result<void> {
      auto row = desk.store.find_org(org_);
      if (!row) return row.error();
      auto limits = registry::org_limits_from_json(*row ? (*row)->limits : "{}");
      if (!limits) return limits.error();
      for (const FieldChange& change : changes) {
        Result<void> set = registry::set_org_field(*limits, change.field, change.value);
        if (!set) return set;
      }
      if (Result<void> good = registry::check_org_limits(*limits); !good) return good;
      org.limits = *limits;
      const std::string subject = router::changed_text(org_, changes);
      Result<void> told = router::record(desk, {org_, key_id_, "org.limits", subject});
      if (!told) return told;
      Result<void> put = desk.store.put_org({org_, registry::to_json(*limits)});
      return put ? router::check_prices(desk, org_) : put;
    });
    if (!done) return done.error();
    return org;
  });
}

Result<std::vector<Org>> Admin::orgs() const {
  if (Result<void> good = allow(AdminMethod::orgs); !good) return good.error();
  const auto snapshot = catalog_->snapshots().current();
  std::vector<Org> listed;
  for (const auto& org : snapshot->access().records().orgs) listed.push_back(org->org);
  return listed;
}

Result<Org> Admin::create_org(std::string_view name) {
  if (Result<void> good = allow(AdminMethod::create_org); !good) return good.error();
  if (!registry::is_org(name)) {
    return registry::field_invalid("org",
                                   "must be 1 to 64 characters of a-z, 0-9, '.', '_' and '-'");
  }
  return catalog_->change([&](CatalogDesk& desk) -> Result<Org> {
    Result<void> done = router::transact(desk, [&]() -> Result<void> {
      auto row = desk.store.find_org(name);
      if (!row) return row.error();
      if (*row) {
        return Error(ErrorCode::registry_duplicate_slug,
                     "there is an org " + std::string(name) + " already");
      }
      Result<void> told = router::record(desk, {name, key_id_, "org.create", name});
      return told ? desk.store.insert_org(name) : told;
    });
    if (!done) return done.error();
    return Org{.name = std::string(name), .limits = {}};
  });
}

}  // namespace byway
