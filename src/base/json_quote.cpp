#include "base/json_quote.hpp"

#include <cstddef>

namespace byway::base {
namespace {

bool is_continuation(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

/// Length of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 for none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t offset) {
    return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset])
                                     : static_cast<unsigned char>(0);
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return is_continuation(byte(1)) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned char low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = first == 0xED ? 0x9F : 0xBF;
    return byte(1) >= low && byte(1) <= high && is_continuation(byte(2)) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned char low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xF4 ? 0x8F : 0xBF;
    const bool good =
        byte(1) >= low && byte(1) <= high && is_continuation(byte(2)) && is_continuation(byte(3));
    return good ? 4 : 0;
  }
  return 0;
}

void append_escape(std::string& out, unsigned char byte) {
  static constexpr char digits[] = "0123456789abcdef";
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default:
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 0xF];
  }
}

}  // namespace

void append_json_quoted(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool must_escape = byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7F;
    const std::size_t length = must_escape ? 0 : sequence_length(text, at);
    if (length != 0) {
      at += length;
      continue;
    }
    out.append(text.substr(plain, at - plain));
    if (must_escape) {
      append_escape(out, byte);
    } else {
      out += "\xEF\xBF\xBD";
    }
    plain = ++at;
  }
  out.append(text.substr(plain));
  out += '"';
}

}  // namespace byway::base
