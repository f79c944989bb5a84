#include "wire/json_cursor.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "wire/byte_search.hpp"

namespace byway::wire {
namespace {

/// Bytes that end a run of plain string bytes: a quote, a backslash, a control character. Turning
/// one bit puts the quote just above the control characters, and them among themselves.
template <class Byte>
auto special(Byte byte) noexcept {
  static_assert(('"' ^ 2) == 0x20);
  return ((byte ^ 2) <= 0x20) | (byte == '\\');
}

/// What may follow a backslash, 'u' apart. Bits of a word instead of a switch, because prompts are
/// full of \n and \" in no order a branch predictor could learn.
bool is_short_escape(char byte) noexcept {
  constexpr auto bit = [](char letter) { return std::uint64_t{1} << (letter & 63); };
  constexpr std::uint64_t low = bit('"') | bit('/');
  constexpr std::uint64_t high = bit('\\') | bit('b') | bit('f') | bit('n') | bit('r') | bit('t');
  const auto value = static_cast<unsigned char>(byte);
  return value < 128 && ((value < 64 ? low : high) >> (value & 63) & 1) != 0;
}

int hex_value(char byte) noexcept {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

/// The code unit of four hexadecimal digits, or -1.
int code_unit(const char* digits) noexcept {
  int unit = 0;
  for (int index = 0; index < 4; ++index) {
    const int digit = hex_value(digits[index]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

bool is_high_surrogate(unsigned unit) noexcept {
  return unit >= 0xD800 && unit <= 0xDBFF;
}

bool is_low_surrogate(unsigned unit) noexcept {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

void append_code_point(std::string& out, unsigned point) {
  const auto byte = [&](unsigned value) { out += static_cast<char>(value); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | point >> 6);
    byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | point >> 12);
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | point >> 18);
    byte(0x80 | (point >> 12 & 0x3F));
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  }
}

/// Appends what the escape at the front of `raw` means and gives its length.
std::size_t append_escape(std::string& out, std::string_view raw) {
  switch (raw[1]) {
    case 'n': out += '\n'; return 2;
    case 't': out += '\t'; return 2;
    case 'r': out += '\r'; return 2;
    case 'b': out += '\b'; return 2;
    case 'f': out += '\f'; return 2;
    case 'u': break;
    default: out += raw[1]; return 2;
  }
  const auto first = static_cast<unsigned>(code_unit(raw.data() + 2));
  if (is_high_surrogate(first) && raw.size() >= 12 && raw[6] == '\\' && raw[7] == 'u') {
    const auto second = static_cast<unsigned>(code_unit(raw.data() + 8));
    if (is_low_surrogate(second)) {
      append_code_point(out, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
      return 12;
    }
  }
  const bool is_lone = is_high_surrogate(first) || is_low_surrogate(first);
  append_code_point(out, is_lone ? 0xFFFD : first);
  return 6;
}

}  // namespace

bool JsonString::equals(std::string_view plain) const noexcept {
  // An escape is never shorter than what it means.
  if (raw.size() < plain.size() || raw.size() > 6 * plain.size()) return false;
  std::string meant;
  append_to(meant);
  return meant == plain;
}

void JsonString::append_to(std::string& out) const {
  std::string_view rest = raw;
  while (has_escapes) {
    const std::size_t escape = rest.find('\\');
    if (escape == std::string_view::npos) break;
    out.append(rest.substr(0, escape));
    rest.remove_prefix(escape);
    rest.remove_prefix(append_escape(out, rest));
  }
  out.append(rest);
}

std::string_view JsonString::half_at_end() const noexcept {
  if (!has_escapes || raw.size() < 6) return {};
  const std::string_view last = raw.substr(raw.size() - 6);
  if (!last.starts_with("\\u")) return {};
  if (!is_high_surrogate(static_cast<unsigned>(code_unit(last.data() + 2)))) return {};
  std::size_t backslashes = 0;
  while (backslashes < raw.size() - 5 && raw[raw.size() - 6 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1 ? last : std::string_view();
}

std::string_view JsonString::text(std::string& scratch) const {
  if (!has_escapes) return raw;
  const std::size_t begin = scratch.size();
  append_to(scratch);
  return std::string_view(scratch).substr(begin);
}

bool JsonCursor::fail(JsonFault fault) noexcept {
  if (fault_ == JsonFault::none) {
    fault_ = fault;
    fault_at_ = position();
  }
  at_ = end_;
  return false;
}

bool JsonCursor::enter(char bracket) noexcept {
  if (!take(bracket)) return false;
  if (++depth_ > depth_max) return fail(JsonFault::too_deep);
  is_first_ = true;
  return true;
}

bool JsonCursor::enter_object() noexcept {
  return enter('{');
}

bool JsonCursor::enter_array() noexcept {
  return enter('[');
}

bool JsonCursor::enter_object_or_skip() noexcept {
  if (peek() == JsonKind::object) return enter('{');
  skip();
  return false;
}

bool JsonCursor::enter_array_or_skip() noexcept {
  if (peek() == JsonKind::array) return enter('[');
  skip();
  return false;
}

bool JsonCursor::take_string(JsonString& string) noexcept {
  if (at_ == end_ || *at_ != '"') return fail();
  const char* begin = at_ + 1;
  const char* at = find_byte(begin, end_, [](auto byte) { return special(byte); });
  string.has_escapes = false;
  at_ = at;
  if (at == end_ || *at != '"') return take_escapes(begin, string);
  string.raw = std::string_view(begin, static_cast<std::size_t>(at - begin));
  ++at_;
  return true;
}

/// The rest of a string that began at `begin`, from its first byte that is not plain.
bool JsonCursor::take_escapes(const char* begin, JsonString& string) noexcept {
  string.has_escapes = at_ != end_ && *at_ == '\\';
  while (at_ != end_ && *at_ != '"') {
    if (*at_ != '\\') return fail();
    if (!skip_escape()) return false;
    skip_plain();
  }
  if (at_ == end_) return fail();
  string.raw = std::string_view(begin, static_cast<std::size_t>(at_ - begin));
  ++at_;
  return true;
}

/// Goes on to the byte that ends the string or needs a closer look. Plain bytes and short escapes
/// are passed sixteen at a time: where one escape is, in source code, there are many.
void JsonCursor::skip_plain() noexcept {
  const char* at = at_;
  while (end_ - at > 16) {
    ByteBlock block;
    std::memcpy(&block, at, sizeof block);
    std::ptrdiff_t length = 16;
    for (unsigned bits = bits_of(special(block)); bits != 0;) {
      const int place = std::countr_zero(bits);
      if (at[place] != '\\' || !is_short_escape(at[place + 1])) {
        at_ = at + place;
        return;
      }
      bits &= ~(3U << place);
      length = place == 15 ? 17 : 16;
    }
    at += length;
  }
  at_ = find_byte(at, end_, [](auto byte) { return special(byte); });
}

bool JsonCursor::skip_escape() noexcept {
  if (end_ - at_ < 2) return fail();
  if (is_short_escape(at_[1])) {
    at_ += 2;
    return true;
  }
  if (end_ - at_ < 6 || at_[1] != 'u') return fail();
  const int unit = code_unit(at_ + 2);
  if (unit < 0) return fail();
  at_ += 6;
  return !is_strict_ || skip_surrogate_pair(static_cast<unsigned>(unit));
}

bool JsonCursor::skip_surrogate_pair(unsigned first) noexcept {
  if (is_low_surrogate(first)) return fail(JsonFault::lone_surrogate);
  if (!is_high_surrogate(first)) return true;
  if (end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u') return fail(JsonFault::lone_surrogate);
  const int second = code_unit(at_ + 2);
  if (second < 0) return fail();
  if (!is_low_surrogate(static_cast<unsigned>(second))) return fail(JsonFault::lone_surrogate);
  at_ += 6;
  return true;
}

bool JsonCursor::skip_digits() noexcept {
  if (at_ == end_ || !is_ascii_digit(*at_)) return fail();
  while (at_ != end_ && is_ascii_digit(*at_)) ++at_;
  return true;
}

bool JsonCursor::skip_number() noexcept {
  if (at_ != end_ && *at_ == '-') ++at_;
  if (at_ != end_ && *at_ == '0') {
    ++at_;
  } else if (!skip_digits()) {
    return false;
  }
  if (at_ != end_ && *at_ == '.') {
    ++at_;
    if (!skip_digits()) return false;
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    return skip_digits();
  }
  return true;
}

bool JsonCursor::skip_literal(std::string_view word) noexcept {
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  if (!rest.starts_with(word)) return fail();
  at_ += word.size();
  return true;
}

bool JsonCursor::skip_scalar() noexcept {
  if (at_ == end_) return fail();
  switch (*at_) {
    case '"': {
      JsonString string;
      return take_string(string);
    }
    case 't': return skip_literal("true");
    case 'f': return skip_literal("false");
    case 'n': return skip_literal("null");
    default: return skip_number();
  }
}

/// One value, containers included. The kinds of the open ones are bits, the innermost lowest, so
/// that nothing recurses.
bool JsonCursor::skip_containers() noexcept {
  static_assert(depth_max <= 64);
  std::uint64_t objects = 0;
  JsonString name;
  const int outer = depth_;
  while (true) {
    skip_space();
    const char first = at_ == end_ ? '\0' : *at_;
    if (first == '{' || first == '[') {
      if (!enter(first)) return false;
      objects = objects << 1 | (first == '{' ? 1U : 0U);
    } else if (!(first == '"' ? take_string(name) : skip_scalar())) {
      return false;
    }
    while (true) {
      if (depth_ == outer) return true;
      const bool in_object = (objects & 1) != 0;
      if (take_separator(in_object ? '}' : ']')) {
        if (in_object && !take_name(name)) return false;
        break;
      }
      if (!is_good()) return false;
      objects >>= 1;
    }
  }
}

std::string_view JsonCursor::skip() noexcept {
  skip_space();
  const char* begin = at_;
  const bool is_container = at_ != end_ && (*at_ == '{' || *at_ == '[');
  if (!(is_container ? skip_containers() : skip_scalar())) return {};
  return std::string_view(begin, static_cast<std::size_t>(at_ - begin));
}

std::size_t JsonCursor::count() noexcept {
  std::size_t elements = 0;
  enter_array();
  for (; next_element(); ++elements) skip();
  return elements;
}

JsonString JsonCursor::read_string() noexcept {
  JsonString string;
  skip_space();
  if (!take_string(string)) return {};
  return string;
}

bool JsonCursor::read_boolean() noexcept {
  skip_space();
  if (at_ != end_ && *at_ == 't') return skip_literal("true");
  skip_literal("false");
  return false;
}

std::string_view JsonCursor::read_number() noexcept {
  skip_space();
  const char* begin = at_;
  if (!skip_number()) return {};
  return std::string_view(begin, static_cast<std::size_t>(at_ - begin));
}

void JsonCursor::read_null() noexcept {
  skip_space();
  skip_literal("null");
}

std::optional<JsonString> JsonCursor::string_or_skip() noexcept {
  if (peek() != JsonKind::string) {
    skip();
    return std::nullopt;
  }
  JsonString string;
  if (!take_string(string)) return std::nullopt;
  return string;
}

std::optional<std::int64_t> JsonCursor::integer_or_skip() noexcept {
  if (peek() != JsonKind::number) {
    skip();
    return std::nullopt;
  }
  return integer_of(read_number());
}

bool JsonCursor::finish() noexcept {
  skip_space();
  if (at_ != end_) return fail();
  return is_good();
}

double double_of(std::string_view number) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc::result_out_of_range) return value;
  const bool is_tiny = number.find("e-") != std::string_view::npos ||
                       number.find("E-") != std::string_view::npos || number.starts_with("0.") ||
                       number.starts_with("-0.");
  if (is_tiny) return 0;
  return number.starts_with('-') ? -HUGE_VAL : HUGE_VAL;
}

std::optional<std::int64_t> integer_of(std::string_view number) noexcept {
  std::int64_t exact = 0;
  const char* last = number.data() + number.size();
  const auto [end, error] = std::from_chars(number.data(), last, exact);
  if (error == std::errc() && end == last) return exact;
  const double value = double_of(number);
  if (number.empty() || !(std::abs(value) < 9e18) || std::trunc(value) != value) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace byway::wire
