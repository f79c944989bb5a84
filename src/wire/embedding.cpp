#include "wire/embedding.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <string>

namespace byway::wire {
namespace {

/// By byte: the six bits it means, 64 for none.
constexpr std::array<std::uint8_t, 256> make_alphabet() {
  std::array<std::uint8_t, 256> bits{};
  bits.fill(64);
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t index = 0; index < letters.size(); ++index) {
    bits[static_cast<unsigned char>(letters[index])] = static_cast<std::uint8_t>(index);
  }
  return bits;
}

constexpr std::array<std::uint8_t, 256> alphabet = make_alphabet();

float number_of(std::string_view text) noexcept {
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? value : static_cast<float>(double_of(text));
}

}  // namespace

bool append_base64_floats(std::string_view text, std::vector<float>& vector) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1 || text.size() * 3 / 4 % 4 != 0) return false;
  vector.reserve(vector.size() + text.size() * 3 / 16);
  std::uint32_t bits = 0;
  int bit_count = 0;
  std::uint32_t word = 0;
  int byte_count = 0;
  for (const char letter : text) {
    const std::uint8_t six = alphabet[static_cast<unsigned char>(letter)];
    if (six == 64) return false;
    bits = bits << 6 | six;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    word |= (bits >> bit_count & 0xFF) << (8 * byte_count);
    if (++byte_count < 4) continue;
    vector.push_back(std::bit_cast<float>(word));
    word = 0;
    byte_count = 0;
  }
  return true;
}

bool read_embedding(JsonCursor& cursor, std::vector<float>& vector) {
  vector.clear();
  bool is_good = true;
  if (cursor.peek() == JsonKind::array) {
    cursor.enter_array();
    while (cursor.next_element()) {
      is_good = is_good && cursor.peek() == JsonKind::number;
      vector.push_back(number_of(cursor.skip()));
    }
  } else if (const auto text = cursor.string_or_skip()) {
    std::string scratch;
    is_good = append_base64_floats(text->text(scratch), vector);
  } else {
    is_good = false;
  }
  is_good = is_good && cursor.is_good();
  if (!is_good) vector.clear();
  return is_good;
}

}  // namespace byway::wire
