#include "router/catalog_aliases.hpp"

#include "registry/alias_rules.hpp"
#include "registry/key_record.hpp"
#include "router/catalog_access.hpp"
#include "store/registry_store.hpp"

namespace byway::router {
namespace {

/// Whether the list of a key that is not revoked names the alias, which then grants its models.
Result<bool> is_granted_to_a_key(CatalogDesk& desk, std::string_view org, std::string_view alias) {
  auto rows = desk.store.load();
  if (!rows) return rows.error();
  for (const store::CustomerKeyRow& row : rows->customer_keys) {
    if (row.org != org || !row.revoked_at.empty()) continue;
    const auto key = customer_key_of(row);
    if (!key) return key.error();
    if (registry::KeyAllowlist(key->settings.allow).names_alias(alias)) return true;
  }
  return false;
}

}  // namespace

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

Result<void> put_alias(CatalogDesk& desk, const Alias& alias, bool may_write_keys) {
  Result<void> good = check_grant(desk, alias.org, alias.name, may_write_keys);
  if (!good) return good;
  return desk.store.put_alias({alias.org, alias.name, registry::to_json(alias)});
}

}  // namespace byway::router
