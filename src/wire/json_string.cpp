#include "wire/json_string.hpp"

#include "wire/surrogate.hpp"

namespace byway::wire {
namespace {

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

}  // namespace byway::wire
