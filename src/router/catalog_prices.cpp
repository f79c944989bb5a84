#include "router/catalog_prices.hpp"

#include <string>
#include <utility>
#include <vector>

#include "registry/alias_rules.hpp"
#include "registry/fields.hpp"
#include "registry/key_record.hpp"
#include "registry/org_limits.hpp"
#include "router/catalog_access.hpp"
#include "store/registry_store.hpp"
#include "wire/model_id.hpp"

namespace byway::router {
namespace {

struct UnpricedAndAliases {
  std::vector<std::string> slugs = {};
  std::vector<Alias> aliases = {};
};

Result<UnpricedAndAliases> look(const store::RegistryRows& rows, std::string_view org) {
  UnpricedAndAliases found;
  for (const store::EndpointRow& row : rows.endpoints) {
    if (row.org != org || !row.enabled) continue;
    auto settings = registry::settings_from_json(row.settings);
    if (!settings) return settings.error();
    if (!settings->price_input || !settings->price_output) found.slugs.push_back(row.slug);
  }
  for (const store::AliasRow& row : rows.aliases) {
    if (row.org != org) continue;
    Alias& alias = found.aliases.emplace_back();
    alias.name = row.name;
    if (Result<void> read = registry::read_alias_json(alias, row.settings); !read) {
      return read.error();
    }
  }
  return found;
}

bool reaches(const registry::KeyAllowlist& allow, const std::vector<Alias>& aliases,
             const std::string& slug) {
  if (allow.touches(slug)) return true;
  for (const Alias& alias : aliases) {
    if (!allow.names_alias(alias.name)) continue;
    for (const AliasModel& model : alias.models) {
      const auto id = wire::parse_model_id(model.model);
      if (id && id->slug == slug) return true;
    }
  }
  return false;
}

Result<bool> has_money_cap(const store::RegistryRows& rows, std::string_view org) {
  for (const store::OrgRow& row : rows.orgs) {
    if (row.name != org) continue;
    auto limits = registry::org_limits_from_json(row.limits);
    if (!limits) return limits.error();
    return limits->cap_money_month.has_value();
  }
  return false;
}

Result<std::vector<CustomerKey>> capped_keys(const store::RegistryRows& rows,
                                             std::string_view org) {
  std::vector<CustomerKey> capped;
  for (const store::CustomerKeyRow& row : rows.customer_keys) {
    if (row.org != org || !row.revoked_at.empty()) continue;
    auto key = customer_key_of(row);
    if (!key) return key.error();
    if (key->settings.cap_money_month) capped.push_back(*std::move(key));
  }
  return capped;
}

Error price_missing(std::string why) {
  return registry::field_invalid("cap_money_month", std::move(why));
}

}  // namespace

Result<void> check_prices(CatalogDesk& desk, std::string_view org) {
  auto rows = desk.store.load();
  if (!rows) return rows.error();
  auto org_cap = has_money_cap(*rows, org);
  if (!org_cap) return org_cap.error();
  auto capped = capped_keys(*rows, org);
  if (!capped) return capped.error();
  if (!*org_cap && capped->empty()) return {};
  auto found = look(*rows, org);
  if (!found) return found.error();
  if (*org_cap && !found->slugs.empty()) {
    return price_missing("the org " + std::string(org) + " has one, and byo:" +
                         found->slugs.front() + " has no price: set its price_input and "
                         "price_output, or disable it");
  }
  for (const CustomerKey& key : *capped) {
    const registry::KeyAllowlist allow(key.settings.allow);
    for (const std::string& slug : found->slugs) {
      if (!reaches(allow, found->aliases, slug)) continue;
      return price_missing("the key " + key.id + " has one and may use byo:" + slug +
                           ", which has no price: set its price_input and price_output, or "
                           "leave it out of the key's list");
    }
  }
  return {};
}

}  // namespace byway::router
