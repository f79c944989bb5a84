#include "router/permissions.hpp"

namespace byway::router {
namespace {

using Method = AdminMethod;

constexpr MethodPermission table[] = {
    {Method::endpoints, "endpoints", Permission::models_read},
    {Method::endpoint, "endpoint", Permission::models_read},
    {Method::add_endpoint, "add_endpoint", Permission::models_write},
    {Method::set_endpoint, "set_endpoint", Permission::models_write},
    {Method::set_enabled, "set_enabled", Permission::models_write},
    {Method::keep_capabilities, "keep_capabilities", Permission::models_write},
    {Method::rotate_key, "rotate_key", Permission::models_write},
    {Method::remove_endpoint, "remove_endpoint", Permission::models_write},
    // Sealed keys are in it: no reading that a viewer needs.
    {Method::export_registry, "export_registry", Permission::models_write},
    {Method::import_registry, "import_registry", Permission::models_write},
    {Method::aliases, "aliases", Permission::models_read},
    {Method::set_alias, "set_alias", Permission::models_write},
    {Method::remove_alias, "remove_alias", Permission::models_write},
    // Governance knows no right to read keys alone; who may not write them need not see them.
    {Method::customer_keys, "customer_keys", Permission::keys_write},
    {Method::customer_key, "customer_key", Permission::keys_write},
    {Method::mint_customer_key, "mint_customer_key", Permission::keys_write},
    {Method::set_customer_key, "set_customer_key", Permission::keys_write},
    {Method::rotate_customer_key, "rotate_customer_key", Permission::keys_write},
    {Method::revoke_customer_key, "revoke_customer_key", Permission::keys_write},
    {Method::org, "org", Permission::usage_read},
    {Method::set_org_limits, "set_org_limits", Permission::limits_write},
    {Method::orgs, "orgs", Permission::owner},
    {Method::create_org, "create_org", Permission::owner},
    {Method::audit_tail, "audit_tail", Permission::audit_read},
    {Method::audit_export, "audit_export", Permission::audit_read},
    {Method::audit_verify, "audit_verify", Permission::audit_read},
    // These two concern the log of every org.
    {Method::audit_accept, "audit_accept", Permission::owner},
    {Method::usage, "usage", Permission::usage_read},
    {Method::usage_prune, "usage_prune", Permission::owner},
    {Method::vault_status, "vault_status", Permission::owner},
    {Method::check_vault, "check_vault", Permission::owner},
    {Method::rotate_master, "rotate_master", Permission::owner},
    {Method::retire_master, "retire_master", Permission::owner},
};

}  // namespace

std::string_view name_of(Permission permission) noexcept {
  switch (permission) {
    case Permission::models_read: return "models:read";
    case Permission::models_write: return "models:write";
    case Permission::keys_write: return "keys:write";
    case Permission::limits_write: return "limits:write";
    case Permission::audit_read: return "audit:read";
    case Permission::usage_read: return "usage:read";
    case Permission::calls_make: return "calls:make";
    case Permission::owner: return "owner";
  }
  return "";
}

bool has_permission(Role role, Permission permission) noexcept {
  if (permission == Permission::owner) return false;
  const bool is_read = permission == Permission::models_read ||
                       permission == Permission::audit_read || permission == Permission::usage_read;
  switch (role) {
    case Role::admin: return true;
    case Role::editor:
      return permission != Permission::keys_write && permission != Permission::limits_write;
    case Role::viewer: return is_read;
    case Role::caller: return permission == Permission::calls_make;
  }
  return false;
}

std::span<const MethodPermission> method_permissions() noexcept {
  return table;
}

Permission permission_of(AdminMethod method) noexcept {
  for (const MethodPermission& row : table) {
    if (row.method == method) return row.permission;
  }
  return Permission::owner;
}

}  // namespace byway::router
