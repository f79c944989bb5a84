// Fields: the one list of an endpoint's settings that TOML, JSON and `endpoint set` share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <byway/endpoint.hpp>
#include <byway/result.hpp>

namespace byway::registry {

/// `text_or_object` is a word, or a JSON object that is kept as its text.
enum class FieldKind : std::uint8_t { text, text_or_object, flag, number, list, pairs };

/// A value of a field; monostate is "absent", for optional fields. Pairs are lines: "Name: value"
/// or "name=value".
using FieldValue =
    std::variant<std::monostate, std::string, bool, std::int64_t, std::vector<std::string>>;

/// What the value of a field must be.
struct FieldShape {
  std::string_view name;
  FieldKind kind;
  /// Whether it may be absent: then `null` in text and JSON, and left out of TOML.
  bool is_optional;
};

/// One setting. `get` and `set` translate between the struct and the value; set() checks kind and
/// form; what the value means is checked with all the settings.
template <class Settings>
struct FieldOf {
  std::string_view name;
  FieldKind kind;
  bool is_optional;
  FieldValue (*get)(const Settings&);
  /// Code: registry_field_invalid.
  Result<void> (*set)(Settings&, FieldValue&&);

  constexpr FieldShape shape() const noexcept { return {name, kind, is_optional}; }
};
using Field = FieldOf<EndpointSettings>;

/// In the order in which they are written; "timeouts.connect_ms" and its kin are flat here.
std::span<const Field> all_fields() noexcept;
/// Null when there is none of that name.
const Field* find_field(std::string_view name) noexcept;

/// registry_field_invalid about a field, which is the error's param too.
Error field_invalid(std::string_view field, std::string_view message);

/// Checks that the value is of the field's kind, then sets it. Code: registry_field_invalid.
Result<void> assign(const Field& field, EndpointSettings& settings, FieldValue value);

/// Sets a field from text: `true`, digits, an item or several with commas between, or a JSON array
/// of strings; `null` makes an optional field absent. Codes: registry_field_invalid, also for an
/// unknown field.
Result<void> set_field(EndpointSettings& settings, std::string_view name, std::string_view text);

/// The settings as one JSON object, every field that differs from its default, plus slug and
/// base_url.
std::string to_json(const EndpointSettings& settings);
/// Reads it back. Unknown fields, fields given twice and wrong types are refused. Code:
/// registry_field_invalid.
Result<EndpointSettings> settings_from_json(std::string_view json);

}  // namespace byway::registry
