#include "vault/sealed_box.hpp"

#include <cstring>
#include <set>
#include <string>

#include "base/memory_look.hpp"
#include "catch.hpp"
#include "fixtures.hpp"
#include "vault/vault.hpp"

namespace byway::vault {
namespace {

std::string sealed_under(const MasterKey& key) {
  return seal(key, home, upstream_secret).value();
}

TEST_CASE("what was sealed opens again, whatever its length") {
  const MasterKey key = master_key('a', 3);
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 60U, 200U, 8192U, 65536U}) {
    const std::string secret(size, 's');
    const std::string sealed = seal(key, home, secret).value();
    CHECK(sealed.size() == size + sealed_overhead);
    const RecordKey record_key = unlock(key, sealed).value();
    CHECK((record_key.open(home, sealed).value().expose_secret() == secret));
    CHECK((record_key.clone().open(home, sealed).value().expose_secret() == secret));
  }
  CHECK(code_of(seal(key, home, std::string(65537, 's'))) == "vault_secret_invalid");
}

TEST_CASE("a box says its format, its key and its version") {
  const MasterKey key = master_key('a', 0x01020304);
  const std::string sealed = sealed_under(key);
  CHECK(sealed.substr(0, 6) == "BYWV\x01\x01");
  CHECK(sealed.substr(6, 16) == key.id_view());
  CHECK(sealed.substr(22, 4) == "\x01\x02\x03\x04");
  const SealedHeader header = read_header(sealed).value();
  CHECK(header.kek_id == key.id_view());
  CHECK(header.kek_version == 0x01020304);
  CHECK(header.salt == sealed.substr(26, 32));
  CHECK(header.commitment == sealed.substr(58, 32));
  CHECK(header.nonce == sealed.substr(90, 12));
}

TEST_CASE("two seals of one secret share nothing but the header's fixed part") {
  const MasterKey key = master_key('a', 1);
  std::set<std::string> salts, commitments, nonces, ciphertexts, tags;
  for (int count = 0; count < 200; ++count) {
    const std::string sealed = sealed_under(key);
    salts.insert(sealed.substr(26, 32));
    commitments.insert(sealed.substr(58, 32));
    nonces.insert(sealed.substr(90, 12));
    ciphertexts.insert(sealed.substr(102, upstream_secret.size()));
    tags.insert(sealed.substr(sealed.size() - 16));
  }
  for (const auto& parts : {salts, commitments, nonces, ciphertexts, tags}) {
    CHECK(parts.size() == 200);
  }
}

TEST_CASE("a box with one flipped bit anywhere is corrupt (B06)") {
  Vault vault;
  vault.add(master_key('a', 1));
  vault.add(master_key('b', 2));
  const std::string sealed = sealed_under(master_key('a', 1));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string flipped = sealed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    INFO("bit " << bit % 8 << " of byte " << bit / 8);
    CHECK(code_of(vault.open(home, flipped)) == "vault_ciphertext_corrupt");
  }
}

TEST_CASE("a box cut at any byte is corrupt, and so is a longer one (B05)") {
  const MasterKey key = master_key('a', 1);
  const std::string sealed = sealed_under(key);
  const RecordKey record_key = unlock(key, sealed).value();
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    const std::string cut = sealed.substr(0, size);
    Result<RecordKey> unlocked = unlock(key, cut);
    INFO("cut to " << size);
    CHECK(code_of(record_key.open(home, cut)) == "vault_ciphertext_corrupt");
    if (size < sealed_overhead) CHECK(code_of(unlocked) == "vault_ciphertext_corrupt");
    if (unlocked) CHECK(code_of(unlocked->open(home, cut)) == "vault_ciphertext_corrupt");
  }
  CHECK(code_of(record_key.open(home, sealed + '\0')) == "vault_ciphertext_corrupt");
  CHECK(code_of(record_key.open(home, sealed + sealed)) == "vault_ciphertext_corrupt");
  const std::string endless = sealed + std::string(1 << 20, 'x');
  CHECK(code_of(record_key.open(home, endless)) == "vault_ciphertext_corrupt");
}

