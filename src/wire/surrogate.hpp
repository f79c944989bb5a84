// Code units of JSON's \uXXXX escapes, and the halves of a surrogate pair (RFC 8259 section 7).
#pragma once

namespace byway::wire {

inline int hex_value(char byte) noexcept {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

/// The code unit of four hexadecimal digits, or -1.
inline int code_unit(const char* digits) noexcept {
  int unit = 0;
  for (int index = 0; index < 4; ++index) {
    const int digit = hex_value(digits[index]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

inline bool is_high_surrogate(unsigned unit) noexcept {
  return unit >= 0xD800 && unit <= 0xDBFF;
}

inline bool is_low_surrogate(unsigned unit) noexcept {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

}  // namespace byway::wire
