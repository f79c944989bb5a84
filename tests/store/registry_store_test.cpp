#include "catch.hpp"

#include "store/migrations.hpp"
#include "store/scratch.hpp"

namespace byway::store {
namespace {

ErrorCode code_of(const Result<void>& result) {
  REQUIRE(!result);
  return result.error().code();
}

}  // namespace

TEST_CASE("what is inserted is loaded again, byte for byte") {
  const ScratchFolder folder;
  RegistryStore store = make_store(folder / "byway.db");
  EndpointRow row = endpoint_row("end-1", "one");
  row.enabled = false;
  row.settings = std::string("{\"name\":\"\xE2\x82\xAC\"}\0tail", 17);
  REQUIRE(store.insert_endpoint(row));
  SealedKeyRow key = key_row("end-1");
  key.sealed = std::string("\0\xFF\0blob", 7);
  REQUIRE(store.put_sealed_key(key));

  const RegistryRows rows = must(store.load());
  REQUIRE(rows.endpoints.size() == 1);
  row.last_generation = 1;
  CHECK(rows.endpoints[0] == row);
  REQUIRE(rows.sealed_keys.size() == 1);
  CHECK(rows.sealed_keys[0] == key);
  CHECK(rows.orgs == std::vector<OrgRow>{{"local", "{}"}});
  CHECK(must(store.find_endpoint("local", "one")) == row);
  CHECK(must(store.find_sealed_key("end-1", "key")) == key);
  CHECK(!must(store.find_endpoint("other", "one")));
}

TEST_CASE("a slug that looks like SQL is only a slug") {
  const ScratchFolder folder;
  RegistryStore store = make_store(folder / "byway.db");
  const std::string slug = "x'); DROP TABLE endpoint; --";
  REQUIRE(store.insert_endpoint(endpoint_row("e'1", slug)));
  CHECK(must(store.find_endpoint("local", slug)));
  CHECK(!must(store.find_endpoint("local", "' OR '1'='1")));
  CHECK(code_of(store.remove_endpoint("' OR 1=1 --", "now")) == ErrorCode::byo_endpoint_not_found);
  CHECK(must(store.load()).endpoints.size() == 1);
}

TEST_CASE("a statement short of a parameter is an error, not NULL") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  make_store(path);
  Database database = must(Database::open(path, std::chrono::seconds(1)));
  CHECK(code_of(database.run("SELECT ?, ?", {std::int64_t{1}})) == ErrorCode::internal_error);
  CHECK(code_of(database.run("SELECT ?", {std::int64_t{1}, std::int64_t{2}})) ==
        ErrorCode::internal_error);
}

TEST_CASE("each change counts its revision up, and a failed one does not") {
  const ScratchFolder folder;
  RegistryStore store = make_store(folder / "byway.db");
  const Revisions first = must(store.revisions());
  CHECK(first == Revisions{0, 1});
  must(store.insert_endpoint(endpoint_row("end-1", "one")));
  const Revisions second = must(store.revisions());
  CHECK(second.registry > first.registry);
  CHECK(second.vault == first.vault);
  CHECK(code_of(store.insert_endpoint(endpoint_row("end-2", "one"))) ==
        ErrorCode::registry_duplicate_slug);
  CHECK(code_of(store.update_endpoint(endpoint_row("end-9", "nine"))) ==
        ErrorCode::byo_endpoint_not_found);
  must(store.insert_org("local"));
  CHECK(must(store.revisions()) == second);
  CHECK(must(store.load()).revisions == second);
}

TEST_CASE("a slug is unique in its org alone, and free again once its endpoint is removed") {
  const ScratchFolder folder;
  RegistryStore store = make_store(folder / "byway.db");
  must(store.insert_endpoint(endpoint_row("end-1", "one")));
  EndpointRow elsewhere = endpoint_row("end-2", "one");
  elsewhere.org = "other";
  CHECK(store.insert_endpoint(elsewhere));
  must(store.insert_endpoint(endpoint_row("end-3", "three")));
  CHECK(code_of(store.update_endpoint(endpoint_row("end-3", "one"))) ==
        ErrorCode::registry_duplicate_slug);
  must(store.remove_endpoint("end-1", "2025-02-01T00:00:00Z"));
  CHECK(store.update_endpoint(endpoint_row("end-3", "one")));
  CHECK(code_of(store.remove_endpoint("end-1", "now")) == ErrorCode::byo_endpoint_not_found);
}

