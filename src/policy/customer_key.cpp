#include "policy/customer_key.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include "base/digest.hpp"
#include "policy/crc32.hpp"

namespace byway::policy {
namespace {

constexpr std::size_t mode_size = 4;
constexpr std::size_t secret_size = 43;
constexpr std::size_t crc_size = 6;
constexpr std::size_t body_size = 1 + mode_size + 1 + key_id_size + 1 + secret_size + 1 + crc_size;
constexpr std::string_view digits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t id_random_size = 32;

constexpr std::array<bool, 256> digit_table() noexcept {
  std::array<bool, 256> table{};
  for (const char digit : digits) table[static_cast<unsigned char>(digit)] = true;
  return table;
}
constexpr std::array<bool, 256> is_digit_of = digit_table();

bool is_digit(char byte) noexcept {
  return is_digit_of[static_cast<unsigned char>(byte)];
}

bool are_digits(std::string_view text) noexcept {
  bool all = true;
  for (const char byte : text) all &= is_digit(byte);
  return all;
}

/// `number`, big-endian, in base 62 with exactly `size` digits; `number` is zero afterwards.
template <std::size_t count>
void write_base62(std::array<unsigned char, count>& number, char* out, std::size_t size) {
  for (std::size_t at = size; at-- > 0;) {
    unsigned rest = 0;
    for (unsigned char& byte : number) {
      const unsigned value = rest << 8 | byte;
      byte = static_cast<unsigned char>(value / 62);
      rest = value % 62;
    }
    out[at] = digits[rest];
  }
}

void write_crc(std::string_view text, char* out) {
  std::uint32_t crc = crc32(text);
  for (std::size_t at = crc_size; at-- > 0; crc /= 62) out[at] = digits[crc % 62];
}

}  // namespace

bool is_key_prefix(std::string_view text) noexcept {
  if (text.empty() || text.size() > 16 || text.front() < 'a' || text.front() > 'z') return false;
  for (const char byte : text) {
    if (!is_digit(byte) || (byte >= 'A' && byte <= 'Z')) return false;
  }
  return true;
}

bool is_key_id(std::string_view text) noexcept {
  return text.size() == key_id_size && are_digits(text);
}

std::optional<CustomerKeyText> parse_customer_key(std::string_view text,
                                                  std::string_view prefix) noexcept {
  if (text.size() != prefix.size() + body_size) return {};
  const std::size_t mode_at = prefix.size() + 1;
  const std::size_t id_at = mode_at + mode_size + 1;
  const std::size_t secret_at = id_at + key_id_size + 1;
  const std::size_t crc_at = secret_at + secret_size + 1;
  const std::string_view mode = text.substr(mode_at, mode_size);
  CustomerKeyText key{text.substr(id_at, key_id_size),
                      mode == "test" ? KeyMode::test : KeyMode::live};
  bool is_good = text.starts_with(prefix);
  for (const std::size_t at : {mode_at, id_at, secret_at, crc_at}) {
    is_good = text[at - 1] == '_' && is_good;
  }
  is_good = (mode == "live" || mode == "test") && is_good;
  is_good = are_digits(key.id) && is_good;
  is_good = are_digits(text.substr(secret_at, secret_size)) && is_good;
  std::array<char, crc_size> crc;
  write_crc(text.substr(0, crc_at - 1), crc.data());
  is_good = text.substr(crc_at) == std::string_view(crc.data(), crc.size()) && is_good;
  if (!is_good) return {};
  return key;
}

std::string make_key_id() {
  std::array<unsigned char, id_random_size> number;
  base::random_bytes(number.data(), number.size());
  std::string id(key_id_size, '0');
  write_base62(number, id.data(), id.size());
  return id;
}

Secret mint_customer_key(std::string_view prefix, KeyMode mode, std::string_view id) {
  Secret key = Secret::zeros(prefix.size() + body_size);
  char* out = key.mutable_bytes();
  const auto put = [&](std::string_view text) {
    std::memcpy(out, text.data(), text.size());
    out += text.size();
  };
  put(prefix);
  put(mode == KeyMode::test ? "_test_" : "_live_");
  put(id);
  put("_");
  std::array<unsigned char, 32> random;
  base::random_bytes(random.data(), random.size());
  write_base62(random, out, secret_size);
  base::wipe(random.data(), random.size());
  out += secret_size;
  write_crc({key.mutable_bytes(), static_cast<std::size_t>(out - key.mutable_bytes())}, out + 1);
  *out = '_';
  return key;
}

}  // namespace byway::policy
