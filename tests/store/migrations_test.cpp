#include "catch.hpp"

#include <sys/resource.h>

#include <csignal>
#include <vector>

#include "store/file_system.hpp"
#include "store/migrations.hpp"
#include "store/scratch.hpp"

namespace byway::store {
namespace {

constexpr std::chrono::milliseconds patience = std::chrono::seconds(30);

/// Gives up root, for which no folder is read-only.
bool become_nobody() {
  return ::geteuid() != 0 || (::setgid(65534) == 0 && ::setuid(65534) == 0);
}

ErrorCode open_code(const std::string& path) {
  Result<RegistryStore> opened = RegistryStore::open(path);
  REQUIRE(!opened);
  return opened.error().code();
}

}  // namespace

TEST_CASE("a new store is a file of mode 0600 that opens again") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  { RegistryStore store = make_store(path); }
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  REQUIRE(::stat((path + "-lock").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  RegistryStore store = must(RegistryStore::open(path));
  CHECK(must(store.load()).master_keys.size() == 1);
}

TEST_CASE("a store is not created over a file, nor opened where none is") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  CHECK(open_code(path) == ErrorCode::store_not_found);
  CHECK(!std::filesystem::exists(path));
  CHECK(!std::filesystem::exists(path + "-lock"));
  must(RegistryStore::create(path));
  Result<RegistryStore> again = RegistryStore::create(path);
  REQUIRE(!again);
  CHECK(again.error().code() == ErrorCode::store_exists);
}

TEST_CASE("a vanished folder is store_io_error") {
  const ScratchFolder folder;
  CHECK(open_code(folder / "gone/byway.db") == ErrorCode::store_io_error);
  Result<RegistryStore> made = RegistryStore::create(folder / "gone/byway.db");
  REQUIRE(!made);
  CHECK(made.error().code() == ErrorCode::store_io_error);
}

TEST_CASE("a name that SQLite would read otherwise is a file name") {
  const ScratchFolder folder;
  const std::string before = std::filesystem::current_path().string();
  std::filesystem::current_path(folder.path());
  for (const char* name : {":memory:", "file:x.db?mode=memory", "it's \"quoted\".db"}) {
    CHECK(RegistryStore::create(name));
    CHECK(std::filesystem::exists(name));
    CHECK(RegistryStore::open(name));
  }
  std::filesystem::current_path(before);
}

TEST_CASE("a newer schema is refused and its file stays as it is") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  std::vector<Migration> newer(all_migrations().begin(), all_migrations().end());
  newer.push_back("CREATE TABLE of_the_future(n INTEGER)");
  must(create_store(path, patience, newer));
  const FileState before = state_of(path);
  CHECK(open_code(path) == ErrorCode::store_schema_newer);
  CHECK(state_of(path) == before);
  CHECK(!std::filesystem::exists(path + "-wal"));
  CHECK(!std::filesystem::exists(path + "-shm"));
}

TEST_CASE("a newer schema that stands only in the log is refused as well") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  make_store(path);
  OpenedStore writer = must(open_store(path, patience));
  must(writer.database.run_script("PRAGMA user_version = 99"));
  const FileState before = state_of(path);
  CHECK(open_code(path) == ErrorCode::store_schema_newer);
  CHECK(state_of(path) == before);
}

TEST_CASE("a newer schema left in the log by a killed process is refused, and nothing is changed") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  make_store(path);
  const int end = run_in_child([&] {
    OpenedStore writer = must(open_store(path, patience));
    must(writer.database.run_script("PRAGMA user_version = 99"));
    std::raise(SIGKILL);
    return 0;
  });
  REQUIRE(end == -SIGKILL);
  const FileState before = state_of(path);
  CHECK(open_code(path) == ErrorCode::store_schema_newer);
  CHECK(state_of(path) == before);
}

TEST_CASE("a file that is no Byway store is refused and stays as it is") {
  const ScratchFolder folder;
  const std::string path = folder / "other.db";
  SECTION("text") {
    write_file(path, "dear diary");
  }
  SECTION("as long as a header") {
    write_file(path, std::string(4096, 'x'));
  }
  SECTION("another program's database") {
    write_file(path, "");
    Database other = must(Database::open(path, patience));
    must(
        other.run_script("PRAGMA journal_mode = WAL; PRAGMA application_id = 7;"
                         "CREATE TABLE theirs(n); INSERT INTO theirs VALUES(1)"));
    other.empty_log();
  }
  const FileState before = state_of(path);
  CHECK(open_code(path) == ErrorCode::store_corrupt);
  CHECK(!RegistryStore::create(path));
  CHECK(state_of(path) == before);
}

TEST_CASE("a damaged store is store_corrupt, whatever is read of it") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  make_store(path);
  std::string bytes = bytes_of(path);
  for (std::size_t at = 4096; at < bytes.size(); ++at) bytes[at] = 'x';
  write_file(path, bytes);
  // The schema itself needs more than the first page.
  Result<RegistryStore> opened = RegistryStore::open(path);
  REQUIRE(!opened);
  CHECK(opened.error().code() == ErrorCode::store_corrupt);
}