TEST_CASE("a removed endpoint keeps its row and loses its key") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  RegistryStore store = make_store(path);
  must(store.insert_endpoint(endpoint_row("end-1", "one")));
  must(store.put_sealed_key(key_row("end-1")));
  must(store.remove_endpoint("end-1", "2025-02-01T00:00:00Z"));
  const RegistryRows rows = must(store.load());
  CHECK(rows.endpoints.empty());
  CHECK(rows.sealed_keys.empty());
  CHECK(code_of(store.put_sealed_key(key_row("end-1", 2))) == ErrorCode::byo_endpoint_not_found);
  Database database = must(Database::open(path, std::chrono::seconds(1)));
  CHECK(must(database.integer("SELECT count(*) FROM endpoint WHERE removed_at IS NOT NULL")) == 1);
  CHECK(code_of(store.insert_endpoint(endpoint_row("end-1", "new"))) == ErrorCode::internal_error);
}

TEST_CASE("a replaced or removed sealed key is nowhere in the files") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  RegistryStore store = make_store(path);
  must(store.insert_endpoint(endpoint_row("end-1", "one")));
  SealedKeyRow key = key_row("end-1");
  key.sealed = "canary-of-generation-1-" + std::string(600, 'a');
  must(store.put_sealed_key(key));
  const auto stands = [&](const std::string& canary) {
    return (bytes_of(path) + bytes_of(path + "-wal")).find(canary) != std::string::npos;
  };
  CHECK(stands("canary-of-generation-1"));
  key = key_row("end-1", 2);
  key.sealed = "canary-of-generation-2-" + std::string(600, 'b');
  must(store.put_sealed_key(key));
  CHECK(!stands("canary-of-generation-1"));
  CHECK(!stands(std::string(20, 'a')));
  key.sealed = "canary-of-another-sealing-" + std::string(600, 'c');
  must(store.reseal_key(key));
  CHECK(!stands("canary-of-generation-2"));
  must(store.remove_sealed_key("end-1", "key"));
  CHECK(!stands("canary-of-another-sealing"));
}

TEST_CASE("a generation is used once, even after its key was removed") {
  const ScratchFolder folder;
  RegistryStore store = make_store(folder / "byway.db");
  must(store.insert_endpoint(endpoint_row("end-1", "one")));
  must(store.put_sealed_key(key_row("end-1", 1)));
  CHECK(code_of(store.put_sealed_key(key_row("end-1", 1))) == ErrorCode::internal_error);
  must(store.put_sealed_key(key_row("end-1", 2)));
  must(store.remove_sealed_key("end-1", "key"));
  CHECK(must(store.find_endpoint("local", "one"))->last_generation == 2);
  CHECK(code_of(store.put_sealed_key(key_row("end-1", 2))) == ErrorCode::internal_error);
  CHECK(store.put_sealed_key(key_row("end-1", 3)));
  CHECK(code_of(store.reseal_key(key_row("end-1", 4))) == ErrorCode::byo_endpoint_not_found);
}

TEST_CASE("an update leaves the last generation and the day of creation") {
  const ScratchFolder folder;
  RegistryStore store = make_store(folder / "byway.db");
  must(store.insert_endpoint(endpoint_row("end-1", "one")));
  must(store.put_sealed_key(key_row("end-1")));
  EndpointRow row = endpoint_row("end-1", "renamed");
  row.origin = "https://elsewhere.example:443";
  row.created_at = "1999-01-01T00:00:00Z";
  row.updated_at = "2025-03-01T00:00:00Z";
  must(store.update_endpoint(row));
  const EndpointRow found = *must(store.find_endpoint("local", "renamed"));
  CHECK(found.last_generation == 1);
  CHECK(found.created_at == "2025-01-01T00:00:00Z");
  CHECK(found.updated_at == "2025-03-01T00:00:00Z");
  CHECK(found.origin == row.origin);
  row.org = "other";
  CHECK(code_of(store.update_endpoint(row)) == ErrorCode::byo_endpoint_not_found);
}

