// The catalog of a store: opening it, and seeing what others change.
#include "catch.hpp"

#include <condition_variable>
#include <string>
#include <thread>

#include "router/catalog_rig.hpp"
#include "transport/event_loop.hpp"

namespace byway::router {
namespace {

std::string hex_key(char digit) {
  return std::string(64, digit);
}

TEST_CASE("a store is made with its key file, once", "[catalog]") {
  const CatalogFolder folder;
  const CreatedStore created = must(create_store({.path = folder.store()}));
  CHECK(created.key_file == folder.store() + ".key");
  namespace fs = std::filesystem;
  CHECK(fs::status(created.key_file).permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(fs::status(folder.store()).permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write));
  const std::string key = bytes_of(created.key_file);
  CHECK(code_of(create_store({.path = folder.store()})) == "store_exists");
  CHECK(bytes_of(created.key_file) == key);
  CHECK(open_catalog({.store = folder.store()})->snapshots().current()->entries().empty());
  CHECK(code_of(create_store({.path = folder / "no/such/folder/byway.db"})) != "ok");
  CHECK(code_of(create_store({.path = folder / "b.db", .org = "A B"})) == "registry_field_invalid");
}

TEST_CASE("a key file that waits for its store is used", "[catalog]") {
  const CatalogFolder folder;
  folder.write("byway.db.key", hex_key('a') + "\n");
  must(create_store({.path = folder.store()}));
  CHECK(bytes_of(folder.store() + ".key") == hex_key('a') + "\n");
  const CatalogFolder open_to_all;
  open_to_all.write("byway.db.key", hex_key('a') + "\n", 0644);
  CHECK(code_of(create_store({.path = open_to_all.store()})) == "vault_file_permissions");
  CHECK_FALSE(std::filesystem::exists(open_to_all.store()));
}

TEST_CASE("the master key comes from its source, the environment, the key file, in this order",
          "[catalog]") {
  const CatalogFolder folder;
  must(create_store({.path = folder.store(), .master_key = key_of('a')}));
  const auto open = [&](KeySource source = {}) {
    return code_of(Catalog::open(still({.store = folder.store(), .master_key = source})));
  };
  CHECK(open() == "vault_no_key");
  CHECK(open(key_of('b')) == "vault_kek_wrong");
  CHECK(open(key_of('a')) == "ok");
  folder.write("byway.db.key", std::string(32, 'a'));
  CHECK(open() == "ok");
  ::setenv("BYWAY_MASTER_KEY", hex_key('b').c_str(), 1);
  CHECK(open() == "vault_kek_wrong");
  CHECK(open(key_of('a')) == "ok");
  ::setenv("BYWAY_MASTER_KEY", "nonsense", 1);
  CHECK(open() == "vault_key_format");
  ::unsetenv("BYWAY_MASTER_KEY");
  folder.write("byway.db.key", std::string(31, 'a'));
  CHECK(open() == "vault_key_format");
  folder.write("byway.db.key", std::string(32, 'c'));
  CHECK(open() == "vault_kek_wrong");
  // Not even with nothing sealed yet: the check record tells.
  CHECK(open(key_of('c')) == "vault_kek_wrong");
}

TEST_CASE("a store whose making was cut short takes its first key at open", "[catalog]") {
  const CatalogFolder folder;
  must(store::RegistryStore::create(folder.store()));
  CHECK(code_of(Catalog::open(still({.store = folder.store(), .master_key = key_of('a')}))) ==
        "ok");
  CHECK(code_of(Catalog::open(still({.store = folder.store(), .master_key = key_of('b')}))) ==
        "vault_kek_wrong");
}

TEST_CASE("what cannot be opened says why", "[catalog]") {
  const CatalogFolder folder;
  CHECK(code_of(Catalog::open({})) == "request_invalid");
  CHECK(code_of(Catalog::open({.store = "a", .registry = "b"})) == "request_invalid");
  CHECK(code_of(Catalog::open({.store = folder.store()})) == "store_not_found");
  folder.write("byway.db",
               "this is no database, and longer than a hundred bytes: ....................."
               "..............................");
  CHECK(code_of(Catalog::open({.store = folder.store()})) == "store_corrupt");
}

TEST_CASE("one process sees what another changed", "[catalog]") {
  const CatalogFolder folder;
  must(create_store({.path = folder.store()}));
  const auto one = open_catalog({.store = folder.store()});
  const auto two = open_catalog({.store = folder.store()});
  Admin admin(one, "local");
  must(admin.add_endpoint(settings_of("one"), canary));
  CHECK(line_of(*two, "one") == "absent");
  must(two->poll());
  CHECK(line_of(*two, "one") == "Authorization: Bearer " + std::string(canary));
  const auto held = two->snapshots().current()->find("local", "one");
  must(admin.add_endpoint(settings_of("two")));
  must(two->poll());
  // What did not change stays the very same, with its connections.
  CHECK(two->snapshots().current()->find("local", "one") == held);
  must(admin.rotate_key("one", "sk-the-second-key"));
  must(admin.remove_endpoint("two"));
  must(two->poll());
  CHECK(line_of(*two, "one") == "Authorization: Bearer sk-the-second-key");
  CHECK(line_of(*two, "two") == "absent");
  CHECK(two->health().registry_problem.empty());
}

TEST_CASE("the store thread looks by itself", "[catalog]") {
  const CatalogFolder folder;
  must(create_store({.path = folder.store()}));
  const auto one = open_catalog({.store = folder.store()});
  const auto two =
      must(Catalog::open({.store = folder.store(), .period = std::chrono::milliseconds(1)}));
  must(Admin(one, "local").add_endpoint(settings_of("one")));
  for (int tries = 0; tries < 5000 && line_of(*two, "one") == "absent"; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(line_of(*two, "one") == "no key");
}

TEST_CASE("administration on a loop thread is refused, for it waits", "[catalog]") {
  const CatalogFolder folder;
  must(create_store({.path = folder.store()}));
  const auto catalog = open_catalog({.store = folder.store()});
  const auto loop = must(transport::EventLoop::start(Clock::system()));
  std::mutex mutex;
  std::condition_variable wake;
  std::string answer;
  loop->post([&] {
    const std::string code = code_of(Admin(catalog, "local").add_endpoint(settings_of("one")));
    const std::lock_guard lock(mutex);
    answer = code;
    wake.notify_one();
  });
  std::unique_lock lock(mutex);
  wake.wait(lock, [&] { return !answer.empty(); });
  CHECK(answer == "internal_would_block_loop");
  lock.unlock();
  loop->stop();
}

TEST_CASE("a forked child gets an answer and ends in peace", "[catalog]") {
  const CatalogFolder folder;
  must(create_store({.path = folder.store()}));
  auto catalog = open_catalog({.store = folder.store()});
  const int end = in_child([&] {
    const bool is_refused = code_of(Admin(catalog, "local").add_endpoint(settings_of("one"))) ==
                            "internal_used_after_fork";
    catalog.reset();
    return is_refused ? 7 : 1;
  });
  CHECK(end == 7);
  CHECK(code_of(Admin(catalog, "local").add_endpoint(settings_of("one"))) == "ok");
}

TEST_CASE("many threads read and change at once", "[catalog]") {
  const CatalogFolder folder;
  must(create_store({.path = folder.store()}));
  const auto catalog =
      must(Catalog::open({.store = folder.store(), .period = std::chrono::milliseconds(1)}));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (char name = 'a'; name < 'e'; ++name) {
    threads.emplace_back([&, name] {
      Admin admin(catalog, "local");
      const std::string slug = std::string("end-") + name;
      if (!admin.add_endpoint(settings_of(slug), canary)) ++wrong;
      for (int turn = 0; turn < 5; ++turn) {
        const std::string key = "sk-key-of-turn-" + std::to_string(turn);
        if (!admin.rotate_key(slug, key)) ++wrong;
        // An administrator's own change is there when the call returns.
        if (line_of(*catalog, slug) != "Authorization: Bearer " + key) ++wrong;
      }
      if (!admin.remove_endpoint(slug)) ++wrong;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(catalog->snapshots().current()->entries().empty());
}

}  // namespace
}  // namespace byway::router
