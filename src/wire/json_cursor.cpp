#include "wire/json_cursor.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "wire/byte_search.hpp"
#include "wire/surrogate.hpp"

namespace byway::wire {
namespace {

/// Bytes that end a run of plain string bytes: a quote, a backslash, a control character. Turning
/// one bit puts the quote just above the control characters, and them among themselves.
template <class Byte>
auto special(Byte byte) noexcept {
  static_assert(('"' ^ 2) == 0x20);
  return ((byte ^ 2) <= 0x20) | (byte == '\\');
}

/// What may follow a backslash, 'u' apart.
template <class Byte>
auto short_escape(Byte byte) noexcept {
  return (byte == '"') | (byte == '\\') | (byte == '/') | (byte == 'n') | (byte == 't') |
         (byte == 'r') | (byte == 'b') | (byte == 'f');
}

/// Which of 64 bytes follow a backslash that is not escaped itself, given where backslashes are.
/// `is_first_escaped` is that of the first byte, and becomes that of the byte after them. The carry
/// of an addition runs through each row of backslashes: Langdale and Lemire, "Parsing Gigabytes of
/// JSON per Second" (2019), section 3.1.1.
std::uint64_t escaped_of(std::uint64_t backslashes, bool& is_first_escaped) noexcept {
  constexpr std::uint64_t even = 0x5555555555555555;
  const std::uint64_t carried = is_first_escaped ? 1 : 0;
  backslashes &= ~carried;
  const std::uint64_t followers = backslashes << 1 | carried;
  const std::uint64_t odd_starts = backslashes & ~even & ~followers;
  const std::uint64_t sum = odd_starts + backslashes;
  is_first_escaped = sum < odd_starts;
  return (even ^ sum << 1) & followers;
}

/// Of the escaped bytes 'u' and what may follow no backslash.
std::uint64_t odd_of(const WideBlock& block, const char* at, const char* end,
                     std::uint64_t escaped) noexcept {
  // Prose has one in a block, a line's end.
  if ((escaped & (escaped - 1)) == 0) {
    const char* only = at + std::countr_zero(escaped);
    return only < end && short_escape(*only) ? 0 : escaped;
  }
  return escaped & ~block.bits([](auto byte) { return short_escape(byte); });
}

}  // namespace

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

inline bool JsonCursor::pass_string(bool& has_escapes) noexcept {
  const char* at = find_byte(at_ + 1, end_, [](auto byte) { return special(byte); });
  has_escapes = at != end_ && *at == '\\';
  if (has_escapes) {
    at_ = at;
    if (!skip_escaped()) return false;
    at = at_;
  }
  const bool is_closed = at != end_ && *at == '"';
  at_ = is_closed ? at + 1 : at;
  return is_closed || fail();
}

bool JsonCursor::take_string(JsonString& string) noexcept {
  if (at_ == end_ || *at_ != '"') return fail();
  const char* begin = at_ + 1;
  if (!pass_string(string.has_escapes)) return false;
  string.raw = std::string_view(begin, static_cast<std::size_t>(at_ - begin) - 1);
  return true;
}

/// From the first backslash on: goes to the byte that ends the string, a quote or a control
/// character. Sixty-four bytes at a time with a bit for each, as in source code every tenth byte is
/// an escape, in no order a branch predictor could learn.
bool JsonCursor::skip_escaped() noexcept {
  const char* at = at_;
  bool is_first_escaped = false;
  while (true) {
    const WideBlock block(at, end_);
    const std::uint64_t escaped =
        escaped_of(block.bits([](auto byte) { return byte == '\\'; }), is_first_escaped);
    const std::uint64_t quotes = block.bits([](auto byte) { return byte == '"'; });
    const std::uint64_t controls = block.bits([](auto byte) { return byte < 0x20; });
    const std::uint64_t odd = escaped == 0 ? 0 : odd_of(block, at, end_, escaped);
    const char* next = nullptr;
    for (std::uint64_t stops = (quotes & ~escaped) | controls | odd; stops != 0;) {
      const int place = std::countr_zero(stops);
      at_ = at + place;
      if ((odd >> place & 1) == 0) return true;
      --at_;
      if (!skip_escape()) return false;
      const std::ptrdiff_t passed = at_ - at;
      if (passed >= WideBlock::size) {
        next = at_;
        is_first_escaped = false;
        break;
      }
      stops &= ~std::uint64_t{0} << passed;
    }
    at = next == nullptr ? at + WideBlock::size : next;
  }
}

bool JsonCursor::skip_escape() noexcept {
  if (end_ - at_ < 2) return fail();
  if (short_escape(at_[1])) {
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
  bool has_escapes = false;
  switch (*at_) {
    case '"': return pass_string(has_escapes);
    case 't': return skip_literal("true");
    case 'f': return skip_literal("false");
    case 'n': return skip_literal("null");
    default: return skip_number();
  }
}

inline bool JsonCursor::pass_name() noexcept {
  bool has_escapes = false;
  skip_space();
  if (at_ == end_ || *at_ != '"') return fail();
  if (!pass_string(has_escapes)) return false;
  if (at_ == end_ || *at_ != ':') return take(':');
  ++at_;
  return true;
}

/// One value, containers included. The kinds of the open ones are bits, the innermost lowest, so
/// that nothing recurses.
bool JsonCursor::skip_containers() noexcept {
  static_assert(depth_max <= 64);
  std::uint64_t objects = 0;
  const int outer = depth_;
  while (true) {
    skip_space();
    const char first = at_ == end_ ? '\0' : *at_;
    if (first == '{' || first == '[') {
      if (!enter(first)) return false;
      objects = objects << 1 | (first == '{' ? 1U : 0U);
    } else if (!skip_scalar()) {
      return false;
    }
    while (true) {
      if (depth_ == outer) return true;
      const bool in_object = (objects & 1) != 0;
      if (take_separator(in_object ? '}' : ']')) {
        if (in_object && !pass_name()) return false;
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
