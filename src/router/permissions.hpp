// Permissions: which role may do what. The one table.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <byway/customer_key.hpp>

namespace byway::router {

/// `owner` is what no role has: it concerns every org of the store, and is for the program that
/// opened it.
enum class Permission : std::uint8_t {
  models_read,
  models_write,
  keys_write,
  limits_write,
  audit_read,
  usage_read,
  calls_make,
  owner,
};
/// "models:read", ...
std::string_view name_of(Permission permission) noexcept;

bool has_permission(Role role, Permission permission) noexcept;

/// Every method of Admin.
enum class AdminMethod : std::uint8_t {
  endpoints,
  endpoint,
  add_endpoint,
  set_endpoint,
  set_enabled,
  keep_capabilities,
  rotate_key,
  remove_endpoint,
  export_registry,
  import_registry,
  aliases,
  set_alias,
  remove_alias,
  customer_keys,
  customer_key,
  mint_customer_key,
  set_customer_key,
  rotate_customer_key,
  revoke_customer_key,
  org,
  set_org_limits,
  orgs,
  create_org,
  audit_tail,
  audit_export,
  audit_verify,
  audit_accept,
  usage,
  usage_prune,
  vault_status,
  check_vault,
  rotate_master,
  retire_master,
};

struct MethodPermission {
  AdminMethod method;
  std::string_view name;
  Permission permission;
};
std::span<const MethodPermission> method_permissions() noexcept;
/// `owner` for a method that the table does not name: denied unless allowed.
Permission permission_of(AdminMethod method) noexcept;

}  // namespace byway::router
