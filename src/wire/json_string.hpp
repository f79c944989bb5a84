// JsonString: a string of a JSON text, escapes and all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace byway::wire {

/// A JSON string as it stands in the text, without its quotes.
struct JsonString {
  std::string_view raw = {};
  bool has_escapes = false;

  /// Compares what the string means, so "mod\u0065l" equals "model".
  bool equals(std::string_view plain) const noexcept;
  /// Appends what the string means. A lone surrogate becomes U+FFFD.
  void append_to(std::string& out) const;
  /// The escape of a high surrogate at the very end, "\ud83d", whose other half is not there; empty
  /// for none.
  std::string_view half_at_end() const noexcept;
  /// A view of what the string means: of the text itself, or appended to `scratch` when there are
  /// escapes. The view lives until `scratch` reallocates.
  std::string_view text(std::string& scratch) const;
};

/// Compares a JSON string with `plain`; fast when nothing is escaped, as names seldom are.
inline bool operator==(const JsonString& string, std::string_view plain) noexcept {
  return string.has_escapes ? string.equals(plain) : string.raw == plain;
}

}  // namespace byway::wire
