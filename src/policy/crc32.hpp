// Crc32: the checksum that tells a mistyped customer key without a look at any record.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace byway::policy {

namespace detail {
constexpr std::array<std::uint32_t, 256> crc32_table() noexcept {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0xEDB88320U : 0U);
    table[byte] = rest;
  }
  return table;
}
inline constexpr auto crc32_of_byte = crc32_table();
}  // namespace detail

/// CRC-32 as in ISO 3309 and zip: reflected, polynomial 0x04C11DB7.
constexpr std::uint32_t crc32(std::string_view bytes) noexcept {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ detail::crc32_of_byte[(crc ^ static_cast<unsigned char>(byte)) & 0xFFU];
  }
  return ~crc;
}

}  // namespace byway::policy
