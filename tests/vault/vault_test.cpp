#include "vault/vault.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "fixtures.hpp"

namespace byway::vault {
namespace {

void fill(Vault& vault, std::uint64_t wraps = 0) {
  vault.add(master_key('a', 1), wraps);
  vault.add(master_key('b', 2), wraps);
  REQUIRE(vault.activate(1));
}

TEST_CASE("a vault without keys seals and opens nothing") {
  Vault vault;
  const std::string sealed = seal(master_key('a', 1), home, upstream_secret).value();
  CHECK(code_of(vault.seal(home, upstream_secret)) == "vault_no_key");
  CHECK(code_of(vault.open(home, sealed)) == "vault_no_key");
  CHECK(code_of(vault.activate(1)) == "vault_kek_wrong");
  CHECK_FALSE(vault.active_version());
}

TEST_CASE("a vault seals under the active key and opens under all") {
  Vault vault;
  fill(vault);
  const std::string first = vault.seal(home, upstream_secret).value();
  REQUIRE(vault.activate(2));
  const std::string second = vault.seal(home, Secret::copy_of(upstream_secret)).value();
  CHECK(read_header(first).value().kek_version == 1);
  CHECK(read_header(second).value().kek_version == 2);
  for (const std::string& sealed : {first, second}) {
    CHECK((vault.open(home, sealed).value().expose_secret() == upstream_secret));
    CHECK((vault.unlock(sealed).value().open(home, sealed).value().expose_secret() ==
           upstream_secret));
  }
  CHECK(vault.versions() == std::vector<std::uint32_t>{1, 2});
  CHECK(vault.active_version() == 2);
}

TEST_CASE("a box of a key that is not here names its version") {
  Vault vault;
  fill(vault);
  const std::string sealed = seal(master_key('c', 9), home, upstream_secret).value();
  const Result<Secret> opened = vault.open(home, sealed);
  CHECK(code_of(opened) == "vault_kek_wrong");
  CHECK(opened.error().message().find("version 9") != std::string::npos);
  vault.add(master_key('c', 3));
  CHECK(vault.open(home, sealed).has_value());
}

TEST_CASE("a key that is removed opens and seals no more") {
  Vault vault;
  fill(vault);
  const std::string sealed = vault.seal(home, upstream_secret).value();
  vault.remove(1);
  vault.remove(1);
  CHECK(code_of(vault.open(home, sealed)) == "vault_kek_wrong");
  CHECK(code_of(vault.seal(home, upstream_secret)) == "vault_no_key");
  CHECK_FALSE(vault.active_version());
}

TEST_CASE("a re-wrap keeps the secret and its place and changes the key") {
  Vault vault;
  fill(vault);
  const std::string before = vault.seal(home, upstream_secret).value();
  const std::string after = vault.rewrap(home, before, 2).value();
  CHECK(read_header(after).value().kek_version == 2);
  CHECK(vault.wraps(2) == 1);
  Binding elsewhere = home;
  elsewhere.slug = "other";
  CHECK(code_of(vault.rewrap(elsewhere, before, 2)) == "vault_ciphertext_corrupt");
  CHECK(code_of(vault.open(elsewhere, after)) == "vault_ciphertext_corrupt");
  CHECK(code_of(vault.rewrap(home, before, 7)) == "vault_kek_wrong");
  vault.remove(1);
  CHECK((vault.open(home, after).value().expose_secret() == upstream_secret));
}

TEST_CASE("a master key is refused at 0.9 x 2^32 seals, and the count goes on from the store's") {
  Vault vault;
  fill(vault, wraps_max - 2);
  const std::string sealed = vault.seal(home, upstream_secret).value();
  CHECK(vault.seal(home, upstream_secret).has_value());
  CHECK(vault.wraps(1) == wraps_max);
  CHECK(code_of(vault.seal(home, upstream_secret)) == "vault_wrap_limit");
  CHECK(vault.rewrap(home, sealed, 2).has_value());
  CHECK(vault.rewrap(home, sealed, 2).has_value());
  CHECK(code_of(vault.rewrap(home, sealed, 2)) == "vault_wrap_limit");
  CHECK(vault.wraps(1) == wraps_max);
  CHECK(vault.open(home, sealed).has_value());
  CHECK(wraps_max == (std::uint64_t{1} << 32) / 10 * 9 + 5);
  CHECK(vault.wraps(5) == 0);
}

TEST_CASE("a wrong master key is found by the check record (B04)") {
  const MasterKey key = master_key('a', 1);
  const std::string record = make_check_record(key).value();
  CHECK(verify_check_record(key, record).has_value());
  CHECK(code_of(verify_check_record(master_key('b', 1), record)) == "vault_kek_wrong");
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    std::string flipped = record;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    CHECK(code_of(verify_check_record(key, flipped)) == "vault_ciphertext_corrupt");
  }
  CHECK(code_of(verify_check_record(key, "")) == "vault_ciphertext_corrupt");
  const std::string sealed = seal(key, home, upstream_secret).value();
  CHECK(code_of(verify_check_record(key, sealed)) == "vault_ciphertext_corrupt");
}

TEST_CASE("a vault is used by many threads while keys come and go") {
  Vault vault;
  fill(vault);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int count = 0; count < 4; ++count) {
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        const Result<std::string> sealed = vault.seal(home, upstream_secret);
        if (!sealed || !vault.open(home, *sealed)) ++wrong;
      }
    });
  }
  for (std::uint32_t round = 0; round < 50; ++round) {
    vault.add(master_key('c', 3));
    if (!vault.activate(1 + round % 3)) ++wrong;
    if (!vault.activate(1)) ++wrong;
    if (vault.versions().size() != 3) ++wrong;
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(vault.wraps(1) + vault.wraps(2) + vault.wraps(3) >= 350);
}

}  // namespace
}  // namespace byway::vault
