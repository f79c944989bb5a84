// kill -9 at every write: a store is whole afterwards, and the work can be finished.
#include "catch.hpp"

#include <array>
#include <cstdlib>

#include "store/killing_vfs.hpp"
#include "store/migrations.hpp"
#include "store/scratch.hpp"

namespace byway::store {
namespace {

constexpr std::array<Migration, 3> three_versions = {
    "CREATE TABLE one(n INTEGER PRIMARY KEY, t TEXT) STRICT;"
    "INSERT INTO one VALUES(1, 'a'), (2, 'b'), (3, 'c')",
    "ALTER TABLE one ADD COLUMN u TEXT; UPDATE one SET u = t || t; CREATE INDEX one_u ON one(u)",
    "CREATE TABLE two(n INTEGER PRIMARY KEY) STRICT; INSERT INTO two SELECT n FROM one;"
    "UPDATE one SET t = NULL"};

/// Seals "sealed-<version>-<record>" anew; the stand-in for the vault.
Rewrap rewrap_to(std::uint32_t version) {
  return [version](const BoundKey& bound) -> Result<std::string> {
    return "sealed-" + std::to_string(version) + "-" + bound.key.record_id +
           std::string(120, static_cast<char>(version));
  };
}

bool is_valid(const SealedKeyRow& row) {
  const auto version = row.master_key_version;
  return row.sealed == "sealed-" + std::to_string(version) + "-" + row.record_id +
                           std::string(120, static_cast<char>(version));
}

int rewrap_all(const std::string& path, std::uint32_t from, std::uint32_t to, std::size_t limit) {
  RegistryStore store = must(RegistryStore::open(path));
  std::string start;
  for (;;) {
    RewrapStep step = must(store.rewrap_batch(from, to, start, limit, rewrap_to(to)));
    if (step.next.empty()) return step.remaining == 0 ? 0 : 1;
    start = step.next;
  }
}

void fill(const std::string& path, int count) {
  RegistryStore store = make_store(path);
  must(store.transact([&]() -> Result<void> {
    for (int at = 0; at < count; ++at) {
      const std::string id = "end-" + std::to_string(at);
      must(store.insert_endpoint(endpoint_row(id, "slug-" + std::to_string(at))));
      must(store.put_sealed_key(key_row(id)));
    }
    return {};
  }));
}

void begin_rewrap(const std::string& path) {
  RegistryStore store = must(RegistryStore::open(path));
  const std::uint32_t next = must(store.insert_master_key(master_row(MasterKeyState::incoming)));
  must(store.activate_master_key(next));
}

/// Every record is sealed under a version the store names for it.
void check_all_valid(const std::string& path, std::size_t count) {
  RegistryStore store = must(RegistryStore::open(path));
  const RegistryRows rows = must(store.load());
  std::size_t valid = 0;
  for (const SealedKeyRow& row : rows.sealed_keys) valid += is_valid(row) ? 1U : 0U;
  CHECK(rows.sealed_keys.size() == count);
  CHECK(valid == count);
}

}  // namespace

TEST_CASE("a creation killed at any write is finished by the next one") {
  int kills = 0;
  for (int n = 1;; ++n) {
    const ScratchFolder folder;
    const std::string path = folder / "byway.db";
    const int end = run_in_child([&] {
      kill_at_write(n);
      return create_store(path, std::chrono::seconds(5)) ? 0 : 1;
    });
    if (end == 0) break;
    REQUIRE(end == -SIGKILL);
    ++kills;
    Result<RegistryStore> opened = RegistryStore::open(path);
    if (!opened) {
      REQUIRE(opened.error().code() == ErrorCode::store_not_found);
      opened = RegistryStore::create(path);
    }
    REQUIRE(opened);
    CHECK(opened->insert_endpoint(endpoint_row("end-1", "one")));
  }
  CHECK(kills >= 5);
}

TEST_CASE("a migration killed at any write leaves an older whole version, and goes on from there") {
  const ScratchFolder master;
  must(create_store(master / "byway.db", std::chrono::seconds(5),
                    std::span(three_versions).first(1)));
  int kills = 0;
  for (int n = 1;; ++n) {
    const ScratchFolder folder;
    const std::string path = folder / "byway.db";
    write_file(path, bytes_of(master / "byway.db"));
    const int end = run_in_child([&] {
      kill_at_write(n);
      return open_store(path, std::chrono::seconds(5), three_versions) ? 0 : 1;
    });
    if (end == 0) break;
    REQUIRE(end == -SIGKILL);
    ++kills;
    OpenedStore opened = must(open_store(path, std::chrono::seconds(5), three_versions));
    CHECK(must(opened.database.integer("PRAGMA user_version")) == 3);
    CHECK(must(opened.database.integer(
              "SELECT count(*) FROM one JOIN two USING(n) WHERE t IS NULL AND length(u) = 2")) ==
          3);
    std::string verdict;
    must(opened.database.run("PRAGMA integrity_check", {},
                             [&](const Row& row) { verdict = row.bytes(0); }));
    CHECK(verdict == "ok");
  }
  CHECK(kills >= 5);
}

TEST_CASE("a re-wrap killed at every write leaves every record valid, and finishes") {
  const ScratchFolder master;
  fill(master / "byway.db", 12);
  begin_rewrap(master / "byway.db");
  int kills = 0;
  for (int n = 1;; ++n) {
    const ScratchFolder folder;
    const std::string path = folder / "byway.db";
    write_file(path, bytes_of(master / "byway.db"));
    const int end = run_in_child([&] {
      kill_at_write(n);
      return rewrap_all(path, 1, 2, 5);
    });
    if (end == 0) break;
    REQUIRE(end == -SIGKILL);
    ++kills;
    check_all_valid(path, 12);
    REQUIRE(rewrap_all(path, 1, 2, 5) == 0);
    check_all_valid(path, 12);
    RegistryStore store = must(RegistryStore::open(path));
    CHECK(store.retire_master_key(1));
  }
  CHECK(kills >= 10);
}

TEST_CASE("a re-wrap of 10,000 records, killed again and again, loses none") {
  constexpr int count = 10'000;
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  fill(path, count);
  int kills = 0;
  std::srand(7);
  for (std::uint32_t to = 2; kills < 100; ++to) {
    begin_rewrap(path);
    for (;;) {
      const int n = 1 + std::rand() % 400;
      const int end = run_in_child([&] {
        kill_at_write(n);
        return rewrap_all(path, to - 1, to, 500);
      });
      if (end == 0) break;
      REQUIRE(end == -SIGKILL);
      if (++kills % 10 == 0) check_all_valid(path, count);
    }
    REQUIRE(rewrap_all(path, to - 1, to, 500) == 0);
    check_all_valid(path, count);
    RegistryStore store = must(RegistryStore::open(path));
    REQUIRE(store.retire_master_key(to - 1));
  }
}

}  // namespace byway::store
