// FieldList: what every list of fields shares: values from and to text and JSON.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/fields.hpp"

namespace byway::registry {

/// registry_field_invalid for a value that is not of the field's kind.
Result<void> check_kind(FieldShape field, const FieldValue& value);
/// registry_field_invalid for a name that is no field's.
Error unknown_field(std::string_view name);
/// See set_field(). Code: registry_field_invalid.
Result<FieldValue> value_from_text(FieldShape field, std::string_view text);
/// As JSON.
void append_value(std::string& out, const FieldValue& value);

/// A member of a JSON object; its value is absent when no field can have such a one.
struct JsonMember {
  std::string name = {};
  std::optional<FieldValue> value = {};
  /// The value is the text of an object.
  bool is_object = false;
};
/// Code: registry_field_invalid when it is no JSON object.
Result<std::vector<JsonMember>> members_of_json(std::string_view json);

template <class Settings>
const FieldOf<Settings>* find_field_in(std::span<const FieldOf<Settings>> fields,
                                       std::string_view name) noexcept {
  for (const auto& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

template <class Settings>
Result<void> assign_in(const FieldOf<Settings>& field, Settings& settings, FieldValue value) {
  if (Result<void> good = check_kind(field.shape(), value); !good) return good;
  return field.set(settings, std::move(value));
}

template <class Settings>
Result<void> set_field_in(std::span<const FieldOf<Settings>> fields, Settings& settings,
                          std::string_view name, std::string_view text) {
  const auto* field = find_field_in(fields, name);
  if (field == nullptr) return unknown_field(name);
  Result<FieldValue> value = value_from_text(field->shape(), text);
  if (!value) return value.error();
  return assign_in(*field, settings, *std::move(value));
}

/// Every field that differs from its default.
template <class Settings>
std::string json_of_fields(std::span<const FieldOf<Settings>> fields, const Settings& settings) {
  static const Settings defaults;
  std::string out = "{";
  for (const auto& field : fields) {
    const FieldValue value = field.get(settings);
    if (value == field.get(defaults)) continue;
    if (out.size() > 1) out += ',';
    out.append("\"").append(field.name).append("\":");
    append_value(out, value);
  }
  return out + "}";
}

/// Unknown fields, fields given twice and wrong types are refused. Code: registry_field_invalid.
template <class Settings>
Result<Settings> fields_from_json(std::span<const FieldOf<Settings>> fields,
                                  std::string_view json) {
  auto members = members_of_json(json);
  if (!members) return members.error();
  Settings settings;
  std::set<std::string_view> seen;
  for (JsonMember& member : *members) {
    const auto* field = find_field_in(fields, member.name);
    if (field == nullptr) return unknown_field(member.name);
    if (!seen.insert(field->name).second) return field_invalid(field->name, "is given twice");
    const bool may_be = !member.is_object || field->kind == FieldKind::text_or_object;
    if (!member.value || !may_be) {
      return field_invalid(field->name, "has a value of the wrong type");
    }
    Result<void> done = assign_in(*field, settings, *std::move(member.value));
    if (!done) return done.error();
  }
  return settings;
}

}  // namespace byway::registry
