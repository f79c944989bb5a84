// Finds bytes of small sets, sixteen or sixty-four at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace byway::wire {

using ByteBlock = unsigned char __attribute__((vector_size(16)));

/// One bit for each byte of a comparison's result that is all ones, the first byte's lowest.
template <class Comparison>
inline unsigned bits_of(Comparison comparison) noexcept {
  static_assert(sizeof(Comparison) == sizeof(ByteBlock));
#ifdef __SSE2__
  return static_cast<unsigned>(_mm_movemask_epi8(reinterpret_cast<__m128i>(comparison)));
#else
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
#endif
}

inline ByteBlock block_at(const char* at) noexcept {
  ByteBlock block;
  std::memcpy(&block, at, sizeof block);
  return block;
}

/// The first byte from `at` for which `matches` holds, `end` for none. `matches` is called with a
/// block, and must then compare byte by byte, or with one unsigned char.
template <class Matches>
inline const char* find_byte(const char* at, const char* end, Matches matches) noexcept {
  while (end - at >= 16) {
    const unsigned bits = bits_of(matches(block_at(at)));
    if (bits != 0) return at + std::countr_zero(bits);
    at += 16;
    // What is not short is long: two blocks at a time, until one of them has it.
    while (end - at >= 32 && bits_of(matches(block_at(at)) | matches(block_at(at + 16))) == 0) {
      at += 32;
    }
  }
  while (at != end && !matches(static_cast<unsigned char>(*at))) ++at;
  return at;
}

/// Sixty-four bytes, to be asked for sets of them.
class WideBlock {
 public:
  static constexpr std::ptrdiff_t size = 64;

  /// The bytes from `at`, zeros after `end`.
  WideBlock(const char* at, const char* end) noexcept {
    if (end - at >= size) {
      std::memcpy(parts_, at, sizeof parts_);
    } else {
      std::memset(parts_, 0, sizeof parts_);
      std::memcpy(parts_, at, static_cast<std::size_t>(end - at));
    }
  }

  /// One bit for each byte for which `matches` holds, the first byte's lowest.
  template <class Matches>
  std::uint64_t bits(Matches matches) const noexcept {
    return std::uint64_t{bits_of(matches(parts_[0]))} |
           std::uint64_t{bits_of(matches(parts_[1]))} << 16 |
           std::uint64_t{bits_of(matches(parts_[2]))} << 32 |
           std::uint64_t{bits_of(matches(parts_[3]))} << 48;
  }

 private:
  ByteBlock parts_[4];
};

}  // namespace byway::wire
