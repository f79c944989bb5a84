// Crc32: the checksum that tells a mistyped customer key without a look at any record.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace byway::policy {

namespace detail {
/// Of a byte that is followed by 0 to 7 zeros: eight bytes are looked up at once, since one after
/// the other each would wait for the one before.
using Crc32Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Crc32Tables crc32_tables() noexcept {
  Crc32Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0xEDB88320U : 0U);
    tables[0][byte] = rest;
  }
  for (std::size_t zeros = 1; zeros < tables.size(); ++zeros) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[zeros - 1][byte];
      tables[zeros][byte] = (before >> 8) ^ tables[0][before & 0xFFU];
    }
  }
  return tables;
}
inline constexpr Crc32Tables crc32_of_byte = crc32_tables();
}  // namespace detail

/// CRC-32 as in ISO 3309 and zip: reflected, polynomial 0x04C11DB7.
constexpr std::uint32_t crc32(std::string_view bytes) noexcept {
  const auto& tables = detail::crc32_of_byte;
  std::uint32_t crc = 0xFFFFFFFFU;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint32_t next = 0;
    for (std::size_t at = 0; at < 8; ++at) {
      const std::uint32_t before = at < 4 ? crc >> (8 * at) : 0;
      next ^= tables[7 - at][(before ^ static_cast<unsigned char>(bytes[at])) & 0xFFU];
    }
    crc = next;
  }
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(byte)) & 0xFFU];
  }
  return ~crc;
}

}  // namespace byway::policy
