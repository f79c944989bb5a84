// The commitment attack (B10): one AES-GCM ciphertext that opens under two keys.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "catch.hpp"
#include "fixtures.hpp"

namespace byway::vault {
namespace {

/// An element of GF(2^128) in the bit order of NIST SP 800-38D.
struct Element {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  Element operator^(Element other) const { return {high ^ other.high, low ^ other.low}; }

  Element operator*(Element other) const {
    Element product;
    for (int bit = 0; bit < 128; ++bit) {
      const std::uint64_t half = bit < 64 ? high : low;
      if ((half >> (63 - bit % 64) & 1) != 0) product = product ^ other;
      const bool is_odd = (other.low & 1) != 0;
      other.low = other.low >> 1 | other.high << 63;
      other.high = other.high >> 1 ^ (is_odd ? 0xe100000000000000U : 0);
    }
    return product;
  }

  Element power(unsigned exponent) const {
    Element result = {std::uint64_t{1} << 63, 0};
    for (; exponent > 0; --exponent) result = result * *this;
    return result;
  }

  /// x^(2^128 - 2).
  Element inverse() const {
    Element result = {std::uint64_t{1} << 63, 0};
    Element square = *this;
    for (int bit = 1; bit < 128; ++bit) {
      square = square * square;
      result = result * square;
    }
    return result;
  }

  static Element read(std::string_view bytes) {
    std::array<std::uint64_t, 2> halves = {};
    for (std::size_t at = 0; at < 16; ++at) {
      const auto byte = at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
      halves[at / 8] = halves[at / 8] << 8 | byte;
    }
    return {halves[0], halves[1]};
  }

  std::string bytes() const {
    std::string out;
    for (const std::uint64_t half : {high, low}) {
      for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(half >> shift));
    }
    return out;
  }
};

/// What GCM makes of a record key, learned through its tags alone.
struct Forger {
  std::string key;
  Element mask;      // what is added to the hash to give the tag
  Element hash_key;  // H

  Forger(const MasterKey& master, std::string_view salt, std::string_view nonce) {
    key.resize(32);
    base::Hkdf(master.key().expose_secret(), salt).expand("seal", key.data(), key.size());
    char tag[16];
    raw::encrypt(key, nonce, {}, {}, tag);
    mask = Element::read({tag, 16});  // the hash of nothing is zero
    raw::encrypt(key, nonce, std::string(16, '\0'), {}, tag);
    const Element lengths = {128, 0};  // the hash of one zero block is lengths x H
    hash_key = (Element::read({tag, 16}) ^ mask) * lengths.inverse();
  }
};

struct Forgery {
  std::string ciphertext;
  Element tag;
};

/// A ciphertext of two blocks whose tag is the same under both keys: its second block solves the
/// one linear equation between the two tags.
Forgery forge(const Forger& first, const Forger& second, const std::string& additional) {
  std::vector<Element> blocks;
  for (std::size_t at = 0; at < additional.size(); at += 16) {
    blocks.push_back(Element::read(std::string_view(additional).substr(at, 16)));
  }
  blocks.push_back(Element::read("any first block!"));
  blocks.push_back({});  // the block to solve for
  blocks.push_back({additional.size() * 8, 32 * 8});
  const auto hash = [&](const Forger& forger) {
    Element sum;
    for (const Element block : blocks) sum = (sum ^ block) * forger.hash_key;
    return sum ^ forger.mask;
  };
  const Element difference = hash(first) ^ hash(second);
  const Element factor = first.hash_key.power(2) ^ second.hash_key.power(2);
  blocks[blocks.size() - 2] = difference * factor.inverse();
  return {"any first block!" + blocks[blocks.size() - 2].bytes(), hash(first)};
}

TEST_CASE("a box made to open under two master keys opens under one at most (B10)") {
  const MasterKey first = master_key('a', 1);
  const MasterKey second = master_key('b', 1);
  const std::string honest = seal(first, home, std::string(32, 'x')).value();
  const SealedHeader header = read_header(honest).value();
  const Forger first_forger(first, header.salt, header.nonce);
  const Forger second_forger(second, header.salt, header.nonce);
  std::string additional;
  encode_binding(home, 1, additional);
  const Forgery forgery = forge(first_forger, second_forger, additional);
  const std::string body = forgery.ciphertext + forgery.tag.bytes();

  // The attack is real: AES-GCM alone opens it under both keys, to two different texts.
  std::string first_text(32, '\0'), second_text(32, '\0');
  REQUIRE(raw::decrypt(first_forger.key, header.nonce, additional, body, first_text.data()));
  REQUIRE(raw::decrypt(second_forger.key, header.nonce, additional, body, second_text.data()));
  REQUIRE(first_text != second_text);

  const std::string box = honest.substr(0, header_size) + body;
  CHECK(unlock(first, box).value().open(home, box).has_value());
  std::string for_second = box;
  for_second.replace(6, 16, second.id_view());
  CHECK(code_of(unlock(second, box)) == "vault_kek_wrong");
  CHECK(code_of(unlock(second, for_second)) == "vault_ciphertext_corrupt");
}

}  // namespace
}  // namespace byway::vault
