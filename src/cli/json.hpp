// Json: writes one JSON object, field by field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace byway::cli {

/// `text` as a JSON string. Bytes that are not UTF-8 become U+FFFD.
std::string json_text(std::string_view text);
std::string json_number(double value, int decimals);

/// Fields come out in the order in which they are added; names are plain words.
class Json {
 public:
  Json& raw(std::string_view name, std::string_view json);
  Json& null(std::string_view name) { return raw(name, "null"); }
  Json& text(std::string_view name, std::string_view value) { return raw(name, json_text(value)); }
  /// null when empty.
  Json& text_or_null(std::string_view name, std::string_view value) {
    return value.empty() ? null(name) : text(name, value);
  }
  Json& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  Json& flag(std::string_view name, std::optional<bool> value) {
    return value ? flag(name, *value) : null(name);
  }
  Json& number(std::string_view name, std::int64_t value) {
    return raw(name, std::to_string(value));
  }
  Json& number(std::string_view name, std::optional<std::int64_t> value) {
    return value ? number(name, *value) : null(name);
  }
  std::string str() const { return "{" + fields_ + "}"; }

 private:
  std::string fields_;
};

/// "[a,b]" of what `write` gives for each element.
template <class Range, class Write>
std::string json_list(const Range& range, Write write) {
  std::string out = "[";
  for (const auto& element : range) {
    if (out.size() > 1) out += ',';
    out += write(element);
  }
  return out + "]";
}

}  // namespace byway::cli
