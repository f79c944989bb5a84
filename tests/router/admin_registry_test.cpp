// The registry as text: export, import, and the way between stores.
#include "catch.hpp"

#include <string>

#include "router/catalog_rig.hpp"

namespace byway::router {
namespace {

struct Place {
  explicit Place(char fill) : key(key_of(fill)) {
    must(create_store({.path = folder.store(), .master_key = key}));
    catalog = open_catalog({.store = folder.store(), .master_key = key});
  }
  CatalogFolder folder;
  KeySource key;
  std::shared_ptr<Catalog> catalog;
  Admin admin() const { return Admin(catalog, "local"); }
};

void fill(Admin admin) {
  EndpointSettings one = settings_of("one");
  one.headers = {{"X-B", "2"}, {"X-A", "1"}};
  one.allow = {"m-1"};
  must(admin.add_endpoint(one, canary));
  must(admin.rotate_key("one", "sk-second-key-of-one"));
  EndpointSettings two = settings_of("two");
  two.enabled = false;
  must(admin.add_endpoint(two));
}

TEST_CASE("an exported registry is imported where the master key is the same", "[admin]") {
  const Place from('a');
  fill(from.admin());
  const std::string text = must(from.admin().export_registry());
  CHECK(text.find("sealed:") != std::string::npos);

  const Place to('a');
  const auto stored = must(to.admin().import_registry(text));
  REQUIRE(stored.size() == 2);
  CHECK(line_of(*to.catalog, "one") == "Authorization: Bearer sk-second-key-of-one");
  CHECK(must(to.admin().endpoint("one")).key_generation == 2);
  CHECK(must(to.admin().endpoint("one")).key_preview == "sk-s...");
  for (const char* slug : {"one", "two"}) {
    CHECK(must(to.admin().endpoint(slug)).settings == must(from.admin().endpoint(slug)).settings);
  }
  // All or none.
  CHECK(code_of(to.admin().import_registry(text)) == "registry_duplicate_slug");
  must(to.admin().remove_endpoint("one"));
  CHECK(code_of(to.admin().import_registry(text)) == "registry_duplicate_slug");
  CHECK(must(to.admin().endpoints()).size() == 1);
  must(to.admin().remove_endpoint("two"));
  CHECK(must(to.admin().import_registry(text)).size() == 2);
}

TEST_CASE("import under another master key names the endpoint", "[admin]") {
  const Place from('a');
  fill(from.admin());
  const Place to('b');
  const auto imported = to.admin().import_registry(must(from.admin().export_registry()));
  REQUIRE_FALSE(imported);
  CHECK(imported.error().code() == ErrorCode::vault_kek_wrong);
  CHECK(imported.error().endpoint() == "byo:one");
  CHECK(imported.error().message().find("byo:one") != std::string::npos);
  CHECK(must(to.admin().endpoints()).empty());
}

std::string replaced(std::string text, std::string_view old, std::string_view with) {
  const std::size_t at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), with);
}

TEST_CASE("a sealed key that was moved in the text does not open", "[admin]") {
  const Place from('a');
  must(from.admin().add_endpoint(settings_of("one"), canary));
  const std::string text = must(from.admin().export_registry());
  const Place to('a');
  const auto import = [&](std::string_view old, std::string_view with) {
    return code_of(to.admin().import_registry(replaced(text, old, with)));
  };
  CHECK(import("slug = \"one\"", "slug = \"two\"") == "vault_ciphertext_corrupt");
  CHECK(import("models.example", "evil.example") == "vault_ciphertext_corrupt");
  CHECK(import("key_generation = 1", "key_generation = 2") == "vault_ciphertext_corrupt");
  CHECK(import("key_record_id = \"", "key_record_id = \"x") == "vault_ciphertext_corrupt");
  CHECK(import("org = \"local\"", "org = \"acme\"") == "registry_field_invalid");
  CHECK(import("slug = \"one\"", "slug = \"ONE\"") == "registry_invalid_file");
  Admin acme(to.catalog, "acme");
  CHECK(code_of(acme.import_registry(replaced(text, "org = \"local\"", "org = \"acme\""))) ==
        "vault_ciphertext_corrupt");
  CHECK(code_of(to.admin().import_registry(text)) == "ok");
}

TEST_CASE("import takes keys from the environment and from files", "[admin]") {
  const Place to('a');
  ::setenv("BYWAY_TEST_IMPORT", std::string(canary).c_str(), 1);
  const std::string file = to.folder.write("key.txt", "sk-from-a-file\n");
  const std::string text = R"([[endpoint]]
slug = "one"
base_url = "https://models.example/v1"
key = "env:BYWAY_TEST_IMPORT"
[[endpoint]]
slug = "two"
base_url = "https://models.example/v1"
key = "file:)" + file + "\"\n";
  must(to.admin().import_registry(text));
  CHECK(line_of(*to.catalog, "one") == "Authorization: Bearer " + std::string(canary));
  CHECK(line_of(*to.catalog, "two") == "Authorization: Bearer sk-from-a-file");
  ::unsetenv("BYWAY_TEST_IMPORT");
  CHECK(code_of(to.admin().import_registry(replaced(text, "\"one\"", "\"three\""))) ==
        "vault_no_key");
}

TEST_CASE("an exported registry is a registry file", "[admin]") {
  const Place from('a');
  fill(from.admin());
  const std::string path = from.folder.write("byway.toml", must(from.admin().export_registry()));
  const auto file = open_catalog({.registry = path, .master_key = key_of('a')});
  CHECK(line_of(*file, "one") == "Authorization: Bearer sk-second-key-of-one");
  const Endpoint one = must(Admin(file, "local").endpoint("one"));
  CHECK(one.key_generation == 2);
  CHECK(one.key_preview == "sk-s...");
  const auto other = Catalog::open(still({.registry = path, .master_key = key_of('b')}));
  REQUIRE_FALSE(other);
  CHECK(other.error().code() == ErrorCode::vault_kek_wrong);
  CHECK(other.error().endpoint() == "byo:one");
  CHECK(code_of(Catalog::open(still({.registry = path}))) == "vault_no_key");
  ::setenv("BYWAY_MASTER_KEY", "nonsense", 1);
  CHECK(code_of(Catalog::open(still({.registry = path}))) == "vault_key_format");
  // Where nothing is sealed, no master key is needed.
  const std::string plain = from.folder.write(
      "plain.toml", "[[endpoint]]\nslug = \"one\"\nbase_url = \"https://models.example\"\n");
  CHECK(code_of(Catalog::open(still({.registry = plain}))) == "ok");
  ::unsetenv("BYWAY_MASTER_KEY");
}

}  // namespace
}  // namespace byway::router
