// Who may administer what: every method, every role, the own org and another.
#include "router/permissions.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>

#include "router/access_rig.hpp"

namespace byway::router {
namespace {

using Call = std::function<std::string(Admin&)>;

constexpr Role roles[] = {Role::admin, Role::editor, Role::viewer, Role::caller};

/// One call of every method, on `slug`, `alias` and `id`. What it answers when it is allowed does
/// not matter but for things that are absent.
std::map<std::string, Call> calls(const std::string& slug, const std::string& alias,
                                  const std::string& id) {
  static const FieldChange rename{"name", "renamed"};
  static const FieldChange cap{"cap_day", "1000"};
  const auto one = [](const FieldChange& change) { return std::span(&change, 1); };
  return {
      {"endpoints", [](Admin& admin) { return code_of(admin.endpoints()); }},
      {"endpoint", [=](Admin& admin) { return code_of(admin.endpoint(slug)); }},
      {"add_endpoint",
       [](Admin& admin) { return code_of(admin.add_endpoint(settings_of("fresh"))); }},
      {"set_endpoint",
       [=](Admin& admin) { return code_of(admin.set_endpoint(slug, one(rename))); }},
      {"set_enabled", [=](Admin& admin) { return code_of(admin.set_enabled(slug, true)); }},
      {"keep_capabilities",
       [=](Admin& admin) { return code_of(admin.keep_capabilities(slug, {})); }},
      {"rotate_key",
       [=](Admin& admin) { return code_of(admin.rotate_key(slug, "sk-some-other-key")); }},
      {"remove_endpoint", [=](Admin& admin) { return code_of(admin.remove_endpoint(slug)); }},
      {"export_registry", [](Admin& admin) { return code_of(admin.export_registry()); }},
      {"import_registry", [](Admin& admin) { return code_of(admin.import_registry("")); }},
      {"aliases", [](Admin& admin) { return code_of(admin.aliases()); }},
      {"set_alias",
       [](Admin& admin) {
         return code_of(admin.set_alias({.name = "new", .models = {{"byo:plain/m", {}}}}));
       }},
      {"remove_alias", [=](Admin& admin) { return code_of(admin.remove_alias(alias)); }},
      {"customer_keys", [](Admin& admin) { return code_of(admin.customer_keys()); }},
      {"customer_key", [=](Admin& admin) { return code_of(admin.customer_key(id)); }},
      {"mint_customer_key", [](Admin& admin) { return code_of(admin.mint_customer_key({})); }},
      {"set_customer_key",
       [=](Admin& admin) { return code_of(admin.set_customer_key(id, one(rename))); }},
      {"rotate_customer_key", [=](Admin& admin) { return code_of(admin.rotate_customer_key(id)); }},
      {"revoke_customer_key", [=](Admin& admin) { return code_of(admin.revoke_customer_key(id)); }},
      {"org", [](Admin& admin) { return code_of(admin.org()); }},
      {"set_org_limits", [=](Admin& admin) { return code_of(admin.set_org_limits(one(cap))); }},
      {"orgs", [](Admin& admin) { return code_of(admin.orgs()); }},
      {"create_org", [](Admin& admin) { return code_of(admin.create_org("other")); }},
      {"audit_tail", [](Admin& admin) { return code_of(admin.audit_tail()); }},
      {"audit_export",
       [](Admin& admin) {
         return code_of(admin.audit_export({}, [](std::string_view) { return true; }));
       }},
      {"audit_verify", [](Admin& admin) { return code_of(admin.audit_verify()); }},
      {"audit_accept", [](Admin& admin) { return code_of(admin.audit_accept()); }},
      {"usage", [](Admin& admin) { return code_of(admin.usage()); }},
      {"usage_prune", [](Admin& admin) { return code_of(admin.usage_prune("2020-01-01")); }},
      {"vault_status", [](Admin& admin) { return code_of(admin.vault_status()); }},
      {"check_vault", [](Admin& admin) { return code_of(admin.check_vault()); }},
      {"rotate_master", [](Admin& admin) { return code_of(admin.rotate_master()); }},
      {"retire_master", [](Admin& admin) { return code_of(admin.retire_master(99)); }},
  };
}

/// By id of another, by slug: what names one thing.
const std::set<std::string> on_one_thing = {
    "endpoint",         "set_endpoint",        "set_enabled",        "keep_capabilities",
    "rotate_key",       "remove_endpoint",     "remove_alias",       "customer_key",
    "set_customer_key", "rotate_customer_key", "revoke_customer_key"};

TEST_CASE("the table has every method of Admin once", "[permissions]") {
  const auto known = calls("", "", "");
  std::set<std::string_view> seen;
  for (const MethodPermission& row : method_permissions()) {
    CHECK(known.contains(std::string(row.name)));
    CHECK(seen.insert(row.name).second);
    CHECK(permission_of(row.method) == row.permission);
  }
  CHECK(seen.size() == known.size());
  // The header's list: a new method without a row fails here.
  const std::string header = bytes_of(std::string(BYWAY_SOURCE_DIR) + "/include/byway/admin.hpp");
  const std::size_t begin = header.find("class Admin {");
  const std::string body = header.substr(begin, header.find("explicit Admin(", begin) - begin);
  std::size_t methods = 0;
  for (std::size_t at = body.find("\n  Result<"); at != std::string::npos;
       at = body.find("\n  Result<", at + 1)) {
    const std::size_t open = body.find('(', at);
    const std::size_t name = body.rfind(' ', open) + 1;
    CHECK(known.contains(body.substr(name, open - name)));
    ++methods;
  }
  CHECK(methods == known.size());
}

TEST_CASE("what a role lacks is denied, method by method", "[permissions]") {
  for (const Role role : roles) {
    for (const MethodPermission& row : method_permissions()) {
      CAPTURE(name_of(role), row.name);
      AccessRig rig;
      must(rig.owner.set_alias({.name = "mine", .models = {{"byo:plain/m", {}}}}));
      const std::string id = must(rig.owner.mint_customer_key({})).record.id;
      Admin admin = must(rig.router.admin({.key = rig.mint(in_role(role))}));
      const std::string answer = calls("plain", "mine", id).at(std::string(row.name))(admin);
      CHECK((answer == "policy_forbidden") == !has_permission(role, row.permission));
      if (has_permission(role, row.permission)) CHECK(answer == "ok");
    }
  }
}

TEST_CASE("the rights of each role are those of governance", "[permissions]") {
  const auto rights = [](Role role) {
    std::string text;
    for (int at = 0; at <= static_cast<int>(Permission::owner); ++at) {
      const auto permission = static_cast<Permission>(at);
      if (has_permission(role, permission)) text += std::string(name_of(permission)) + " ";
    }
    return text;
  };
  CHECK(rights(Role::admin) ==
        "models:read models:write keys:write limits:write audit:read usage:read calls:make ");
  CHECK(rights(Role::editor) == "models:read models:write audit:read usage:read calls:make ");
  CHECK(rights(Role::viewer) == "models:read audit:read usage:read ");
  CHECK(rights(Role::caller) == "calls:make ");
}

TEST_CASE("a thing of another org is answered exactly as a missing one", "[permissions]") {
  AccessRig rig;
  Admin acme(rig.open("acme").admin_as_owner());
  must(acme.add_endpoint(settings_of("theirs")));
  must(acme.set_alias({.name = "theirs", .models = {{"byo:theirs/m", {}}}}));
  const std::string their_id = must(acme.mint_customer_key({})).record.id;
  const std::string no_id = "0000000000000000";
  for (const Role role : roles) {
    Admin admin = must(rig.router.admin({.key = rig.mint(in_role(role))}));
    const auto theirs = calls("theirs", "theirs", their_id);
    const auto absent = calls("absent", "absent", no_id);
    for (const MethodPermission& row : method_permissions()) {
      const std::string name(row.name);
      if (!on_one_thing.contains(name)) continue;
      CAPTURE(name_of(role), name);
      const std::string answer = theirs.at(name)(admin);
      CHECK(answer == absent.at(name)(admin));
      CHECK(answer ==
            (has_permission(role, row.permission) ? "byo_endpoint_not_found" : "policy_forbidden"));
    }
  }
  Admin admin = must(rig.router.admin({.key = rig.mint(in_role(Role::admin))}));
  std::string message = admin.customer_key(their_id).error().message();
  CHECK(message.replace(message.find(their_id), 16, no_id) ==
        admin.customer_key(no_id).error().message());
  for (const auto& key : must(admin.customer_keys())) CHECK(key.org == "local");
  CHECK(must(acme.customer_key(their_id)).revoked_at.empty());
}

TEST_CASE("a key administers its own org, whatever the router's is", "[permissions]") {
  AccessRig rig;
  Router elsewhere = rig.open("acme");
  Admin acme = elsewhere.admin_as_owner();
  const std::string key = text_of(must(acme.mint_customer_key(in_role(Role::admin))));
  rig.mint();  // brings this router's snapshot up to date
  Admin admin = must(rig.router.admin({.key = key}));
  CHECK(must(admin.org()).name == "acme");
  CHECK(must(admin.endpoints()).empty());
}

TEST_CASE("a handle ends with its key", "[permissions]") {
  AccessRig rig;
  const MintedKey minted = must(rig.owner.mint_customer_key(in_role(Role::admin)));
  Admin admin = must(rig.router.admin({.key = text_of(minted)}));
  must(admin.endpoints());
  const FieldChange demote{"role", "viewer"};
  must(rig.owner.set_customer_key(minted.record.id, std::span(&demote, 1)));
  CHECK(code_of(admin.set_enabled("plain", false)) == "policy_forbidden");
  must(rig.owner.revoke_customer_key(minted.record.id));
  CHECK(admin.endpoints().error().reason() == "revoked");
  CHECK(code_of(rig.router.admin({.key = text_of(minted)})) == "invalid_api_key");
  CHECK(rig.router.admin({.key = ""}).error().reason() == "missing");
}

TEST_CASE("orgs are made once, and their limits are checked and kept", "[permissions]") {
  AccessRig rig;
  CHECK(must(rig.owner.create_org("acme")).name == "acme");
  CHECK(code_of(rig.owner.create_org("acme")) == "registry_duplicate_slug");
  CHECK(code_of(rig.owner.create_org("No Org")) == "registry_field_invalid");
  const FieldChange changes[] = {{"cap_day", "10"},          {"audit", "strict"},
                                 {"cap_tokens_day", "1000"}, {"cap_tokens_month", "9000"},
                                 {"pii", "off"}};
  const Org org = must(rig.owner.set_org_limits(changes));
  CHECK(org.limits.cap_day == 10);
  CHECK(org.limits.cap_tokens_day == 1000);
  CHECK(org.limits.cap_tokens_month == 9000);
  CHECK(must(rig.owner.org()) == org);
  for (const FieldChange wrong :
       {FieldChange{"cap_day", "0"}, FieldChange{"cap_month", "-5"}, FieldChange{"cap_day", "nan"},
        FieldChange{"cap_tokens_day", "0"}, FieldChange{"cap_tokens_month", "-1"},
        FieldChange{"cap_tokens_month", "1000000000000001"}, FieldChange{"cap_money_month", "0"},
        FieldChange{"pii", "redact"}, FieldChange{"audit", "no"}, FieldChange{"rpm", "5"}}) {
    CHECK(code_of(rig.owner.set_org_limits(std::span(&wrong, 1))) == "registry_field_invalid");
  }
  CHECK(must(rig.owner.org()) == org);
  CHECK(must(rig.owner.orgs()).size() == 2);
}

}  // namespace
}  // namespace byway::router
