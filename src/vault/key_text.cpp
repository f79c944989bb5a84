#include "vault/key_text.hpp"

#include <cstddef>
#include <cstdint>

#include "vault/master_key.hpp"

namespace byway::vault {
namespace {

Error not_a_key() {
  return Error(
      ErrorCode::vault_key_format,
      "the master key is not 64 hex digits or base64 of 32 bytes (a key file may also hold "
      "exactly 32 bytes)");
}

int hex_value(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

int base64_value(char digit) noexcept {
  if (digit >= 'A' && digit <= 'Z') return digit - 'A';
  if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
  if (digit >= '0' && digit <= '9') return digit - '0' + 52;
  if (digit == '+' || digit == '-') return 62;
  if (digit == '/' || digit == '_') return 63;
  return -1;
}

/// Reads digits of `bits` bits into `out`; false for a wrong digit or a bit set beyond the end.
bool decode(std::string_view text, unsigned bits, int (*value_of)(char), Secret& out) noexcept {
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  std::size_t at = 0;
  for (const char digit : text) {
    const int value = value_of(digit);
    if (value < 0) return false;
    pending = pending << bits | static_cast<std::uint32_t>(value);
    pending_bits += bits;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    out.mutable_bytes()[at++] = static_cast<char>(pending >> pending_bits);
    pending &= (1U << pending_bits) - 1;
  }
  return pending == 0 && at == out.size();
}

}  // namespace

Result<Secret> key_from_text(std::string_view text) {
  constexpr std::size_t hex_size = 2 * master_key_size;
  constexpr std::size_t base64_size = 43;
  Secret key = Secret::zeros(master_key_size);
  if (text.size() == hex_size) {
    if (!decode(text, 4, hex_value, key)) return not_a_key();
    return key;
  }
  if (text.size() == base64_size + 1 && text.back() == '=') text.remove_suffix(1);
  if (text.size() != base64_size || !decode(text, 6, base64_value, key)) return not_a_key();
  return key;
}

Result<Secret> key_from_content(std::string_view content) {
  if (content.size() == master_key_size) return Secret::copy_of(content);
  if (content.ends_with('\n')) content.remove_suffix(1);
  if (content.ends_with('\r')) content.remove_suffix(1);
  return key_from_text(content);
}

Secret key_to_line(const Secret& key) {
  static constexpr char digits[] = "0123456789abcdef";
  Secret line = Secret::zeros(2 * key.size() + 1);
  char* out = line.mutable_bytes();
  for (const char byte : key.expose_secret()) {
    *out++ = digits[static_cast<unsigned char>(byte) >> 4];
    *out++ = digits[static_cast<unsigned char>(byte) & 15];
  }
  *out = '\n';
  return line;
}

}  // namespace byway::vault
