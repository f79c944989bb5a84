// Administration: endpoints and their keys, with real stores.
#include "catch.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "router/catalog_rig.hpp"

namespace byway::router {
namespace {

struct StoreRig {
  CatalogFolder folder;
  CreatedStore created = must(create_store({.path = folder.store()}));
  Notices notices;
  std::shared_ptr<Catalog> catalog =
      open_catalog({.store = folder.store(), .on_notice = notices.hear()});
  Admin admin{catalog, "local"};
};

Result<StoredEndpoint> set(Admin& admin, std::string_view slug, std::string_view field,
                           std::string_view value, std::optional<std::string_view> key = {}) {
  const FieldChange change{field, value};
  return admin.set_endpoint(slug, std::span(&change, 1), key);
}

TEST_CASE("an endpoint is added, read, listed and removed", "[admin]") {
  StoreRig rig;
  EndpointSettings settings = settings_of("my-vllm");
  settings.base_url = "https://models.example/v1/chat/completions/";
  settings.org = "ignored";
  const StoredEndpoint added = must(rig.admin.add_endpoint(settings, canary));
  CHECK(added.warnings.size() == 1);
  CHECK(added.endpoint.settings.base_url == "https://models.example/v1");
  CHECK(added.endpoint.settings.org == "local");
  CHECK(added.endpoint.id.size() == 26);
  CHECK(added.endpoint.origin == "https://models.example:443");
  CHECK(added.endpoint.has_key);
  CHECK(added.endpoint.key_preview == "sk-c...");
  CHECK(added.endpoint.key_generation == 1);
  CHECK(added.endpoint.created_at.size() == 20);
  CHECK(line_of(*rig.catalog, "my-vllm") == "Authorization: Bearer " + std::string(canary));

  must(rig.admin.add_endpoint(settings_of("another")));
  const auto listed = must(rig.admin.endpoints());
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].settings.slug == "another");
  CHECK_FALSE(listed[0].has_key);
  CHECK(line_of(*rig.catalog, "another") == "no key");
  CHECK(must(rig.admin.endpoint("my-vllm")).id == added.endpoint.id);

  must(rig.admin.remove_endpoint("my-vllm"));
  CHECK(code_of(rig.admin.endpoint("my-vllm")) == "byo_endpoint_not_found");
  CHECK(line_of(*rig.catalog, "my-vllm") == "absent");
  // The slug is free again, the id is not.
  const StoredEndpoint again = must(rig.admin.add_endpoint(settings_of("my-vllm")));
  CHECK(again.endpoint.id != added.endpoint.id);
  CHECK(rig.notices.all().empty());
}

TEST_CASE("an unknown endpoint and another org's are answered alike", "[admin]") {
  StoreRig rig;
  must(rig.admin.add_endpoint(settings_of("mine"), canary));
  Admin other(rig.catalog, "acme");
  must(other.add_endpoint(settings_of("theirs"), canary));
  const auto answers = [&](const std::string& slug) {
    std::vector<Error> errors;
    const auto keep = [&](const auto& result) {
      REQUIRE_FALSE(result);
      errors.push_back(result.error());
    };
    keep(rig.admin.endpoint(slug));
    keep(set(rig.admin, slug, "name", "x"));
    keep(rig.admin.set_enabled(slug, false));
    keep(rig.admin.rotate_key(slug, "sk-another-key-of-them"));
    keep(rig.admin.remove_endpoint(slug));
    return errors;
  };
  const auto theirs = answers("theirs");
  const auto absent = answers("absent");
  for (std::size_t at = 0; at < theirs.size(); ++at) {
    CHECK(theirs[at].code() == ErrorCode::byo_endpoint_not_found);
    std::string message = theirs[at].message();
    const std::size_t slug = message.find("theirs");
    REQUIRE(slug != std::string::npos);
    CHECK(message.replace(slug, 6, "absent") == absent[at].message());
  }
  CHECK(must(rig.admin.endpoints()).size() == 1);
  CHECK(must(rig.admin.export_registry()).find("theirs") == std::string::npos);
  CHECK(must(other.endpoint("theirs")).key_generation == 1);
  CHECK(code_of(rig.admin.endpoint("../x")) == "byo_endpoint_not_found");
}

