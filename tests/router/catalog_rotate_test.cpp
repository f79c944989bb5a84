// Rotation of the master key: both keys until the end, and nothing lost at any kill.
#include "catch.hpp"

#include <signal.h>
#include <sqlite3.h>

#include <cstdlib>
#include <string>

#include "router/catalog_keys.hpp"
#include "router/catalog_rig.hpp"

namespace byway::router {
namespace {

namespace fs = std::filesystem;

std::string slug_of(int number) {
  return "end-" + std::to_string(number);
}
std::string secret_of(int number) {
  return "sk-secret-of-" + std::to_string(number);
}

/// Many endpoints in one transaction, through import.
void fill(const std::shared_ptr<Catalog>& catalog, int count) {
  std::string text;
  for (int number = 0; number < count; ++number) {
    const std::string name = "BYWAY_TEST_FILL_" + std::to_string(number);
    ::setenv(name.c_str(), secret_of(number).c_str(), 1);
    text += "[[endpoint]]\nslug = \"" + slug_of(number) +
            "\"\nbase_url = \"https://models.example/v1\"\nkey = \"env:" + name + "\"\n";
  }
  must(Admin(catalog, "local").import_registry(text));
  for (int number = 0; number < count; ++number) {
    ::unsetenv(("BYWAY_TEST_FILL_" + std::to_string(number)).c_str());
  }
}

/// How many endpoints give their own key.
int opening(const Catalog& catalog, int count) {
  int good = 0;
  for (int number = 0; number < count; ++number) {
    if (line_of(catalog, slug_of(number)) == "Authorization: Bearer " + secret_of(number)) ++good;
  }
  return good;
}

std::string states_of(Admin admin) {
  std::string states;
  for (const MasterKeyStatus& key : must(admin.vault_status()).master_keys) {
    states += key.state + ":" + std::to_string(key.records) + (key.is_present ? " " : "? ");
  }
  return states;
}

/// What a kill leaves does not depend on a disk, and memory is faster.
fs::path memory_folder() {
  const fs::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
}

struct Rig {
  explicit Rig(int count) {
    must(create_store({.path = folder.store()}));
    const auto catalog = open();
    fill(catalog, count);
  }
  std::shared_ptr<Catalog> open() const { return open_catalog({.store = folder.store()}); }
  std::string key_file() const { return folder.store() + ".key"; }
  std::string next_file() const { return folder.store() + ".key.new"; }
  CatalogFolder folder{memory_folder()};
};

TEST_CASE("a rotation with the default key file leaves one new key", "[catalog]") {
  const Rig rig(3);
  const std::string old_key = bytes_of(rig.key_file());
  auto catalog = rig.open();
  Admin admin(catalog, "local");
  const auto before = catalog->snapshots().current()->find("local", "end-0");
  const MasterRotation rotation = must(admin.rotate_master());
  CHECK(rotation.version == 2);
  CHECK(rotation.rewrapped == 3);
  CHECK(rotation.broken.empty());
  CHECK(states_of(admin) == "retired:0? active:3 ");
  CHECK_FALSE(must(admin.vault_status()).is_rotating);
  CHECK(bytes_of(rig.key_file()) != old_key);
  CHECK_FALSE(fs::exists(rig.next_file()));
  CHECK(opening(*catalog, 3) == 3);
  Secret line;
  must(before->open_key(line));
  CHECK(line.expose_secret() == "Authorization: Bearer " + secret_of(0));
  must(admin.add_endpoint(settings_of("later"), canary));
  catalog.reset();
  const auto again = rig.open();
  CHECK(opening(*again, 3) == 3);
  CHECK(line_of(*again, "later") == "Authorization: Bearer " + std::string(canary));
  // The old key opens nothing any more.
  const auto old_source = KeySource::file(rig.folder.write("old.key", old_key));
  CHECK(code_of(Catalog::open(still({.store = rig.folder.store(), .master_key = old_source}))) ==
        "vault_kek_wrong");
  CHECK(must(Admin(again, "local").rotate_master()).version == 3);
}

TEST_CASE("a rotation with keys of the caller's own", "[catalog]") {
  const CatalogFolder folder;
  must(create_store({.path = folder.store(), .master_key = key_of('a')}));
  const auto catalog = open_catalog({.store = folder.store(), .master_key = key_of('a')});
  fill(catalog, 3);
  Admin admin(catalog, "local");
  CHECK(code_of(admin.rotate_master()) == "vault_no_key");
  CHECK(code_of(admin.rotate_master(key_of('a'))) == "vault_no_change");
  CHECK(code_of(admin.rotate_master(KeySource::callback(
            [] { return Result<Secret>(Secret::copy_of("short")); }))) == "vault_key_format");
  CHECK(must(admin.rotate_master(key_of('b'))).rewrapped == 3);
  CHECK(opening(*catalog, 3) == 3);
  CHECK(code_of(Catalog::open(still({.store = folder.store(), .master_key = key_of('a')}))) ==
        "vault_kek_wrong");
  const auto again = open_catalog({.store = folder.store(), .master_key = key_of('b')});
  CHECK(opening(*again, 3) == 3);
  CHECK_FALSE(fs::exists(folder.store() + ".key.new"));
}

TEST_CASE("a key in use is not retired", "[catalog]") {
  const Rig rig(1);
  Admin admin(rig.open(), "local");
  CHECK(code_of(admin.retire_master(1)) == "vault_version_in_use");
  CHECK(code_of(admin.retire_master(9)) == "vault_kek_wrong");
  must(admin.rotate_master());
  CHECK(code_of(admin.retire_master(1)) == "ok");
}

TEST_CASE("another process goes on working through a rotation", "[catalog]") {
  const Rig rig(3);
  const auto other = rig.open();
  must(Admin(rig.open(), "local").rotate_master());
  CHECK(opening(*other, 3) == 3);
  must(other->poll());
  CHECK(opening(*other, 3) == 3);
  CHECK(other->health().broken_endpoints.empty());
  must(Admin(other, "local").add_endpoint(settings_of("later"), canary));
  CHECK(states_of(Admin(other, "local")) == "retired:0? active:4 ");
}

TEST_CASE("another process without the new key keeps what it has", "[catalog]") {
  const CatalogFolder folder;
  must(create_store({.path = folder.store(), .master_key = key_of('a')}));
  Notices notices;
  const auto catalog = open_catalog({.store = folder.store(), .master_key = key_of('a')});
  fill(catalog, 3);
  const auto other = open_catalog(
      {.store = folder.store(), .master_key = key_of('a'), .on_notice = notices.hear()});
  Admin admin(catalog, "local");
  must(admin.rotate_master(key_of('b')));
  must(admin.add_endpoint(settings_of("later")));
  must(admin.add_endpoint(settings_of("sealed"), canary));
  CHECK(code_of(other->poll()) == "vault_kek_wrong");
  CHECK(code_of(other->poll()) == "vault_kek_wrong");
  CHECK(opening(*other, 3) == 3);
  CHECK(line_of(*other, "later") == "no key");
  CHECK(line_of(*other, "sealed") != "absent");
  CHECK(other->health().broken_endpoints == std::vector<std::string>{"sealed"});
  CHECK(notices.all().size() == 2);
  CHECK(code_of(Admin(other, "local").add_endpoint(settings_of("more"), canary)) != "ok");
}

TEST_CASE("a change that meets another master key is tried with it", "[catalog]") {
  const Rig rig(1);
  const auto other = rig.open();
  must(Admin(rig.open(), "local").rotate_master());
  // `other` has not looked yet.
  must(Admin(other, "local").add_endpoint(settings_of("later"), canary));
  CHECK(line_of(*other, "later") == "Authorization: Bearer " + std::string(canary));
}

TEST_CASE("a record that does not open keeps the old key, and is named", "[catalog]") {
  const Rig rig(3);
  {
    auto store = must(store::RegistryStore::open(rig.folder.store()));
    const auto row = must(store.find_endpoint("local", "end-1")).value();
    auto key = must(store.find_sealed_key(row.id, "key")).value();
    key.sealed[110] = static_cast<char>(key.sealed[110] ^ 4);
    must(store.reseal_key(key));
  }
  const auto catalog = rig.open();
  Admin admin(catalog, "local");
  for (int turn = 0; turn < 2; ++turn) {
    const MasterRotation rotation = must(admin.rotate_master());
    CHECK(rotation.version == 2);
    REQUIRE(rotation.broken.size() == 1);
    CHECK(rotation.broken[0].slug == "end-1");
    CHECK(rotation.broken[0].error.code() == ErrorCode::vault_ciphertext_corrupt);
    CHECK(states_of(admin) == "outgoing:1 active:2 ");
    CHECK(fs::exists(rig.next_file()));
    CHECK(must(admin.vault_status()).is_rotating);
  }
  must(admin.rotate_key("end-1", secret_of(1)));
  must(admin.rotate_master());
  CHECK(states_of(admin) == "retired:0? active:3 ");
  CHECK_FALSE(fs::exists(rig.next_file()));
  CHECK(opening(*catalog, 3) == 3);
}

/// What a kill leaves behind, made by hand: the steps between the writes of the store.
TEST_CASE("a rotation that was killed between its steps is finished by the next", "[catalog]") {
  const Rig rig(3);
  const auto finish = [&](const char* states) {
    auto catalog = rig.open();
    CHECK(opening(*catalog, 3) == 3);
    must(Admin(catalog, "local").rotate_master());
    CHECK(states_of(Admin(catalog, "local")) == states);
    CHECK_FALSE(fs::exists(rig.next_file()));
    catalog.reset();
    CHECK(opening(*rig.open(), 3) == 3);
  };
  SECTION("while the new key file was written") {
    rig.folder.write("byway.db.key.new", "0123");
    finish("retired:0? active:3 ");
  }
  SECTION("before the store heard of the new key") {
    const std::string key = std::string(64, '7') + "\n";
    rig.folder.write("byway.db.key.new", key);
    finish("retired:0? active:3 ");
    CHECK(bytes_of(rig.key_file()) == key);
  }
  SECTION("after the incoming row") {
    rig.folder.write("byway.db.key.new", std::string(32, 'n'));
    auto store = must(store::RegistryStore::open(rig.folder.store()));
    must(store.insert_master_key(must(CatalogKeys::make_row(Secret::copy_of(std::string(32, 'n')),
                                                            store::MasterKeyState::incoming))));
    finish("retired:0? active:3 ");
    CHECK(bytes_of(rig.key_file()) == std::string(32, 'n'));
  }
  SECTION("after the incoming row, its key lost") {
    auto store = must(store::RegistryStore::open(rig.folder.store()));
    must(store.insert_master_key(must(CatalogKeys::make_row(Secret::copy_of(std::string(32, 'n')),
                                                            store::MasterKeyState::incoming))));
    finish("retired:0? retired:0? active:3 ");
  }
  SECTION("after the activation") {
    rig.folder.write("byway.db.key.new", std::string(32, 'n'));
    auto store = must(store::RegistryStore::open(rig.folder.store()));
    const auto version = must(store.insert_master_key(must(CatalogKeys::make_row(
        Secret::copy_of(std::string(32, 'n')), store::MasterKeyState::incoming))));
    must(store.activate_master_key(version));
    finish("retired:0? active:3 ");
  }
  SECTION("before the rename") {
    const std::string old_key = bytes_of(rig.key_file());
    must(Admin(rig.open(), "local").rotate_master());
    fs::rename(rig.key_file(), rig.next_file());
    rig.folder.write("byway.db.key", old_key);
    finish("retired:0? active:3 ");
    CHECK(bytes_of(rig.key_file()) != old_key);
  }
}

TEST_CASE("a killed rotation with the caller's keys needs both", "[catalog]") {
  const CatalogFolder folder;
  must(create_store({.path = folder.store(), .master_key = key_of('a')}));
  fill(open_catalog({.store = folder.store(), .master_key = key_of('a')}), 2);
  {
    auto store = must(store::RegistryStore::open(folder.store()));
    const auto version = must(store.insert_master_key(must(CatalogKeys::make_row(
        Secret::copy_of(std::string(32, 'b')), store::MasterKeyState::incoming))));
    must(store.activate_master_key(version));
  }
  for (const char fill_of_open : {'a', 'b'}) {
    const auto catalog =
        open_catalog({.store = folder.store(), .master_key = key_of(fill_of_open)});
    CHECK(opening(*catalog, 2) == (fill_of_open == 'a' ? 2 : 0));
    CHECK(code_of(Admin(catalog, "local").rotate_master(key_of('c'))) == "vault_kek_wrong");
  }
  SECTION("opened with the old key") {
    const auto catalog = open_catalog({.store = folder.store(), .master_key = key_of('a')});
    CHECK(must(Admin(catalog, "local").rotate_master(key_of('b'))).version == 2);
    CHECK(opening(*catalog, 2) == 2);
  }
  SECTION("opened with the new key") {
    const auto catalog = open_catalog({.store = folder.store(), .master_key = key_of('b')});
    CHECK(must(Admin(catalog, "local").rotate_master(key_of('a'))).version == 2);
    CHECK(opening(*catalog, 2) == 2);
  }
}

// SQLite lets its system calls be replaced; counting the writes kills at the same place each time.
int writes_left = -1;
int writes_done = 0;

void count_write() {
  ++writes_done;
  if (writes_left >= 0 && writes_left-- == 0) ::kill(::getpid(), SIGKILL);
}
ssize_t counted_pwrite(int fd, const void* bytes, size_t size, off_t at) {
  count_write();
  return ::pwrite(fd, bytes, size, at);
}
ssize_t counted_write(int fd, const void* bytes, size_t size) {
  count_write();
  return ::write(fd, bytes, size);
}
int counted_truncate(int fd, off_t size) {
  count_write();
  return ::ftruncate(fd, size);
}

void count_writes(int until_kill) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
  const auto set = [&](const char* name, auto* function) {
    vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(function));
  };
  set("pwrite", counted_pwrite);
  set("pwrite64", counted_pwrite);
  set("write", counted_write);
  set("ftruncate", counted_truncate);
  writes_left = until_kill;
  writes_done = 0;
}

