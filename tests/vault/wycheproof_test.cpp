// The vectors of C2SP/wycheproof, read from beside the checkout.
#include <simdjson.h>

#include <filesystem>
#include <functional>
#include <string>

#include "base/digest.hpp"
#include "catch.hpp"
#include "fixtures.hpp"

namespace byway::vault {
namespace {

using simdjson::dom::element;

std::string unhex(element test, const char* field) {
  const std::string_view text = test[field].get_string().value();
  std::string bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(text.substr(at, 2)), nullptr, 16)));
  }
  return bytes;
}

/// Runs `check` on each test of the groups that `wants` takes; gives their number, 0 when the file
/// is not there.
int run(const std::string& file, const std::function<bool(element)>& wants,
        const std::function<void(element group, element test, bool is_valid)>& check) {
  const std::string path = BYWAY_SHARED_DIR "/data/wycheproof/" + file;
  if (!std::filesystem::exists(path)) {
    WARN("skipped: there is no " << path);
    return 0;
  }
  simdjson::dom::parser parser;
  const element document = parser.load(path).value();
  int count = 0;
  const simdjson::dom::array groups = document["testGroups"];
  for (const element group : groups) {
    if (!wants(group)) continue;
    const simdjson::dom::array tests = group["tests"];
    for (const element test : tests) {
      INFO(file << " test " << test["tcId"].get_int64().value());
      check(group, test, test["result"].get_string().value() == "valid");
      ++count;
    }
  }
  return count;
}

std::int64_t number(element group, const char* field) {
  return group[field].get_int64().value();
}

TEST_CASE("AES-256-GCM behaves on the Wycheproof vectors with 96-bit nonces") {
  const auto wants = [](element group) {
    return number(group, "keySize") == 256 && number(group, "ivSize") == 96 &&
           number(group, "tagSize") == 128;
  };
  const int count = run("aes_gcm_test.json", wants, [](element, element test, bool is_valid) {
    const std::string key = unhex(test, "key");
    const std::string nonce = unhex(test, "iv");
    const std::string additional = unhex(test, "aad");
    const std::string message = unhex(test, "msg");
    const std::string sealed = unhex(test, "ct") + unhex(test, "tag");
    std::string out(sealed.size() - 16, '?');
    CHECK(raw::decrypt(key, nonce, additional, sealed, out.data()) == is_valid);
    CHECK(out == (is_valid ? message : std::string(out.size(), '\0')));
    std::string made(message.size() + 16, '?');
    REQUIRE(raw::encrypt(key, nonce, additional, message, made.data()));
    CHECK((made == sealed) == is_valid);
  });
  CHECK((count == 0 || count >= 66));
}

TEST_CASE("HKDF-SHA-512 behaves on the Wycheproof vectors") {
  run(
      "hkdf_sha512_test.json", [](element) { return true; },
      [](element, element test, bool is_valid) {
        std::string out(static_cast<std::size_t>(number(test, "size")), '\0');
        const base::Hkdf derivation(unhex(test, "ikm"), unhex(test, "salt"));
        if (is_valid) {
          derivation.expand(unhex(test, "info"), out.data(), out.size());
          CHECK(out == unhex(test, "okm"));
        } else {
          CHECK_THROWS_AS(derivation.expand(unhex(test, "info"), out.data(), out.size()),
                          ResultError);
        }
      });
}

TEST_CASE("HMAC-SHA-256 behaves on the Wycheproof vectors") {
  run(
      "hmac_sha256_test.json", [](element) { return true; },
      [](element group, element test, bool is_valid) {
        const base::Sha256 code = base::hmac_sha256(unhex(test, "key"), unhex(test, "msg"));
        const std::size_t size = static_cast<std::size_t>(number(group, "tagSize")) / 8;
        const std::string_view made(reinterpret_cast<const char*>(code.data()), size);
        CHECK(base::is_equal(made, unhex(test, "tag")) == is_valid);
      });
}

}  // namespace
}  // namespace byway::vault
