// Code units of JSON's \uXXXX escapes, and the halves of a surrogate pair (RFC 8259 section 7).
#pragma once

#include <array>
#include <cstddef>

namespace byway::wire {

/// What a hexadecimal digit is worth, -1 for another byte.
inline constexpr std::array<signed char, 256> hex_values = [] {
  std::array<signed char, 256> values{};
  for (signed char& value : values) value = -1;
  for (std::size_t digit = 0; digit < 10; ++digit) {
    values['0' + digit] = static_cast<signed char>(digit);
  }
  for (std::size_t digit = 0; digit < 6; ++digit) {
    values['a' + digit] = values['A' + digit] = static_cast<signed char>(10 + digit);
  }
  return values;
}();

/// The code unit of four hexadecimal digits; negative when they are not.
inline int code_unit(const char* digits) noexcept {
  const auto value = [digits](int index) -> int {
    return hex_values[static_cast<unsigned char>(digits[index])];
  };
  // A negative one keeps its sign through all of this.
  return value(0) * 4096 | value(1) * 256 | value(2) * 16 | value(3);
}

inline bool is_high_surrogate(unsigned unit) noexcept {
  return unit >= 0xD800 && unit <= 0xDBFF;
}

inline bool is_low_surrogate(unsigned unit) noexcept {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

}  // namespace byway::wire