TEST_CASE("an unknown format, algorithm or newer version is named as such (B08)") {
  const MasterKey key = master_key('a', 1);
  const std::string sealed = sealed_under(key);
  struct Row {
    std::size_t at;
    std::string bytes;
  };
  const Row rows[] = {
      {0, "vlt1"},     {0, std::string(6, '\0')},
      {4, "\x02"},     {4, "\x04"},
      {4, "\x07"},     {4, "\xff"},
      {5, "\x02"},     {5, "\x07"},
      {5, "\xff"},     {4, "\x02\x02"},
      {0, "age-"},     {0, "{\"key\""},
      {0, "sk-plain"},
  };
  for (const Row& row : rows) {
    std::string changed = sealed;
    changed.replace(row.at, row.bytes.size(), row.bytes);
    CHECK(code_of(unlock(key, changed)) == "vault_unknown_format");
    CHECK(code_of(unlock(key, sealed).value().open(home, changed)) == "vault_unknown_format");
    CHECK(code_of(unlock(key, changed.substr(0, 20))) == "vault_unknown_format");
  }
}

TEST_CASE("another master key is told from damage") {
  const std::string sealed = sealed_under(master_key('a', 1));
  CHECK(code_of(unlock(master_key('b', 1), sealed)) == "vault_kek_wrong");
  std::string renamed = sealed;
  renamed.replace(6, 16, master_key('b', 1).id_view());
  CHECK(code_of(unlock(master_key('b', 1), renamed)) == "vault_ciphertext_corrupt");
  CHECK(code_of(unlock(master_key('a', 1), renamed)) == "vault_ciphertext_corrupt");
}

TEST_CASE("the version in a box is authenticated, but need not be that of the key") {
  const std::string sealed = sealed_under(master_key('a', 1));
  const MasterKey renumbered = master_key('a', 9);
  CHECK(unlock(renumbered, sealed).value().open(home, sealed).has_value());
  std::string changed = sealed;
  changed[25] = 9;
  CHECK(code_of(unlock(renumbered, changed).value().open(home, changed)) ==
        "vault_ciphertext_corrupt");
}

TEST_CASE("a record key opens no other record") {
  const MasterKey key = master_key('a', 1);
  const std::string first = sealed_under(key);
  const std::string second = sealed_under(key);
  CHECK(code_of(unlock(key, first).value().open(home, second)) == "vault_ciphertext_corrupt");
}

TEST_CASE("a secret opens into memory of the caller, which is wiped on failure") {
  const MasterKey key = master_key('a', 1);
  const std::string sealed = sealed_under(key);
  const RecordKey record_key = unlock(key, sealed).value();
  Secret memory = Secret::zeros(100);
  CHECK(record_key.open_into(home, sealed, memory.mutable_bytes(), 100).value() ==
        upstream_secret.size());
  CHECK((memory.expose_secret().substr(0, upstream_secret.size()) == upstream_secret));

  std::string changed = sealed;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  CHECK(code_of(record_key.open_into(home, changed, memory.mutable_bytes(), 100)) ==
        "vault_ciphertext_corrupt");
  CHECK(test::is_all_zero(memory.mutable_bytes(), upstream_secret.size()));
  CHECK(code_of(record_key.open_into(home, sealed, memory.mutable_bytes(),
                                     upstream_secret.size() - 1)) == "internal_error");
}

TEST_CASE("no message of a failure holds key material") {
  const MasterKey key = master_key('a', 1);
  const std::string sealed = sealed_under(key);
  std::string changed = sealed;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  const Error errors[] = {unlock(master_key('b', 1), sealed).error(),
                          unlock(key, sealed).value().open(home, changed).error(),
                          unlock(key, sealed.substr(0, 50)).error(),
                          unlock(key, std::string(upstream_secret)).error()};
  for (const Error& error : errors) {
    CHECK(error.json().find("canary") == std::string::npos);
    CHECK(error.json().find("aaaa") == std::string::npos);
    CHECK(error.message().size() > 20);
  }
}

TEST_CASE("the name of a master key is stable and tells keys apart") {
  CHECK(master_key('a', 1).id() == master_key('a', 2).id());
  CHECK(master_key('a', 1).id() != master_key('b', 1).id());
  CHECK(code_of(MasterKey::make(Secret::zeros(31), 1)) == "vault_key_format");
  CHECK(code_of(MasterKey::make(Secret::zeros(33), 1)) == "vault_key_format");
  CHECK(code_of(MasterKey::make(Secret(), 1)) == "vault_key_format");
}

}  // namespace
}  // namespace byway::vault
