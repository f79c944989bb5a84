#include "registry/base64.hpp"

#include <cstdint>

namespace byway::registry {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0u;
}

}  // namespace

std::string base64_of(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::uint32_t group =
        byte_at(bytes, at) << 16 | byte_at(bytes, at + 1) << 8 | byte_at(bytes, at + 2);
    for (int digit = 0; digit < 4; ++digit) {
      const bool is_padding = at + static_cast<std::size_t>(digit) > bytes.size();
      text += is_padding ? '=' : alphabet[group >> (18 - 6 * digit) & 63];
    }
  }
  return text;
}

std::optional<std::string> bytes_of_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char byte : text.substr(0, text.find('='))) {
    const std::size_t digit = alphabet.find(byte);
    if (digit == std::string_view::npos) return {};
    group = group << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(group >> bits & 0xff);
  }
  // Padding and unused bits have one spelling only: the one that encoding gives.
  if (base64_of(bytes) != text) return {};
  return bytes;
}

}  // namespace byway::registry
