// Finds the first byte of a small set, sixteen bytes at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace byway::wire {

using ByteBlock = unsigned char __attribute__((vector_size(16)));

/// One bit for each byte of a comparison's result that is all ones, the first byte's lowest.
template <class Comparison>
inline unsigned bits_of(Comparison comparison) noexcept {
  static_assert(sizeof(Comparison) == sizeof(ByteBlock));
  using Halves = std::uint64_t __attribute__((vector_size(16)));
  const auto halves = reinterpret_cast<Halves>(comparison);
  if ((halves[0] | halves[1]) == 0) return 0;
  // Each byte keeps a bit of its own, and the product gathers them in its highest byte.
  constexpr std::uint64_t own =
      std::endian::native == std::endian::little ? 0x8040201008040201 : 0x0102040810204080;
  constexpr std::uint64_t gather = 0x0101010101010101;
  const std::uint64_t low = (halves[0] & own) * gather >> 56;
  const std::uint64_t high = (halves[1] & own) * gather >> 56;
  return static_cast<unsigned>(low | high << 8);
}

/// The first byte from `at` for which `matches` holds, `end` for none. `matches` is called with a
/// block, and must then compare byte by byte, or with one unsigned char.
template <class Matches>
inline const char* find_byte(const char* at, const char* end, Matches matches) noexcept {
  using Halves = std::uint64_t __attribute__((vector_size(16)));
  while (end - at >= 16) {
    ByteBlock block;
    std::memcpy(&block, at, sizeof block);
    const auto halves = reinterpret_cast<Halves>(matches(block));
    if ((halves[0] | halves[1]) != 0) {
      if constexpr (std::endian::native != std::endian::little) break;
      if (halves[0] != 0) return at + (std::countr_zero(halves[0]) >> 3);
      return at + 8 + (std::countr_zero(halves[1]) >> 3);
    }
    at += 16;
  }
  while (at != end && !matches(static_cast<unsigned char>(*at))) ++at;
  return at;
}

}  // namespace byway::wire
