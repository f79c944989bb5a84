// Fields from and to text and JSON.
#include <simdjson.h>

#include <charconv>
#include <optional>
#include <utility>

#include "registry/field_list.hpp"
#include "wire/json_merge.hpp"
#include "wire/json_write.hpp"

namespace byway::registry {
namespace {

namespace dom = simdjson::dom;

std::optional<std::vector<std::string>> strings_of(dom::element element) {
  dom::array array;
  if (element.get(array) != simdjson::SUCCESS) return {};
  std::vector<std::string> strings;
  for (const dom::element item : array) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS) return {};
    strings.emplace_back(text);
  }
  return strings;
}

/// Absent for what no field can be: a fraction, an object, a number over 2^63.
std::optional<FieldValue> value_of(dom::element element) {
  switch (element.type()) {
    case dom::element_type::NULL_VALUE: return FieldValue();
    case dom::element_type::STRING:
      return FieldValue(std::string(element.get_string().value_unsafe()));
    case dom::element_type::BOOL: return FieldValue(element.get_bool().value_unsafe());
    case dom::element_type::INT64: return FieldValue(element.get_int64().value_unsafe());
    case dom::element_type::ARRAY: {
      auto strings = strings_of(element);
      if (!strings) return {};
      return FieldValue(*std::move(strings));
    }
    default: return {};
  }
}

std::vector<std::string> items_of(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const std::size_t begin = item.find_first_not_of(' ');
    if (begin == std::string_view::npos) continue;
    items.emplace_back(item.substr(begin, item.find_last_not_of(' ') - begin + 1));
  }
  return items;
}

Result<FieldValue> list_from_text(FieldShape field, std::string_view text) {
  if (text.starts_with('[')) {
    dom::parser parser;
    dom::element element;
    std::optional<std::vector<std::string>> strings;
    if (parser.parse(text.data(), text.size()).get(element) == simdjson::SUCCESS) {
      strings = strings_of(element);
    }
    if (!strings) return field_invalid(field.name, "is not a JSON array of strings");
    return FieldValue(*std::move(strings));
  }
  // A header's value may hold commas.
  if (field.kind == FieldKind::pairs) {
    std::vector<std::string> lines;
    if (!text.empty()) lines.emplace_back(text);
    return FieldValue(std::move(lines));
  }
  if (field.is_optional && text.empty()) {
    return field_invalid(field.name, "write [] for none of them, null for all");
  }
  return FieldValue(items_of(text));
}

/// Valid JSON without white space around its parts.
std::string minified(std::string_view json) {
  std::string out(json.size() + simdjson::SIMDJSON_PADDING, '\0');
  std::size_t length = 0;
  if (simdjson::minify(json.data(), json.size(), out.data(), length) != simdjson::SUCCESS)
    return {};
  out.resize(length);
  return out;
}

Result<FieldValue> object_or_text(FieldShape field, std::string_view text) {
  if (!text.starts_with('{')) return FieldValue(std::string(text));
  dom::parser parser;
  if (parser.parse(text.data(), text.size()).error() != simdjson::SUCCESS) {
    return field_invalid(field.name, "is not a JSON object");
  }
  return FieldValue(minified(text));
}

}  // namespace

Result<FieldValue> value_from_text(FieldShape field, std::string_view text) {
  if (field.is_optional && text == "null") return FieldValue();
  switch (field.kind) {
    case FieldKind::text: return FieldValue(std::string(text));
    case FieldKind::text_or_object: return object_or_text(field, text);
    case FieldKind::flag:
      if (text != "true" && text != "false") {
        return field_invalid(field.name, "must be true or false");
      }
      return FieldValue(text == "true");
    case FieldKind::number: {
      std::int64_t number = 0;
      const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (fault != std::errc() || end != text.data() + text.size()) {
        return field_invalid(field.name, "must be a whole number, or null for none");
      }
      return FieldValue(number);
    }
    case FieldKind::list:
    case FieldKind::pairs: return list_from_text(field, text);
  }
  return FieldValue();
}

Error unknown_field(std::string_view name) {
  return field_invalid(wire::utf8_prefix(name, 64), "there is no such field");
}

void append_value(std::string& out, const FieldValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    out += wire::json_quote(*text);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    wire::append_integer(out, *number);
  } else if (const auto* items = std::get_if<std::vector<std::string>>(&value)) {
    out += '[';
    for (const std::string& item : *items) {
      if (&item != items->data()) out += ',';
      out += wire::json_quote(item);
    }
    out += ']';
  } else {
    out += "null";
  }
}

Result<std::vector<JsonMember>> members_of_json(std::string_view json) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) {
    return field_invalid("settings", "are not a JSON object");
  }
  std::vector<JsonMember> members;
  for (const auto [name, element] : object) {
    if (element.is_object()) {
      members.push_back({std::string(name), minified(wire::member_of(json, name)), true});
    } else {
      members.push_back({std::string(name), value_of(element), false});
    }
  }
  return members;
}

Result<void> set_field(EndpointSettings& settings, std::string_view name, std::string_view text) {
  return set_field_in(all_fields(), settings, name, text);
}

std::string to_json(const EndpointSettings& settings) {
  static const EndpointSettings defaults;
  std::string out = "{";
  for (const Field& field : all_fields()) {
    const FieldValue value = field.get(settings);
    const bool is_always = field.name == "slug" || field.name == "base_url";
    if (!is_always && value == field.get(defaults)) continue;
    if (out.size() > 1) out += ',';
    out += wire::json_quote(field.name) + ":";
    append_value(out, value);
  }
  return out + "}";
}

Result<EndpointSettings> settings_from_json(std::string_view json) {
  return fields_from_json(all_fields(), json);
}

}  // namespace byway::registry