TEST_CASE("what is wrong with an endpoint is said and nothing is stored", "[admin]") {
  StoreRig rig;
  must(rig.admin.add_endpoint(settings_of("taken"), canary));
  const auto add = [&](auto edit, std::optional<std::string_view> key = {}) {
    EndpointSettings settings = settings_of("fresh");
    edit(settings);
    return code_of(rig.admin.add_endpoint(settings, key));
  };
  CHECK(add([](auto& settings) { settings.slug = "taken"; }) == "registry_duplicate_slug");
  CHECK(add([](auto& settings) { settings.slug = "TAKEN"; }) == "registry_slug_invalid");
  CHECK(add([](auto& settings) { settings.base_url = "ftp://x"; }) == "registry_url_invalid");
  CHECK(add([](auto& settings) { settings.base_url = "http://x"; }) == "registry_url_insecure");
  CHECK(add([](auto& settings) { settings.base_url = "https://10.0.0.1"; }) == "net_ssrf_blocked");
  CHECK(add([](auto& settings) { settings.rpm = -60; }) == "registry_field_invalid");
  CHECK(add([](auto& settings) {
          settings.headers = {{"Host", "x"}};
        }) == "request_header_reserved");
  const auto nothing = [](auto&) {};
  for (const std::string_view key :
       {std::string_view(""), std::string_view("  "), std::string_view("sk-\r\n"),
        std::string_view("sk-x\n"), std::string_view("sk\0x", 4),
        std::string_view("sk-\xc3\xa9")}) {
    CHECK(add(nothing, key) == "vault_secret_invalid");
  }
  CHECK(add(nothing, std::string(65536, 'a')) == "vault_secret_invalid");
  CHECK(must(rig.admin.endpoints()).size() == 1);
  // A key that was refused took the endpoint back with it.
  CHECK(add(nothing, "sk-a-good-key") == "ok");
}

TEST_CASE("fields are changed together or not at all", "[admin]") {
  StoreRig rig;
  must(rig.admin.add_endpoint(settings_of("one"), canary));
  const std::array changes = {FieldChange{"name", "New"}, FieldChange{"rpm", "-60"}};
  CHECK(code_of(rig.admin.set_endpoint("one", changes)) == "registry_field_invalid");
  CHECK(must(rig.admin.endpoint("one")).settings.name.empty());
  CHECK(must(set(rig.admin, "one", "allow", "a,b")).endpoint.settings.allow ==
        std::vector<std::string>{"a", "b"});
  CHECK(code_of(set(rig.admin, "one", "org", "acme")) == "registry_field_invalid");
  CHECK(code_of(set(rig.admin, "one", "colour", "red")) == "registry_field_invalid");
  CHECK_FALSE(must(rig.admin.set_enabled("one", false)).settings.enabled);
  CHECK_FALSE(rig.catalog->snapshots().current()->find("local", "one")->endpoint.settings.enabled);
  CHECK(must(rig.admin.set_enabled("one", true)).settings.enabled);
  CHECK(must(set(rig.admin, "one", "name", "x")).endpoint.key_generation == 1);
}

TEST_CASE("a key does not follow its endpoint to another place", "[admin]") {
  StoreRig rig;
  must(rig.admin.add_endpoint(settings_of("one"), canary));
  for (const char* url :
       {"https://evil.example/v1", "https://models.example:8443/v1", "http://localhost/v1"}) {
    INFO(url);
    CHECK(code_of(set(rig.admin, "one", "base_url", url)) == "vault_origin_changed");
  }
  CHECK(line_of(*rig.catalog, "one") == "Authorization: Bearer " + std::string(canary));
  // Another path of the same place is no other place.
  must(set(rig.admin, "one", "base_url", "https://MODELS.example:443/v2"));
  CHECK(line_of(*rig.catalog, "one") == "Authorization: Bearer " + std::string(canary));
  // Given again, even the same key is fine.
  const auto moved = must(set(rig.admin, "one", "base_url", "https://other.example", canary));
  CHECK(moved.endpoint.key_generation == 2);
  CHECK(line_of(*rig.catalog, "one") == "Authorization: Bearer " + std::string(canary));
  // Without a key there is nothing to protect.
  must(rig.admin.add_endpoint(settings_of("open")));
  must(set(rig.admin, "open", "base_url", "https://other.example"));
}

TEST_CASE("a renamed endpoint keeps its key and its id", "[admin]") {
  StoreRig rig;
  const auto before = must(rig.admin.add_endpoint(settings_of("one"), canary));
  const auto after = must(set(rig.admin, "one", "slug", "two"));
  CHECK(after.endpoint.id == before.endpoint.id);
  CHECK(after.endpoint.key_generation == 1);
  CHECK(line_of(*rig.catalog, "two") == "Authorization: Bearer " + std::string(canary));
  CHECK(line_of(*rig.catalog, "one") == "absent");
  must(rig.admin.add_endpoint(settings_of("one")));
  CHECK(code_of(set(rig.admin, "two", "slug", "one")) == "registry_duplicate_slug");
  CHECK(line_of(*rig.catalog, "two") == "Authorization: Bearer " + std::string(canary));
}

