// The catalog of a registry file: keys by reference, and reloading.
#include "catch.hpp"

#include <condition_variable>
#include <string>
#include <thread>

#include "router/catalog_rig.hpp"

namespace byway::router {
namespace {

std::string endpoint(const std::string& slug, const std::string& more = {}) {
  return "[[endpoint]]\nslug = \"" + slug + "\"\nbase_url = \"https://models.example/v1\"\n" + more;
}

struct FileRig {
  CatalogFolder folder;
  Notices notices;
  std::string path = folder / "byway.toml";
  std::shared_ptr<Catalog> open(const std::string& text) {
    folder.write("byway.toml", text);
    return open_catalog({.registry = path, .on_notice = notices.hear()});
  }
};

/// `one` and `two`, exported with their keys sealed under key_of('a').
std::string sealed_registry(const CatalogFolder& folder) {
  must(create_store({.path = folder.store(), .master_key = key_of('a')}));
  Admin admin(open_catalog({.store = folder.store(), .master_key = key_of('a')}), "local");
  must(admin.add_endpoint(settings_of("one"), canary));
  must(admin.add_endpoint(settings_of("two"), canary));
  return must(admin.export_registry());
}

TEST_CASE("keys by reference need no master key", "[catalog]") {
  FileRig rig;
  ::setenv("BYWAY_TEST_KEY", std::string(canary).c_str(), 1);
  const std::string file = rig.folder.write("key", "sk-from-a-file\r\n");
  const auto catalog =
      rig.open(endpoint("one", "key = \"env:BYWAY_TEST_KEY\"\n") +
               endpoint("two", "key = \"file:" + file + "\"\n") + endpoint("open"));
  CHECK(line_of(*catalog, "one") == "Authorization: Bearer " + std::string(canary));
  CHECK(line_of(*catalog, "two") == "Authorization: Bearer sk-from-a-file");
  CHECK(line_of(*catalog, "open") == "no key");
  const Endpoint one = must(Admin(catalog, "local").endpoint("one"));
  CHECK(one.key_preview == "sk-c...");
  CHECK(one.key_generation == 1);
  CHECK(one.id == "file:local/one");
  CHECK(catalog->is_read_only());
}

TEST_CASE("a registry file is changed in the file", "[catalog]") {
  FileRig rig;
  Admin admin(rig.open(endpoint("one")), "local");
  CHECK(code_of(admin.add_endpoint(settings_of("two"))) == "registry_read_only");
  CHECK(code_of(admin.set_enabled("one", false)) == "registry_read_only");
  CHECK(code_of(admin.rotate_key("one", canary)) == "registry_read_only");
  CHECK(code_of(admin.remove_endpoint("one")) == "registry_read_only");
  CHECK(code_of(admin.import_registry("")) == "registry_read_only");
  CHECK(code_of(admin.rotate_master()) == "registry_read_only");
  CHECK(must(admin.endpoints()).size() == 1);
}

TEST_CASE("a file that is wrong at open is refused, with line and field", "[catalog]") {
  FileRig rig;
  ::unsetenv("BYWAY_TEST_KEY");
  const auto open = [&](const std::string& text) {
    rig.folder.write("byway.toml", text);
    return Catalog::open(still({.registry = rig.path}));
  };
  struct Bad {
    std::string more;
    const char* code;
    const char* start;
  };
  for (const Bad& row : std::vector<Bad>{
           {"rpm = -1\n", "registry_invalid_file", "byway.toml:4: rpm "},
           {"key = \"env:BYWAY_TEST_KEY\"\n", "registry_invalid_file", "byway.toml:4: key "},
           {"key = \"file:/no/such/key\"\n", "registry_invalid_file", "byway.toml:4: key "},
           {"key = \"file:" + rig.folder.write("open", "sk-canary", 0644) + "\"\n",
            "registry_invalid_file", "byway.toml:4: key "},
           {"key = \"file:" + rig.folder.write("bad", "sk-canary\n\n") + "\"\n",
            "registry_invalid_file", "byway.toml:4: key "},
       }) {
    const auto opened = open(endpoint("one", row.more));
    REQUIRE_FALSE(opened);
    INFO(opened.error().message());
    CHECK(opened.error().name() == row.code);
    CHECK(opened.error().message().starts_with(row.start));
    CHECK(opened.error().message().find("canary") == std::string::npos);
  }
  CHECK(code_of(open("[org]\ncap_day = 1\n")) == "registry_needs_store");
  CHECK(code_of(Catalog::open({.registry = rig.folder / "absent.toml"})) ==
        "registry_invalid_file");
  CHECK(code_of(Catalog::open({.registry = rig.folder / "."})) == "registry_invalid_file");
}

TEST_CASE("a good file is loaded again, a bad one leaves the old and is noticed once",
          "[catalog]") {
  FileRig rig;
  const auto catalog = rig.open(endpoint("one"));
  const auto held = catalog->snapshots().current()->find("local", "one");
  rig.folder.write("byway.toml", endpoint("one") + endpoint("two"));
  must(catalog->poll());
  CHECK(catalog->snapshots().current()->find("local", "one") == held);
  CHECK(line_of(*catalog, "two") == "no key");

  rig.folder.write("byway.toml", endpoint("one") + endpoint("two", "rpm = -5\n"));
  CHECK(code_of(catalog->poll()) == "registry_invalid_file");
  CHECK(code_of(catalog->poll()) == "registry_invalid_file");
  REQUIRE(rig.notices.all().size() == 1);
  CHECK(rig.notices.all()[0].message().starts_with("byway.toml:7: rpm "));
  CHECK(rig.notices.all()[0].param() == "rpm");
  CHECK(catalog->health().registry_problem == rig.notices.all()[0].message());
  CHECK(line_of(*catalog, "two") == "no key");

  std::filesystem::remove(rig.path);
  CHECK(code_of(catalog->poll()) == "registry_invalid_file");
  CHECK(rig.notices.all().size() == 2);
  CHECK(line_of(*catalog, "two") == "no key");

  rig.folder.write("byway.toml", endpoint("two"));
  must(catalog->poll());
  CHECK(catalog->health().registry_problem.empty());
  CHECK(line_of(*catalog, "one") == "absent");
  CHECK(rig.notices.all().size() == 2);
}

TEST_CASE("a key file that changes is a new generation", "[catalog]") {
  FileRig rig;
  const std::string file = rig.folder.write("key", "sk-first-key-of-it");
  const auto catalog = rig.open(endpoint("one", "key = \"file:" + file + "\"\n"));
  const auto held = catalog->snapshots().current()->find("local", "one");
  // The same key written again changes nothing.
  rig.folder.write("key", "sk-first-key-of-it\n");
  must(catalog->poll());
  CHECK(catalog->snapshots().current()->find("local", "one") == held);
  rig.folder.write("key", "sk-second-key-of-it");
  must(catalog->poll());
  CHECK(line_of(*catalog, "one") == "Authorization: Bearer sk-second-key-of-it");
  CHECK(must(Admin(catalog, "local").endpoint("one")).key_generation == 2);
  Secret line;
  must(held->open_key(line));
  CHECK(line.expose_secret() == "Authorization: Bearer sk-first-key-of-it");
}

TEST_CASE("a damaged sealed key in a file breaks its endpoint alone", "[catalog]") {
  const CatalogFolder folder;
  std::string text = sealed_registry(folder);
  const std::size_t at = text.find("key_generation = 1");
  text.replace(at, 18, "key_generation = 9");
  Notices notices;
  const std::string path = folder.write("byway.toml", text);
  const auto catalog =
      open_catalog({.registry = path, .master_key = key_of('a'), .on_notice = notices.hear()});
  CHECK(line_of(*catalog, "one") == "vault_ciphertext_corrupt");
  CHECK(line_of(*catalog, "two") == "Authorization: Bearer " + std::string(canary));
  CHECK(catalog->health().broken_endpoints == std::vector<std::string>{"one"});
  REQUIRE(notices.all().size() == 1);
  CHECK(notices.all()[0].endpoint() == "byo:one");
}

TEST_CASE("the watcher looks by itself, and may drop the catalog from its notice", "[catalog]") {
  FileRig rig;
  rig.folder.write("byway.toml", endpoint("one"));
  std::mutex mutex;
  std::condition_variable wake;
  std::shared_ptr<Catalog> catalog;
  bool is_dropped = false;
  const auto drop = [&](const Error&) {
    const std::lock_guard lock(mutex);
    catalog.reset();
    is_dropped = true;
    wake.notify_one();
  };
  {
    const std::lock_guard lock(mutex);
    catalog = must(Catalog::open(
        {.registry = rig.path, .on_notice = drop, .period = std::chrono::milliseconds(1)}));
  }
  rig.folder.write("byway.toml", "nonsense");
  std::unique_lock lock(mutex);
  wake.wait(lock, [&] { return is_dropped; });
  CHECK(is_dropped);
}

TEST_CASE("nothing is noticed once a notice has dropped the catalog", "[catalog]") {
  const CatalogFolder folder;
  std::string text = sealed_registry(folder);
  std::shared_ptr<Catalog> catalog;
  int notices = 0;
  const auto drop = [&](const Error&) {
    ++notices;
    catalog.reset();
  };
  const std::string path = folder.write("byway.toml", text);
  catalog =
      must(Catalog::open(still({.registry = path, .master_key = key_of('a'), .on_notice = drop})));
  for (int i = 0; i < 2; ++i) {
    text.replace(text.find("key_generation = 1"), 18, "key_generation = 9");
  }
  folder.write("byway.toml", text);
  static_cast<void>(catalog->poll());
  CHECK(notices == 1);
}

TEST_CASE("a notice that throws or asks again harms nothing", "[catalog]") {
  FileRig rig;
  rig.folder.write("byway.toml", endpoint("one"));
  std::weak_ptr<Catalog> asked;
  int notices = 0;
  const auto catalog =
      must(Catalog::open(still({.registry = rig.path, .on_notice = [&](const Error&) {
                                  ++notices;
                                  const auto held = asked.lock();
                                  if (held) static_cast<void>(held->poll());
                                  throw 1;
                                }})));
  asked = catalog;
  rig.folder.write("byway.toml", "nonsense");
  CHECK(code_of(catalog->poll()) == "registry_invalid_file");
  CHECK(notices == 1);
}

}  // namespace
}  // namespace byway::router
