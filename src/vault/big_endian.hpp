// Numbers as bytes, most significant first.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace byway::vault {

template <std::unsigned_integral Number>
void append_big_endian(std::string& out, Number value) {
  for (std::size_t byte = sizeof(value); byte-- > 0;) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * byte)));
  }
}

/// From exactly four bytes.
constexpr std::uint32_t read_big_endian(std::string_view bytes) noexcept {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace byway::vault
