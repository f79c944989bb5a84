// JsonCursor: walks JSON text in place, checking it on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/ascii.hpp"
#include "wire/json_string.hpp"

namespace byway::wire {

/// Places in a text: [begin, end). Empty when absent.
struct ByteSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool is_empty() const noexcept { return begin == end; }
  std::string_view of(std::string_view text) const noexcept {
    return text.substr(begin, end - begin);
  }
};

enum class JsonKind : std::uint8_t { none, object, array, string, number, boolean, null };

enum class JsonFault : std::uint8_t { none, syntax, too_deep, lone_surrogate };

/// A pull reader over one JSON text (RFC 8259) that allocates nothing and recurses nowhere. Every
/// byte that it passes is checked, skipped values too; what it never reaches is not. UTF-8 is not
/// checked here: is_utf8() comes first. After a fault every call does nothing, so a caller may look
/// at fault() once, at the end.
///
///     cursor.enter_object();
///     for (JsonString name; cursor.next_member(name);) {
///       if (name == "model") model = cursor.read_string();
///       else cursor.skip();
///     }
///
/// The value after each next_member() or next_element() must be consumed before the next. *One
/// thread at a time.*
class JsonCursor {
 public:
  static constexpr int depth_max = 64;

  enum class Surrogates : std::uint8_t { strict, lenient };

  /// `text` must outlive the cursor and all it gives. `lenient` lets lone surrogates pass, as some
  /// servers cut text between the halves of a pair.
  explicit JsonCursor(std::string_view text, Surrogates surrogates = Surrogates::lenient) noexcept
      : begin_(text.data()),
        at_(text.data()),
        end_(text.data() + text.size()),
        is_strict_(surrogates == Surrogates::strict) {}

  /// The kind of the value that comes next, judged by its first byte; `none` at a fault.
  JsonKind peek() noexcept;

  bool enter_object() noexcept;
  /// The next member's name; false at the end of the object, which is then left, or at a fault.
  bool next_member(JsonString& name) noexcept;
  bool enter_array() noexcept;
  bool next_element() noexcept;

  JsonString read_string() noexcept;
  bool read_boolean() noexcept;
  /// The number as it is spelled.
  std::string_view read_number() noexcept;
  void read_null() noexcept;
  /// Consumes one value of any kind and gives its bytes; empty at a fault.
  std::string_view skip() noexcept;

  /// Consumes an array and gives how many elements it has.
  std::size_t count() noexcept;

  /// Enters a value of that kind; false after skipping one of another.
  bool enter_object_or_skip() noexcept;
  bool enter_array_or_skip() noexcept;
  /// A string, or nothing after skipping another kind.
  std::optional<JsonString> string_or_skip() noexcept;
  /// An integer, or a number without fraction that fits; nothing after skipping anything else.
  std::optional<std::int64_t> integer_or_skip() noexcept;

  /// Consumes the value that comes next without looking at it: `end` is known to be its end.
  void jump(std::size_t end) noexcept {
    if (is_good()) at_ = begin_ + end;
  }

  /// After the outermost value: faults unless only white space is left.
  bool finish() noexcept;

  JsonFault fault() const noexcept { return fault_; }
  bool is_good() const noexcept { return fault_ == JsonFault::none; }
  /// Where the fault was found.
  std::size_t fault_position() const noexcept { return fault_at_; }
  /// Where the cursor stands: after what was consumed, white space not skipped yet.
  std::size_t position() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
  /// Where the member's name begins, its quote included; valid after next_member().
  std::size_t name_position() const noexcept { return static_cast<std::size_t>(name_at_ - begin_); }

 private:
  bool fail(JsonFault fault = JsonFault::syntax) noexcept;
  void skip_space() noexcept;
  bool take_string(JsonString& string) noexcept;
  /// Passes a string, at whose quote the cursor stands.
  bool pass_string(bool& has_escapes) noexcept;
  bool pass_name() noexcept;
  bool skip_escaped() noexcept;
  bool skip_escape() noexcept;
  bool skip_surrogate_pair(unsigned first) noexcept;
  bool skip_number() noexcept;
  bool skip_literal(std::string_view word) noexcept;
  bool skip_scalar() noexcept;
  bool skip_digits() noexcept;
  bool enter(char bracket) noexcept;
  /// Consumes `byte` after white space, or faults.
  bool take(char byte) noexcept;
  bool take_name(JsonString& name) noexcept;
  /// Consumes ',' or the closing bracket: true when another member or element follows.
  bool take_separator(char bracket) noexcept;
  bool skip_containers() noexcept;

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* name_at_ = nullptr;
  std::size_t fault_at_ = 0;
  int depth_ = 0;
  bool is_first_ = false;
  bool is_strict_;
  JsonFault fault_ = JsonFault::none;
};

// In the header because a fold calls them some sixty times per event.

inline void JsonCursor::skip_space() noexcept {
  // Between most tokens there is none, and one look tells so.
  while (at_ != end_ && static_cast<unsigned char>(*at_) <= ' ' && is_ascii_space(*at_)) ++at_;
}

inline bool JsonCursor::take(char byte) noexcept {
  skip_space();
  if (at_ == end_ || *at_ != byte) return fail();
  ++at_;
  return true;
}

inline JsonKind JsonCursor::peek() noexcept {
  skip_space();
  if (at_ == end_) return JsonKind::none;
  switch (*at_) {
    case '{': return JsonKind::object;
    case '[': return JsonKind::array;
    case '"': return JsonKind::string;
    case 't':
    case 'f': return JsonKind::boolean;
    case 'n': return JsonKind::null;
    default: return *at_ == '-' || is_ascii_digit(*at_) ? JsonKind::number : JsonKind::none;
  }
}

inline bool JsonCursor::take_separator(char bracket) noexcept {
  skip_space();
  if (at_ == end_) return fail();
  if (*at_ == bracket) {
    ++at_;
    --depth_;
    is_first_ = false;
    return false;
  }
  if (is_first_) {
    is_first_ = false;
    return true;
  }
  if (*at_ != ',') return fail();
  ++at_;
  return true;
}

inline bool JsonCursor::take_name(JsonString& name) noexcept {
  skip_space();
  name_at_ = at_;
  return take_string(name) && take(':');
}

inline bool JsonCursor::next_member(JsonString& name) noexcept {
  return take_separator('}') && take_name(name);
}

inline bool JsonCursor::next_element() noexcept {
  return take_separator(']');
}

/// The integer that a JSON number means, when it is one and fits: "12", "12.0", "1e3".
std::optional<std::int64_t> integer_of(std::string_view number) noexcept;
/// The double nearest to a JSON number.
double double_of(std::string_view number) noexcept;

}  // namespace byway::wire
