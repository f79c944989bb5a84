#include "policy/customer_key.hpp"

#include <regex>
#include <set>
#include <string>

#include "catch.hpp"
#include "policy/crc32.hpp"

namespace byway::policy {
namespace {

std::string mint(std::string_view prefix = "bw", KeyMode mode = KeyMode::live,
                 std::string_view id = "0123456789ABCDef") {
  return std::string(mint_customer_key(prefix, mode, id).expose_secret());
}

TEST_CASE("the checksum is zip's CRC-32", "[customer_key]") {
  CHECK(crc32("") == 0);
  CHECK(crc32("123456789") == 0xCBF43926);
  CHECK(crc32("The quick brown fox jumps over the lazy dog") == 0x414FA339);
}

TEST_CASE("a minted key has the documented form and reads back", "[customer_key]") {
  const std::regex form("^bw_(live|test)_[0-9A-Za-z]{16}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$");
  for (const KeyMode mode : {KeyMode::live, KeyMode::test}) {
    const std::string key = mint("bw", mode);
    CHECK(std::regex_match(key, form));
    const auto read = parse_customer_key(key, "bw");
    REQUIRE(read);
    CHECK(read->id == "0123456789ABCDef");
    CHECK(read->mode == mode);
  }
  CHECK(parse_customer_key(mint("acme9"), "acme9"));
}

TEST_CASE("a key is only of its own prefix", "[customer_key]") {
  CHECK_FALSE(parse_customer_key(mint("bw"), "bx"));
  CHECK_FALSE(parse_customer_key(mint("bw"), "bww"));
  CHECK_FALSE(parse_customer_key(mint("acme"), "bw"));
}

TEST_CASE("one changed byte anywhere is no key", "[customer_key]") {
  const std::string key = mint();
  for (std::size_t at = 0; at < key.size(); ++at) {
    for (const char byte : {'0', 'z', '_', ' ', '\0', '\x80'}) {
      if (key[at] == byte) continue;
      std::string wrong = key;
      wrong[at] = byte;
      CHECK_FALSE(parse_customer_key(wrong, "bw"));
    }
  }
}

TEST_CASE("nonsense of every length is no key", "[customer_key]") {
  const std::string key = mint();
  for (std::size_t size = 0; size < key.size(); ++size) {
    CHECK_FALSE(parse_customer_key(std::string_view(key).substr(0, size), "bw"));
  }
  CHECK_FALSE(parse_customer_key(key + "0", "bw"));
  CHECK_FALSE(parse_customer_key("' OR '1'='1", "bw"));
  CHECK_FALSE(parse_customer_key(std::string(1 << 20, 'a'), "bw"));
  CHECK_FALSE(parse_customer_key("\xff\xfe", "bw"));
}

TEST_CASE("ids and secrets do not repeat", "[customer_key]") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = make_key_id();
    CHECK(is_key_id(id));
    CHECK(seen.insert(id).second);
    CHECK(seen.insert(mint().substr(25, 43)).second);
  }
}

TEST_CASE("a prefix is a short word", "[customer_key]") {
  for (const char* good : {"bw", "a", "acme2", "abcdefghijklmnop"}) CHECK(is_key_prefix(good));
  for (const char* bad : {"", "2a", "Bw", "b_w", "b-w", "abcdefghijklmnopq"}) {
    CHECK_FALSE(is_key_prefix(bad));
  }
}

}  // namespace
}  // namespace byway::policy