TEST_CASE("a transaction is all or nothing, whatever failed in it") {
  const ScratchFolder folder;
  RegistryStore store = make_store(folder / "byway.db");
  must(store.insert_endpoint(endpoint_row("end-1", "one")));
  const Revisions before = must(store.revisions());

  SECTION("the change says no") {
    CHECK(code_of(store.transact([&]() -> Result<void> {
            must(store.insert_endpoint(endpoint_row("end-2", "two")));
            return Error(ErrorCode::vault_no_change, "no");
          })) == ErrorCode::vault_no_change);
  }
  SECTION("a verb's error is overlooked") {
    CHECK(code_of(store.transact([&]() -> Result<void> {
            must(store.insert_endpoint(endpoint_row("end-2", "two")));
            CHECK(!store.insert_endpoint(endpoint_row("end-3", "one")));
            CHECK(!store.insert_endpoint(endpoint_row("end-4", "four")));
            return {};
          })) == ErrorCode::registry_duplicate_slug);
  }
  SECTION("it throws") {
    CHECK_THROWS(store.transact([&]() -> Result<void> {
      must(store.insert_endpoint(endpoint_row("end-2", "two")));
      throw std::runtime_error("no");
    }));
  }
  CHECK(must(store.revisions()) == before);
  CHECK(must(store.load()).endpoints.size() == 1);
  CHECK(store.transact([&]() -> Result<void> {
    if (must(store.load()).endpoints.size() != 1) return Error(ErrorCode::internal_error, "");
    return store.insert_endpoint(endpoint_row("end-2", "two"));
  }));
  CHECK(must(store.load()).endpoints.size() == 2);
}

TEST_CASE("a store held by another is store_locked after the busy limit") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  make_store(path);
  RegistryStore store = must(RegistryStore::open(path, {std::chrono::milliseconds(0)}));
  SECTION("by the lock file") {
    WriteLock lock = must(WriteLock::open(path));
    WriteLock::Guard guard = must(lock.take(std::chrono::milliseconds(0)));
    Result<void> refused = store.insert_org("x");
    CHECK(code_of(refused) == ErrorCode::store_locked);
    CHECK(refused.error().retryable());
    CHECK(store.load());
  }
  SECTION("by a program that knows no lock file") {
    Database other = must(Database::open(path, std::chrono::milliseconds(0)));
    Transaction transaction = must(Transaction::begin(other));
    CHECK(code_of(store.insert_org("x")) == ErrorCode::store_locked);
    CHECK(store.load());
  }
  CHECK(store.insert_org("x"));
}

TEST_CASE("a reader stands in the way of no change and sees one instant") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  RegistryStore store = make_store(path);
  must(store.insert_endpoint(endpoint_row("end-1", "one")));
  must(store.put_sealed_key(key_row("end-1")));
  Database reader = must(Database::open(path, std::chrono::milliseconds(0)));
  {
    Snapshot snapshot = must(Snapshot::begin(reader));
    CHECK(must(reader.integer("SELECT count(*) FROM sealed_key")) == 1);
    CHECK(store.remove_endpoint("end-1", "now"));
    CHECK(must(reader.integer("SELECT count(*) FROM sealed_key")) == 1);
  }
  CHECK(must(reader.integer("SELECT count(*) FROM sealed_key")) == 0);
}

TEST_CASE("a key of no endpoint and an endpoint of no org cannot be written at all") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  make_store(path);
  OpenedStore opened = must(open_store(path, std::chrono::seconds(1)));
  CHECK(!opened.database.run("INSERT INTO sealed_key VALUES('none', 'key', 'r', 1, 1, '', x'00')"));
  CHECK(!opened.database.run(
      "INSERT INTO endpoint VALUES('e', 'no org', 's', 'o', 1, '{}', 0, '', '', NULL)"));
}

TEST_CASE("changes of many processes are all kept") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  make_store(path);
  std::vector<pid_t> children;
  for (int at = 0; at < 4; ++at) {
    children.push_back(start_child([&] {
      RegistryStore store = must(RegistryStore::open(path, {std::chrono::seconds(30)}));
      for (int turn = 0; turn < 25; ++turn) {
        const std::string id = std::to_string(::getpid()) + "-" + std::to_string(turn);
        if (!store.insert_endpoint(endpoint_row(id, id))) return 1;
      }
      return 0;
    }));
  }
  for (const pid_t child : children) CHECK(end_of(child) == 0);
  RegistryStore store = must(RegistryStore::open(path));
  const RegistryRows rows = must(store.load());
  CHECK(rows.endpoints.size() == 100);
  CHECK(rows.revisions.registry == 101);
}

TEST_CASE("a store opened before a fork is refused in the child and whole in the parent") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  RegistryStore store = make_store(path);
  must(store.insert_endpoint(endpoint_row("end-1", "one")));
  const int end = run_in_child([&] {
    Result<RegistryRows> rows = store.load();
    if (rows || rows.error().code() != ErrorCode::internal_used_after_fork) return 1;
    Result<void> change = store.insert_org("x");
    if (change || change.error().code() != ErrorCode::internal_used_after_fork) return 2;
    { RegistryStore taken = std::move(store); }
    return 0;
  });
  CHECK(end == 0);
  CHECK(store.insert_endpoint(endpoint_row("end-2", "two")));
  CHECK(must(store.load()).endpoints.size() == 2);
}

}  // namespace byway::store
