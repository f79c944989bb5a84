#include "vault/binding.hpp"

#include <array>
#include <cstdint>
#include <random>
#include <string>

#include "catch.hpp"
#include "fixtures.hpp"

namespace byway::vault {
namespace {

/// A Binding that owns its words.
struct Place {
  std::array<std::string, 5> words;
  std::uint64_t generation = 0;

  Binding binding() const { return {words[0], words[1], words[2], words[3], words[4], generation}; }
  bool operator==(const Place&) const = default;
};

std::string some_word(std::mt19937& random) {
  static const std::string letters = std::string("ab:/.-\0A ", 9);
  std::string word(random() % 6, ' ');
  for (char& letter : word) letter = letters[random() % letters.size()];
  return word;
}

Place some_place(std::mt19937& random) {
  Place place;
  for (std::string& word : place.words) word = some_word(random);
  place.generation = random() % 4;
  return place;
}

/// Another place that looks like this one as much as it can.
Place moved(Place place, std::mt19937& random) {
  const Place before = place;
  while (place == before) {
    std::string& word = place.words[random() % 5];
    std::string& other = place.words[random() % 5];
    switch (random() % 8) {
      case 0: word = some_word(random); break;
      case 1: std::swap(word, other); break;
      case 2: word.push_back('\0'); break;
      case 3: word.insert(0, " "); break;
      case 4: place.generation ^= std::uint64_t{1} << random() % 64; break;
      case 5: word.clear(); break;
      case 6:  // the last letter becomes the first one of another word
        if (word.empty() || &word == &other) break;
        other.insert(other.begin(), word.back());
        word.pop_back();
        break;
      default:
        if (!word.empty()) word[random() % word.size()] ^= 0x20;
    }
  }
  return place;
}

TEST_CASE("a box moved to any other place does not open, 10,000 cases (B07)") {
  std::mt19937 random(20240817);
  const MasterKey key = master_key('a', 1);
  std::string encoded, encoded_other;
  int opened = 0, opened_elsewhere = 0, equal_encodings = 0;
  for (int count = 0; count < 10'000; ++count) {
    const Place place = some_place(random);
    const Place other = moved(place, random);
    const std::string sealed = seal(key, place.binding(), upstream_secret).value();
    const RecordKey record_key = unlock(key, sealed).value();
    if (record_key.open(place.binding(), sealed)) ++opened;
    const Result<Secret> elsewhere = record_key.open(other.binding(), sealed);
    if (code_of(elsewhere) != "vault_ciphertext_corrupt") ++opened_elsewhere;
    encode_binding(place.binding(), 1, encoded);
    encode_binding(other.binding(), 1, encoded_other);
    if (encoded == encoded_other) ++equal_encodings;
  }
  CHECK(opened == 10'000);
  CHECK(opened_elsewhere == 0);
  CHECK(equal_encodings == 0);
}

TEST_CASE("each field of the place is bound") {
  const MasterKey key = master_key('a', 1);
  const std::string sealed = seal(key, home, upstream_secret).value();
  const RecordKey record_key = unlock(key, sealed).value();
  REQUIRE(record_key.open(home, sealed));
  const auto opens_with = [&](auto change) {
    Binding changed = home;
    change(changed);
    return code_of(record_key.open(changed, sealed));
  };
  const std::string corrupt = "vault_ciphertext_corrupt";
  CHECK(opens_with([](Binding& b) { b.org = "other"; }) == corrupt);
  CHECK(opens_with([](Binding& b) { b.slug = "my-vllm2"; }) == corrupt);
  CHECK(opens_with([](Binding& b) { b.origin = "http://models.example:8443"; }) == corrupt);
  CHECK(opens_with([](Binding& b) { b.origin = "https://models.example"; }) == corrupt);
  CHECK(opens_with([](Binding& b) { b.field = "client_key"; }) == corrupt);
  CHECK(opens_with([](Binding& b) { b.record_id = ""; }) == corrupt);
  CHECK(opens_with([](Binding& b) { b.generation = 8; }) == corrupt);
  CHECK(opens_with([](Binding& b) { std::swap(b.org, b.slug); }) == corrupt);
}

TEST_CASE("the encoding of a place is fixed, because boxes outlive versions") {
  std::string encoded;
  encode_binding({"o", "s", "", "key", "r", 0x0102}, 5, encoded);
  const char expected[] =
      "\x01\0\0\0\x01\x01"
      "\x02\0\0\0\x01o"
      "\x03\0\0\0\x01s"
      "\x04\0\0\0\0"
      "\x05\0\0\0\x03key"
      "\x06\0\0\0\x01r"
      "\x07\0\0\0\x08\0\0\0\0\0\0\x01\x02"
      "\x08\0\0\0\x04\0\0\0\x05";
  CHECK((encoded == std::string(expected, sizeof(expected) - 1)));
}

}  // namespace
}  // namespace byway::vault