/// Rotates in a child that dies at the given write.
int rotate_in_child(const std::string& store, int until_kill) {
  return in_child([&] {
    count_writes(until_kill);
    const auto catalog = Catalog::open(still({.store = store}));
    if (!catalog) return 1;
    if (!Admin(*catalog, "local").rotate_master()) return 2;
    return 0;
  });
}

int writes_of_rotation(const std::string& store) {
  const std::string count = store + ".count";
  const int status = in_child([&] {
    count_writes(-1);
    {
      const auto catalog = Catalog::open(still({.store = store}));
      if (!catalog || !Admin(*catalog, "local").rotate_master()) return 1;
    }
    std::ofstream(count) << writes_done;
    return 0;
  });
  REQUIRE(status == 0);
  const int writes = std::stoi(bytes_of(count));
  fs::remove(count);
  return writes;
}

/// Copies of one store, each killed at another write: all records open, and the rotation ends.
void kill_at_many_writes(int records, int kills) {
  const Rig rig(records);
  const std::string copy = rig.folder / "copy/byway.db";
  const auto make_copy = [&] {
    fs::remove_all(rig.folder / "copy");
    fs::create_directory(rig.folder / "copy");
    fs::copy_file(rig.folder.store(), copy);
    fs::copy_file(rig.key_file(), copy + ".key");
  };
  make_copy();
  const int writes = writes_of_rotation(copy);
  INFO("writes " << writes);
  REQUIRE(writes > 20);
  for (int kill = 0; kill < kills; ++kill) {
    const int at = (2 * kill + 1) * writes / (2 * kills);
    INFO("killed at write " << at);
    make_copy();
    REQUIRE(rotate_in_child(copy, at) == -SIGKILL);
    auto catalog = open_catalog({.store = copy});
    CHECK(opening(*catalog, records) == records);
    const MasterRotation rotation = must(Admin(catalog, "local").rotate_master());
    CHECK(rotation.broken.empty());
    CHECK(opening(*catalog, records) == records);
    const VaultCheck check = must(Admin(catalog, "local").check_vault());
    CHECK(check.records == static_cast<std::size_t>(records));
    CHECK(check.broken.empty());
    CHECK_FALSE(must(Admin(catalog, "local").vault_status()).is_rotating);
    CHECK_FALSE(fs::exists(copy + ".key.new"));
    catalog.reset();
    CHECK(code_of(Catalog::open(still({.store = copy}))) == "ok");
  }
}

// BYWAY_TEST_THOROUGH=1 kills at every write of a small store and at 100 of the large one.
bool is_thorough() {
  return std::getenv("BYWAY_TEST_THOROUGH") != nullptr;
}

TEST_CASE("killed at any write of a rotation, all records open", "[catalog]") {
  kill_at_many_writes(20, is_thorough() ? 400 : 40);
}

TEST_CASE("killed in a rotation of 10,000 records, 10,000 of 10,000 open", "[catalog]") {
  kill_at_many_writes(10'000, is_thorough() ? 100 : 2);
}

}  // namespace
}  // namespace byway::router
