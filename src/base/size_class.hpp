// Size classes: the sizes that blocks of memory are rounded up to.
#pragma once

#include <bit>
#include <cstddef>

namespace byway::base {

constexpr std::size_t classes = 48;

/// Steps of 16 bytes up to 128, then four steps for each doubling, up to 128 KiB.
constexpr std::size_t class_of(std::size_t size) noexcept {
  if (size <= 128) return size == 0 ? 0 : (size - 1) / 16;
  const std::size_t last = size - 1;
  const auto log = static_cast<std::size_t>(std::bit_width(last)) - 1;
  return 8 + (log - 7) * 4 + ((last >> (log - 2)) & 3);
}
constexpr std::size_t size_of(std::size_t size_class) noexcept {
  if (size_class < 8) return (size_class + 1) * 16;
  return (5 + size_class % 4) << ((size_class - 8) / 4 + 5);
}
static_assert(class_of(128) == 7 && class_of(129) == 8 && size_of(8) == 160 && size_of(11) == 256);
static_assert(class_of(16385) == class_of(20480) && class_of(20480) + 1 == class_of(20481));
static_assert(size_of(classes - 1) == 128 << 10 && class_of(128 << 10) == classes - 1);

}  // namespace byway::base