TEST_CASE("calls in flight end on the old key, new ones use the new", "[admin]") {
  StoreRig rig;
  must(rig.admin.add_endpoint(settings_of("one"), canary));
  const auto in_flight = rig.catalog->snapshots().current()->find("local", "one");
  CHECK(code_of(rig.admin.rotate_key("one", canary)) == "vault_no_change");
  CHECK(code_of(rig.admin.rotate_key("one", "")) == "vault_secret_invalid");
  const Endpoint rotated = must(rig.admin.rotate_key("one", "sk-the-second-key"));
  CHECK(rotated.key_generation == 2);
  CHECK(line_of(*rig.catalog, "one") == "Authorization: Bearer sk-the-second-key");
  Secret line;
  must(in_flight->open_key(line));
  CHECK(line.expose_secret() == "Authorization: Bearer " + std::string(canary));
  const auto now = rig.catalog->snapshots().current()->find("local", "one");
  CHECK(now->target(Operation::chat, "m").value()->pool !=
        in_flight->target(Operation::chat, "m").value()->pool);
  // A first key for an endpoint without one.
  must(rig.admin.add_endpoint(settings_of("open")));
  CHECK(must(rig.admin.rotate_key("open", "sk-first-key")).key_generation == 1);
}

TEST_CASE("a dialect's own header carries the key", "[admin]") {
  StoreRig rig;
  EndpointSettings settings = settings_of("azure");
  settings.dialect = "azure_v1";
  must(rig.admin.add_endpoint(settings, canary));
  CHECK(line_of(*rig.catalog, "azure") == "api-key: " + std::string(canary));
}

TEST_CASE("one bad record fails its endpoint alone, and rotation repairs it", "[admin]") {
  StoreRig rig;
  must(rig.admin.add_endpoint(settings_of("good"), canary));
  const auto bad = must(rig.admin.add_endpoint(settings_of("bad"), canary));
  const auto harmed = must(rig.admin.add_endpoint(settings_of("harmed"), canary));
  {
    auto store = must(store::RegistryStore::open(rig.folder.store()));
    auto key = must(store.find_sealed_key(bad.endpoint.id, "key")).value();
    key.sealed.back() = static_cast<char>(key.sealed.back() ^ 1);
    must(store.reseal_key(key));
    auto row = must(store.find_endpoint("local", "harmed")).value();
    row.settings = R"({"slug":"harmed"})";
    must(store.update_endpoint(row));
  }
  must(rig.catalog->poll());
  CHECK(line_of(*rig.catalog, "good") == "Authorization: Bearer " + std::string(canary));
  CHECK(line_of(*rig.catalog, "bad") == "vault_ciphertext_corrupt");
  CHECK(line_of(*rig.catalog, "harmed") == "absent");
  auto broken = rig.catalog->health().broken_endpoints;
  std::sort(broken.begin(), broken.end());
  CHECK(broken == std::vector<std::string>{"bad", "harmed"});
  CHECK(rig.notices.all().size() == 2);
  const VaultCheck check = must(rig.admin.check_vault());
  CHECK(check.records == 3);
  REQUIRE(check.broken.size() == 1);
  CHECK(check.broken[0].slug == "bad");

  must(rig.admin.rotate_key("bad", canary));
  must(rig.admin.remove_endpoint("harmed"));
  CHECK(line_of(*rig.catalog, "bad") == "Authorization: Bearer " + std::string(canary));
  CHECK(rig.catalog->health().broken_endpoints.empty());
  CHECK(rig.notices.all().size() == 2);
}

TEST_CASE("a base URL that was changed in the file takes no key with it", "[admin]") {
  StoreRig rig;
  must(rig.admin.add_endpoint(settings_of("one"), canary));
  {
    auto store = must(store::RegistryStore::open(rig.folder.store()));
    auto row = must(store.find_endpoint("local", "one")).value();
    row.settings = R"({"slug":"one","base_url":"https://evil.example/v1"})";
    must(store.update_endpoint(row));
  }
  must(rig.catalog->poll());
  CHECK(line_of(*rig.catalog, "one") == "vault_ciphertext_corrupt");
}

TEST_CASE("no key is found in any file, text or message", "[admin]") {
  StoreRig rig;
  must(rig.admin.add_endpoint(settings_of("one"), canary));
  must(rig.admin.rotate_key("one", std::string(canary) + "-2"));
  std::string seen = must(rig.admin.export_registry());
  const auto keep = [&](const auto& result) {
    if (!result) seen += result.error().json() + result.error().detail();
  };
  keep(rig.admin.rotate_key("one", std::string(canary) + "-2"));
  keep(rig.admin.rotate_key("one", std::string(canary) + "\n"));
  keep(rig.admin.add_endpoint(settings_of("one"), canary));
  keep(set(rig.admin, "one", "base_url", "https://other.example"));
  keep(rig.admin.import_registry("[[endpoint]]\nslug = \"two\"\nkey = \"" + std::string(canary)));
  keep(rig.admin.import_registry("[[endpoint]]\nslug = \"two\"\nkey = \"" + std::string(canary) +
                                 "\"\nbase_url = \"https://a\"\n"));
  for (const Error& error : rig.notices.all()) seen += error.json();
  CHECK(seen.find("sk-canary") == std::string::npos);
  CHECK_FALSE(rig.folder.holds("sk-canary"));
}

}  // namespace
}  // namespace byway::router
