// Writes a registry file.
#include <string>

#include "registry/alias_rules.hpp"
#include "registry/base64.hpp"
#include "registry/fields.hpp"
#include "registry/toml_file.hpp"
#include "wire/json_write.hpp"

namespace byway::registry {
namespace {

/// A basic string: JSON's escapes are TOML's, but TOML escapes DEL as well.
void append_string(std::string& out, std::string_view text) {
  for (const char byte : wire::json_quote(text)) {
    if (byte == 0x7f) {
      out += "\\u007f";
    } else {
      out += byte;
    }
  }
}

void append_value(std::string& out, const FieldValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    append_string(out, *text);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    out += std::to_string(*number);
  } else if (const auto* items = std::get_if<std::vector<std::string>>(&value)) {
    out += '[';
    for (const std::string& item : *items) {
      if (&item != items->data()) out += ", ";
      append_string(out, item);
    }
    out += ']';
  }
}

void append_member(std::string& out, std::string_view name, const FieldValue& value) {
  out.append(name).append(" = ");
  append_value(out, value);
  out += '\n';
}

std::string text_of(const FileKey& key) {
  switch (key.origin) {
    case KeyOrigin::none: return {};
    case KeyOrigin::environment: return "env:" + key.text;
    case KeyOrigin::file: return "file:" + key.text;
    case KeyOrigin::sealed: return "sealed:" + base64_of(key.text);
  }
  return {};
}

}  // namespace

std::string write_registry(const FileRegistry& registry) {
  static const EndpointSettings defaults;
  std::string out;
  for (const FileEndpoint& endpoint : registry.endpoints) {
    out += out.empty() ? "[[endpoint]]\n" : "\n[[endpoint]]\n";
    for (const Field& field : all_fields()) {
      FieldValue value = field.get(endpoint.settings);
      // The org is said always: a sealed key is tied to it.
      if (field.name != "org" && value == field.get(defaults)) continue;
      append_member(out, field.name, value);
    }
    if (endpoint.key.origin == KeyOrigin::none) continue;
    append_member(out, "key", text_of(endpoint.key));
    if (endpoint.key.origin != KeyOrigin::sealed) continue;
    append_member(out, "key_record_id", endpoint.key.record_id);
    append_member(out, "key_generation", static_cast<std::int64_t>(endpoint.key.generation));
  }
  for (const Alias& alias : registry.aliases) {
    out += out.empty() ? "[[alias]]\n" : "\n[[alias]]\n";
    append_member(out, "name", alias.name);
    std::vector<std::string> models;
    for (const AliasModel& model : alias.models) models.push_back(to_text(model));
    append_member(out, "models", models);
    if (!alias.require.empty()) append_member(out, "require", alias.require);
    append_member(out, "org", alias.org);
  }
  return out;
}

}  // namespace byway::registry
