#include <byway/vault.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>

#include "catch.hpp"
#include "fixtures.hpp"

namespace byway::vault {
namespace {

const std::string hex_key = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
const std::string base64_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

std::string counting_key() {
  std::string key;
  for (int byte = 0; byte < 32; ++byte) key.push_back(static_cast<char>(byte));
  return key;
}

std::string put(const std::string& path, const std::string& content, mode_t mode = 0600) {
  std::ofstream(path, std::ios::binary) << content;
  ::chmod(path.c_str(), mode);
  return path;
}

TEST_CASE("a key file of 32 bytes or of one line gives the key") {
  const Folder folder;
  std::string bytes(32, '\n');
  bytes[5] = '\0';
  struct Row {
    std::string content;
    std::string key;
  };
  const Row rows[] = {
      {bytes, bytes},
      {hex_key.substr(0, 32), hex_key.substr(0, 32)},
      {hex_key, counting_key()},
      {hex_key + "\n", counting_key()},
      {hex_key + "\r\n", counting_key()},
      {base64_key, counting_key()},
      {base64_key + "\n", counting_key()},
      {base64_key.substr(0, 43), counting_key()},
      {std::string(42, '_') + "8=", std::string(32, '\xff')},
      {std::string(42, '/') + "8", std::string(32, '\xff')},
  };
  for (const Row& row : rows) {
    const std::string path = put(folder / "key", row.content);
    const Result<Secret> key = KeySource::file(path).load();
    REQUIRE(key);
    CHECK((key->expose_secret() == row.key));
    ::unlink(path.c_str());
  }
  put(folder / "read-only", hex_key, 0400);
  CHECK(KeySource::file(folder / "read-only").load().has_value());
}

TEST_CASE("a key file of another length or with a wrong digit is no key (B03)") {
  const Folder folder;
  const std::string contents[] = {
      "",
      "\n",
      std::string(31, 'k'),
      std::string(33, 'k'),
      std::string(32, 'k') + "\n",
      hex_key.substr(1),
      hex_key + "0",
      hex_key + " ",
      " " + hex_key,
      hex_key + "\n\n",
      hex_key + "\n" + hex_key,
      "g" + hex_key.substr(1),
      "0x" + hex_key.substr(2),
      base64_key + "=",
      "*" + base64_key.substr(1),
      base64_key.substr(0, 42) + "9=",
      std::string(44, '='),
      "key = " + base64_key,
      std::string(100'000, 'a'),
  };
  for (const std::string& content : contents) {
    const std::string path = put(folder / "key", content);
    const Result<Secret> key = KeySource::file(path).load();
    INFO(content.size() << " bytes");
    CHECK(code_of(key) == "vault_key_format");
    CHECK(key.error().message().find("0102") == std::string::npos);
    ::unlink(path.c_str());
  }
}

TEST_CASE("a key file that others may read, or that is no plain file, is refused (B02)") {
  const Folder folder;
  for (const mode_t mode : {0644U, 0640U, 0604U, 0660U, 0610U, 0601U, 0666U, 0704U}) {
    put(folder / "open", hex_key, mode);
    INFO("mode " << std::oct << mode);
    CHECK(code_of(KeySource::file(folder / "open").load()) == "vault_file_permissions");
  }
  put(folder / "good", hex_key);
  REQUIRE(::symlink((folder / "good").c_str(), (folder / "link").c_str()) == 0);
  REQUIRE(::symlink((folder / "nowhere").c_str(), (folder / "dangling").c_str()) == 0);
  REQUIRE(::mkdir((folder / "folder").c_str(), 0700) == 0);
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (folder / "socket").c_str(), sizeof(address.sun_path) - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  for (const char* name : {"link", "dangling", "folder", "fifo", "socket"}) {
    INFO(name);
    CHECK(code_of(KeySource::file(folder / name).load()) == "vault_file_permissions");
  }
  ::close(socket);
  CHECK(code_of(KeySource::file("/dev/zero").load()) == "vault_file_permissions");
}

TEST_CASE("a key file of another user is refused (B02)") {
  if (::geteuid() != 0) {
    WARN("skipped: only root can give a file to another user");
    return;
  }
  const Folder folder;
  put(folder / "key", hex_key);
  REQUIRE(::chown((folder / "key").c_str(), 65534, 65534) == 0);
  CHECK(code_of(KeySource::file(folder / "key").load()) == "vault_file_permissions");
}

TEST_CASE("a key file that is not there is no key") {
  const Folder folder;
  put(folder / "file", hex_key);
  CHECK(code_of(KeySource::file(folder / "none").load()) == "vault_no_key");
  CHECK(code_of(KeySource::file(folder / "file/below").load()) == "vault_no_key");
  CHECK(code_of(KeySource::file("").load()) == "vault_no_key");
}

TEST_CASE("an environment variable gives a key as hex or base64") {
  const KeySource source = KeySource::environment("BYWAY_TEST_MASTER_KEY");
  ::unsetenv("BYWAY_TEST_MASTER_KEY");
  CHECK(code_of(source.load()) == "vault_no_key");
  ::setenv("BYWAY_TEST_MASTER_KEY", "", 1);
  CHECK(code_of(source.load()) == "vault_no_key");
  for (const std::string& text : {hex_key, base64_key}) {
    ::setenv("BYWAY_TEST_MASTER_KEY", text.c_str(), 1);
    CHECK((source.load().value().expose_secret() == counting_key()));
  }
  for (const std::string& text : {std::string("password"), std::string(32, 'k'), hex_key + "\n"}) {
    ::setenv("BYWAY_TEST_MASTER_KEY", text.c_str(), 1);
    CHECK(code_of(source.load()) == "vault_key_format");
  }
  ::unsetenv("BYWAY_TEST_MASTER_KEY");
}

TEST_CASE("an application gives its own key") {
  const auto giving = [](std::size_t size) {
    return KeySource::callback([size]() -> Result<Secret> { return Secret::zeros(size); });
  };
  CHECK(giving(32).load().value().size() == 32);
  CHECK(code_of(giving(31).load()) == "vault_key_format");
  CHECK(code_of(giving(0).load()) == "vault_key_format");
  CHECK(code_of(giving(64).load()) == "vault_key_format");
  CHECK(code_of(KeySource::callback({}).load()) == "vault_no_key");
  const auto failing = []() -> Result<Secret> {
    return Error(ErrorCode::net_ssrf_blocked, "the key service is not reachable");
  };
  CHECK(code_of(KeySource::callback(failing).load()) == "net_ssrf_blocked");
  const auto throwing = []() -> Result<Secret> { throw std::runtime_error("sk-canary"); };
  const Result<Secret> thrown = KeySource::callback(throwing).load();
  CHECK(code_of(thrown) == "vault_no_key");
  CHECK(thrown.error().message().find("canary") == std::string::npos);
}

TEST_CASE("a source that names nothing gives no key") {
  const KeySource none;
  CHECK_FALSE(none.is_given());
  CHECK(code_of(none.load()) == "vault_no_key");
  CHECK(KeySource::file("x").is_given());
}

TEST_CASE("a new key file is private, reads back and is never overwritten") {
  const Folder folder;
  const std::string path = folder / "byway.key";
  const Secret key = generate_master_key();
  const mode_t before = ::umask(0777);
  const Result<void> written = write_key_file(path, key);
  ::umask(before);
  REQUIRE(written);
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0600);
  CHECK((KeySource::file(path).load().value() == key));

  CHECK(code_of(write_key_file(path, generate_master_key())) == "store_exists");
  CHECK((KeySource::file(path).load().value() == key));
  REQUIRE(::symlink((folder / "target").c_str(), (folder / "link").c_str()) == 0);
  CHECK(code_of(write_key_file(folder / "link", key)) == "store_exists");
  CHECK(code_of(write_key_file(folder / "no/such/folder", key)) == "store_io_error");
  CHECK(code_of(write_key_file(folder / "short", Secret::zeros(31))) == "vault_key_format");
  CHECK(::access((folder / "short").c_str(), F_OK) != 0);
}

TEST_CASE("generated keys are 32 bytes and differ") {
  const Secret first = generate_master_key();
  CHECK(first.size() == 32);
  CHECK_FALSE((first == generate_master_key()));
  CHECK_FALSE((first == Secret::zeros(32)));
}

}  // namespace
}  // namespace byway::vault