TEST_CASE("many processes create and open a store at once") {
  for (int round = 0; round < 5; ++round) {
    const ScratchFolder folder;
    const std::string path = folder / "byway.db";
    std::vector<pid_t> children;
    for (int at = 0; at < 8; ++at) {
      children.push_back(start_child([&] {
        Result<RegistryStore> store = RegistryStore::create(path, {patience});
        const bool is_first = store.has_value();
        if (!is_first && store.error().code() != ErrorCode::store_exists) return 50;
        if (!is_first) store = RegistryStore::open(path, {patience});
        if (!store) return 51;
        const std::string id = "end-" + std::to_string(::getpid());
        if (!store->insert_endpoint(endpoint_row(id, id))) return 52;
        return is_first ? 1 : 0;
      }));
    }
    int firsts = 0;
    for (const pid_t child : children) {
      const int end = end_of(child);
      CHECK((end == 0 || end == 1));
      firsts += end;
    }
    CHECK(firsts == 1);
    RegistryStore store = must(RegistryStore::open(path));
    const RegistryRows rows = must(store.load());
    CHECK(rows.endpoints.size() == 8);
    CHECK(rows.revisions.registry == 9);  // the org, then eight endpoints
  }
}

TEST_CASE("many processes migrate a store at once, and each step is done once") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  const std::vector<Migration> versions = {"CREATE TABLE done(step INTEGER)",
                                           "INSERT INTO done VALUES(2)",
                                           "INSERT INTO done VALUES(3)"};
  must(create_store(path, patience, std::span(versions).first(1)));
  std::vector<pid_t> children;
  for (int at = 0; at < 8; ++at) {
    children.push_back(start_child([&] { return open_store(path, patience, versions) ? 0 : 1; }));
  }
  for (const pid_t child : children) CHECK(end_of(child) == 0);
  OpenedStore opened = must(open_store(path, patience, versions));
  CHECK(must(opened.database.integer("SELECT sum(step) FROM done")) == 5);
  CHECK(must(opened.database.integer("SELECT count(*) FROM done")) == 2);
}

TEST_CASE("a migration that fails leaves the version before it") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  const std::vector<Migration> versions = {"CREATE TABLE one(n INTEGER)",
                                           "INSERT INTO one VALUES(1); INSERT INTO none VALUES(1)"};
  must(create_store(path, patience, std::span(versions).first(1)));
  CHECK(!open_store(path, patience, versions));
  OpenedStore opened = must(open_store(path, patience, std::span(versions).first(1)));
  CHECK(must(opened.database.integer("SELECT count(*) FROM one")) == 0);
}

TEST_CASE("a read-only folder is store_io_error, to create and to open") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  make_store(path);
  std::filesystem::remove(path + "-lock");
  std::filesystem::permissions(path, std::filesystem::perms(0444));
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  const int end = run_in_child([&] {
    if (!become_nobody()) return 1;
    Result<RegistryStore> made = RegistryStore::create(folder / "new.db");
    if (made || made.error().code() != ErrorCode::store_io_error) return 2;
    Result<RegistryStore> opened = RegistryStore::open(path);
    if (opened || opened.error().code() != ErrorCode::store_io_error) return 3;
    return 0;
  });
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  CHECK(end == 0);
}

TEST_CASE("a full disk is store_disk_full and nothing is lost") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  {
    RegistryStore store = make_store(path);
    must(store.insert_endpoint(endpoint_row("end-0", "kept")));
  }
  const int end = run_in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{256 * 1024, RLIM_INFINITY};
    RegistryStore store = must(RegistryStore::open(path));
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    EndpointRow big = endpoint_row("end-1", "big");
    big.settings.assign(1 << 20, 's');
    Result<void> full = store.insert_endpoint(big);
    if (full || full.error().code() != ErrorCode::store_disk_full) return 2;
    if (must(store.load()).endpoints.size() != 1) return 3;
    limit.rlim_cur = RLIM_INFINITY;
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 4;
    return store.insert_endpoint(big) ? 0 : 5;
  });
  CHECK(end == 0);
  RegistryStore store = must(RegistryStore::open(path));
  CHECK(must(store.load()).endpoints.size() == 2);
}

TEST_CASE("network file systems are told by their type") {
  for (const long type : {0x6969L, 0x517BL, 0xFF534D42L, 0xFE534D42L, 0x65735546L}) {
    CHECK(is_network_file_system(type));
  }
  for (const long type : {0xEF53L, 0x01021994L, 0x794C7630L, 0x9123683EL}) {
    CHECK(!is_network_file_system(type));
  }
  CHECK(!check_file_system("/no/such/folder/byway.db"));
  CHECK(folder_of("/byway.db") == "/");
  CHECK(folder_of("byway.db") == ".");
  CHECK(folder_of("a/b/byway.db") == "a/b");
}

}  // namespace byway::store
