#include "vault/passphrase.hpp"

#include <sys/stat.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include <byway/vault.hpp>

#include "catch.hpp"
#include "fixtures.hpp"

namespace byway::vault {
namespace {

const std::string salt_text = "000102030405060708090a0b0c0d0e0f";

TEST_CASE("a passphrase under 12 characters is refused (B01)") {
  const PassphraseParameters parameters = make_passphrase_parameters();
  // The last is four characters in twelve bytes.
  for (const char* weak : {"", "short", "12345678901", "\u6f22\u5b57\u6f22\u5b57"}) {
    CHECK(code_of(derive_master_key(Secret::copy_of(weak), parameters)) == "vault_weak_passphrase");
  }
}

TEST_CASE("absurd parameters are refused at once (B09)") {
  struct Row {
    std::string text;
    std::string code;
  };
  const std::string range = "vault_kdf_params_out_of_range";
  const std::string format = "vault_key_format";
  const Row rows[] = {
      {"byway-scrypt-v1 40 8 1 " + salt_text, range},
      {"byway-scrypt-v1 64 8 1 " + salt_text, range},
      {"byway-scrypt-v1 4294967295 8 1 " + salt_text, range},
      {"byway-scrypt-v1 99999999999999999999 8 1 " + salt_text, range},
      {"byway-scrypt-v1 21 8 1 " + salt_text, range},
      {"byway-scrypt-v1 16 8 1 " + salt_text, range},
      {"byway-scrypt-v1 0 8 1 " + salt_text, range},
      {"byway-scrypt-v1 17 0 1 " + salt_text, range},
      {"byway-scrypt-v1 17 7 1 " + salt_text, range},
      {"byway-scrypt-v1 17 1073741824 1 " + salt_text, range},
      {"byway-scrypt-v1 17 8 0 " + salt_text, range},
      {"byway-scrypt-v1 17 8 9 " + salt_text, range},
      {"byway-scrypt-v1 20 8 2 " + salt_text, range},
      {"byway-scrypt-v1 17 8 1 ", range},
      {"byway-scrypt-v1 17 8 1 0011", range},
      {"byway-scrypt-v1 17 8 1 " + std::string(130, 'a'), range},
      {"byway-scrypt-v1 17 8 1 " + salt_text + "0", format},
      {"byway-scrypt-v1 17 8 1 " + salt_text + "zz", format},
      {"byway-scrypt-v1 17 8 1 " + salt_text + "\n\n", format},
      {"byway-scrypt-v1 17 8 " + salt_text, format},
      {"byway-scrypt-v1 -1 8 1 " + salt_text, format},
      {"byway-scrypt-v1  17 8 1 " + salt_text, format},
      {"byway-scrypt-v2 17 8 1 " + salt_text, format},
      {"", format},
  };
  const Secret passphrase = Secret::copy_of("correct horse battery");
  for (const Row& row : rows) {
    INFO(row.text);
    CHECK(code_of(parse_passphrase_parameters(row.text)) == row.code);
  }
  const auto start = std::chrono::steady_clock::now();
  const PassphraseParameters absurd = {{40, 8, 1}, std::string(16, 's')};
  CHECK(code_of(derive_master_key(passphrase, absurd)) == range);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::milliseconds(10));
}

TEST_CASE("parameters are read back as they were written") {
  for (const base::ScryptCost cost :
       {base::ScryptCost{17, 8, 1}, base::ScryptCost{17, 8, 8}, base::ScryptCost{20, 8, 1}}) {
    PassphraseParameters parameters = make_passphrase_parameters();
    parameters.cost = cost;
    const PassphraseParameters read = parse_passphrase_parameters(to_text(parameters)).value();
    CHECK(read.salt == parameters.salt);
    CHECK(read.cost.log2_n == cost.log2_n);
    CHECK(read.cost.r == cost.r);
    CHECK(read.cost.p == cost.p);
  }
  CHECK(make_passphrase_parameters().salt != make_passphrase_parameters().salt);
}

TEST_CASE("a passphrase gives the same key again, and another salt another key") {
  const Folder folder;
  REQUIRE(write_passphrase_file(folder / "one"));
  REQUIRE(write_passphrase_file(folder / "two"));
  const auto ask = []() -> Result<Secret> { return Secret::copy_of("correct horse battery"); };
  const Secret key = KeySource::passphrase(ask, folder / "one").load().value();
  CHECK(key.size() == 32);
  CHECK((KeySource::passphrase(ask, folder / "one").load().value() == key));
  CHECK_FALSE((KeySource::passphrase(ask, folder / "two").load().value() == key));
}

TEST_CASE("a passphrase source fails by what is wrong") {
  const Folder folder;
  const auto ask = []() -> Result<Secret> { return Secret::copy_of("too short"); };
  CHECK(code_of(KeySource::passphrase(ask, folder / "none").load()) == "vault_no_key");
  REQUIRE(write_passphrase_file(folder / "file"));
  CHECK(code_of(write_passphrase_file(folder / "file")) == "store_exists");
  CHECK(code_of(KeySource::passphrase(ask, folder / "file").load()) == "vault_weak_passphrase");
  CHECK(code_of(KeySource::passphrase({}, folder / "file").load()) == "vault_no_key");
  const auto refuse = []() -> Result<Secret> { return Error(ErrorCode::request_cancelled, "no"); };
  CHECK(code_of(KeySource::passphrase(refuse, folder / "file").load()) == "request_cancelled");
  REQUIRE(::chmod((folder / "file").c_str(), 0644) == 0);
  CHECK(code_of(KeySource::passphrase(ask, folder / "file").load()) == "vault_file_permissions");
}

}  // namespace
}  // namespace byway::vault
