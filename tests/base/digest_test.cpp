#include "base/digest.hpp"

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <byway/result.hpp>

#include "catch.hpp"

namespace byway::base {
namespace {

std::string hex(const void* bytes, std::size_t size) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t at = 0; at < size; ++at) {
    const auto byte = static_cast<const unsigned char*>(bytes)[at];
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

template <class Digest>
std::string hex(const Digest& digest) {
  return hex(digest.data(), digest.size());
}

TEST_CASE("SHA-256 gives the digests of FIPS 180-4") {
  CHECK(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex(sha256(std::string(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("HMAC gives the codes of RFC 4231") {
  struct Row {
    std::string key;
    std::string message;
    std::string code_256;
    std::string code_512;
  };
  const Row rows[] = {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
       "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
       "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
       "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
       "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
       "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
       "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
  };
  for (const Row& row : rows) {
    CHECK(hex(hmac_sha256(row.key, row.message)) == row.code_256);
    CHECK(hex(hmac_sha512(row.key, row.message)) == row.code_512);
  }
}

TEST_CASE("HKDF expands a short output as the start of a long one and refuses too long a one") {
  const Hkdf derivation("secret", "salt");
  std::string long_output(255 * 64, '\0');
  derivation.expand("info", long_output.data(), long_output.size());
  for (const std::size_t size : {0U, 1U, 32U, 63U, 64U, 65U, 129U}) {
    std::string short_output(size, '\0');
    derivation.expand("info", short_output.data(), size);
    CHECK(short_output == long_output.substr(0, size));
  }
  std::string other(32, '\0');
  derivation.expand("other", other.data(), other.size());
  CHECK(other != long_output.substr(0, 32));
  std::string too_long(255 * 64 + 1, '\0');
  CHECK_THROWS_AS(derivation.expand("info", too_long.data(), too_long.size()), ResultError);
}

TEST_CASE("scrypt gives the keys of RFC 7914") {
  struct Row {
    std::string passphrase;
    std::string salt;
    ScryptCost cost;
    std::string key;
  };
  const Row rows[] = {
      {"",
       "",
       {4, 1, 1},
       "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
       "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"},
      {"password",
       "NaCl",
       {10, 8, 16},
       "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
       "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"},
      {"pleaseletmein",
       "SodiumChloride",
       {14, 8, 1},
       "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
       "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"},
  };
  for (const Row& row : rows) {
    char key[64];
    REQUIRE(scrypt(row.passphrase, row.salt, row.cost, key, sizeof(key)));
    CHECK(hex(key, sizeof(key)) == row.key);
  }
}

TEST_CASE("each thread digests with a context of its own") {
  const Sha256 expected = hmac_sha256("key", "message");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        sha256(std::string(static_cast<std::size_t>(round), 'x'));
        if (hmac_sha256("key", "message") != expected) ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("random bytes differ from call to call and fill everything") {
  std::string first(3 << 20, '\0');
  std::string second(3 << 20, '\0');
  random_bytes(first.data(), first.size());
  random_bytes(second.data(), second.size());
  CHECK(first != second);
  CHECK(first.substr(first.size() - 32) != std::string(32, '\0'));
}

TEST_CASE("equality looks at every byte and at the length") {
  CHECK(is_equal("", ""));
  CHECK(is_equal("abc", "abc"));
  CHECK_FALSE(is_equal("abc", "abd"));
  CHECK_FALSE(is_equal("abc", "xbc"));
  CHECK_FALSE(is_equal("abc", "ab"));
  CHECK_FALSE(is_equal("", "a"));
}

TEST_CASE("wiping leaves only zero bytes") {
  std::string text = "a key";
  wipe(text.data(), text.size());
  CHECK(text == std::string(5, '\0'));
  wipe(nullptr, 0);
}

}  // namespace
}  // namespace byway::base
