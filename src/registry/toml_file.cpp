#include "registry/toml_file.hpp"

// A failed assertion of toml++ would end the host process.
#define TOML_ASSERT(expression) static_cast<void>(0)
#include <toml++/toml.h>

#include <optional>
#include <set>
#include <utility>

#include "registry/alias_rules.hpp"
#include "registry/base64.hpp"
#include "registry/fields.hpp"
#include "registry/settings.hpp"
#include "wire/json_write.hpp"

namespace byway::registry {
namespace {

std::uint32_t line_of(const toml::node& node) {
  return static_cast<std::uint32_t>(node.source().begin.line);
}

std::optional<std::vector<std::string>> strings_of(const toml::array& array) {
  std::vector<std::string> strings;
  for (const toml::node& item : array) {
    const auto* text = item.as_string();
    if (text == nullptr) return {};
    strings.push_back(text->get());
  }
  return strings;
}

/// `{ "X-Team" = "a" }` as lines.
std::optional<std::vector<std::string>> lines_of(const toml::table& table,
                                                 std::string_view separator) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : table) {
    const auto* text = value.as_string();
    if (text == nullptr) return {};
    lines.push_back(std::string(name.str()).append(separator).append(text->get()));
  }
  return lines;
}

/// Absent for what no field can be.
std::optional<FieldValue> value_of(const Field& field, const toml::node& node) {
  if (const auto* text = node.as_string()) return FieldValue(text->get());
  if (const auto* flag = node.as_boolean()) return FieldValue(flag->get());
  if (const auto* number = node.as_integer()) return FieldValue(number->get());
  std::optional<std::vector<std::string>> strings;
  if (const auto* array = node.as_array()) strings = strings_of(*array);
  const auto* table = field.kind == FieldKind::pairs ? node.as_table() : nullptr;
  if (table != nullptr) strings = lines_of(*table, field.name == "headers" ? ": " : "=");
  if (!strings) return {};
  return FieldValue(*std::move(strings));
}

/// Reads one file; remembers where what stands.
class Reader {
 public:
  explicit Reader(std::string_view file_name) : file_name_(file_name) {}

  Result<FileRegistry> read(const toml::table& root);

 private:
  Result<void> read_org(const toml::node& node);
  Result<std::vector<FileEndpoint>> read_endpoints(const toml::node& node);
  Result<std::vector<Alias>> read_aliases(const toml::node& node);
  Result<Alias> read_alias(const toml::table& table);
  Result<FileEndpoint> read_endpoint(const toml::table& table);
  Result<void> read_member(FileEndpoint& endpoint, std::string_view name, const toml::node& node);
  Result<void> read_key(FileEndpoint& endpoint, const toml::node& node);
  Result<void> check(FileEndpoint& endpoint);

  Error invalid(const toml::node& node, std::string_view field, std::string_view message) const {
    return file_invalid(file_name_, line_of(node), field, message);
  }
  /// What is wrong inside, at the line of its field.
  Error invalid(const FileEndpoint& endpoint, const Error& inside) const;

  std::string_view file_name_;
  std::string org_ = EndpointSettings().org;
  /// Lines of the endpoint at hand, by field.
  std::map<std::string, std::uint32_t, std::less<>> lines_;
};

Error Reader::invalid(const FileEndpoint& endpoint, const Error& inside) const {
  const auto found = lines_.find(inside.param());
  const std::uint32_t line = found == lines_.end() ? endpoint.line : found->second;
  std::string_view message = inside.message();
  if (message.starts_with(inside.param() + ": ")) message.remove_prefix(inside.param().size() + 2);
  return file_invalid(file_name_, line, inside.param(), message, inside.name());
}

Result<void> Reader::read_org(const toml::node& node) {
  const auto* table = node.as_table();
  if (table == nullptr) return invalid(node, "org", "must be a table: [org]");
  for (const auto& [key, value] : *table) {
    const std::string_view name = key.str();
    if (name.starts_with("cap_")) {
      ErrorFields fields{.code = ErrorCode::registry_needs_store};
      fields.message = std::string(file_name_) + ":" + std::to_string(line_of(value)) +
                       ": a cap needs counters that outlive the process: use a store";
      fields.param = "org." + std::string(wire::utf8_prefix(name, 64));
      return Error(std::move(fields));
    }
    const auto* text = value.as_string();
    if (name != "name") {
      return invalid(value, "org." + std::string(wire::utf8_prefix(name, 64)), "is not known");
    }
    if (text == nullptr || !is_org(text->get())) {
      return invalid(value, "org.name", "must be 1 to 64 characters of a-z, 0-9, '.', '_' and '-'");
    }
    org_ = text->get();
  }
  return {};
}

Result<void> Reader::read_key(FileEndpoint& endpoint, const toml::node& node) {
  constexpr std::string_view advice =
      "must be \"env:NAME\", \"file:PATH\" or \"sealed:<base64>\", never the key itself";
  const auto* string = node.as_string();
  if (string == nullptr) return invalid(node, "key", advice);
  endpoint.key_line = line_of(node);
  const std::string_view text = string->get();
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view rest =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (rest.empty() || rest.find('\0') != std::string_view::npos) {
    return invalid(node, "key", advice);
  }
  FileKey& key = endpoint.key;
  key.text = rest;
  if (kind == "env") {
    key.origin = KeyOrigin::environment;
  } else if (kind == "file") {
    key.origin = KeyOrigin::file;
  } else if (kind == "sealed") {
    key.origin = KeyOrigin::sealed;
    auto bytes = bytes_of_base64(rest);
    if (!bytes) return invalid(node, "key", "holds no base64 after \"sealed:\"");
    key.text = *std::move(bytes);
  } else {
    return invalid(node, "key", advice);
  }
  return {};
}

Result<void> Reader::read_member(FileEndpoint& endpoint, std::string_view name,
                                 const toml::node& node) {
  lines_.emplace(name, line_of(node));
  if (name == "key") return read_key(endpoint, node);
  if (name == "key_record_id") {
    const auto* text = node.as_string();
    if (text == nullptr || text->get().empty()) return invalid(node, name, "must be a string");
    endpoint.key.record_id = text->get();
    return {};
  }
  if (name == "key_generation") {
    const auto* number = node.as_integer();
    if (number == nullptr || number->get() < 1) return invalid(node, name, "must be 1 or more");
    endpoint.key.generation = static_cast<std::uint64_t>(number->get());
    return {};
  }
  const Field* field = find_field(name);
  if (field == nullptr) return invalid(node, wire::utf8_prefix(name, 64), "is not known");
  auto value = value_of(*field, node);
  if (!value) return invalid(node, name, "has a value of the wrong type");
  Result<void> done = assign(*field, endpoint.settings, *std::move(value));
  if (!done) return invalid(endpoint, done.error());
  return {};
}

Result<void> Reader::check(FileEndpoint& endpoint) {
  const bool is_sealed = endpoint.key.origin == KeyOrigin::sealed;
  const bool has_place = !endpoint.key.record_id.empty() && endpoint.key.generation != 0;
  const bool has_any = !endpoint.key.record_id.empty() || endpoint.key.generation != 0;
  if (is_sealed ? !has_place : has_any) {
    return file_invalid(file_name_, endpoint.line, "key",
                        "\"sealed:...\" comes with key_record_id and key_generation, nothing else "
                        "does");
  }
  Result<CheckedSettings> checked = check_settings(endpoint.settings);
  if (!checked) return invalid(endpoint, checked.error());
  endpoint.settings.base_url = checked->base_url.text;
  endpoint.warnings = std::move(checked->warnings);
  return {};
}

Result<FileEndpoint> Reader::read_endpoint(const toml::table& table) {
  FileEndpoint endpoint;
  endpoint.line = line_of(table);
  endpoint.settings.org = org_;
  lines_.clear();
  for (const auto& [key, value] : table) {
    const auto* timeouts = key.str() == "timeouts" ? value.as_table() : nullptr;
    if (timeouts == nullptr) {
      Result<void> read = read_member(endpoint, key.str(), value);
      if (!read) return read.error();
      continue;
    }
    for (const auto& [name, limit] : *timeouts) {
      Result<void> read = read_member(endpoint, "timeouts." + std::string(name.str()), limit);
      if (!read) return read.error();
    }
  }
  for (const char* name : {"slug", "base_url"}) {
    if (!lines_.contains(name)) {
      return file_invalid(file_name_, endpoint.line, name, "is missing");
    }
  }
  if (Result<void> checked = check(endpoint); !checked) return checked.error();
  return endpoint;
}

Result<std::vector<FileEndpoint>> Reader::read_endpoints(const toml::node& endpoints) {
  std::vector<FileEndpoint> read;
  const auto* array = endpoints.as_array();
  if (array == nullptr) return invalid(endpoints, "endpoint", "must be written [[endpoint]]");
  std::set<std::pair<std::string, std::string>> seen;
  for (const toml::node& node : *array) {
    const auto* table = node.as_table();
    if (table == nullptr) return invalid(node, "endpoint", "must be written [[endpoint]]");
    Result<FileEndpoint> endpoint = read_endpoint(*table);
    if (!endpoint) return endpoint.error();
    const EndpointSettings& settings = endpoint->settings;
    if (!seen.emplace(settings.org, settings.slug).second) {
      return file_invalid(file_name_, endpoint->line, "slug",
                          "\"" + settings.slug + "\" is the slug of an endpoint above too",
                          name_of(ErrorCode::registry_duplicate_slug));
    }
    read.push_back(*std::move(endpoint));
  }
  return read;
}

Result<Alias> Reader::read_alias(const toml::table& table) {
  Alias alias{.name = {}, .models = {}, .require = {}, .org = org_};
  lines_.clear();
  for (const auto& [key, value] : table) {
    const std::string_view name = key.str();
    lines_.emplace(name, line_of(value));
    const auto* text = value.as_string();
    if (name == "name" || name == "org") {
      if (text == nullptr) return invalid(value, name, "must be a string");
      (name == "name" ? alias.name : alias.org) = text->get();
      continue;
    }
    if (name != "models" && name != "require") {
      return invalid(value, wire::utf8_prefix(name, 64), "is not known");
    }
    const auto* array = value.as_array();
    auto strings = array == nullptr ? std::nullopt : strings_of(*array);
    if (!strings) return invalid(value, name, "must be a list of strings");
    if (name == "require") {
      alias.require = *std::move(strings);
      continue;
    }
    for (const std::string& item : *strings) {
      auto model = alias_model_from_text(item);
      if (!model) return invalid(value, name, model.error().message());
      alias.models.push_back(*std::move(model));
    }
  }
  Result<void> checked = check_alias(alias);
  if (checked) return alias;
  FileEndpoint place;
  place.line = line_of(table);
  return invalid(place, checked.error());
}

Result<std::vector<Alias>> Reader::read_aliases(const toml::node& aliases) {
  std::vector<Alias> read;
  const auto* array = aliases.as_array();
  if (array == nullptr) return invalid(aliases, "alias", "must be written [[alias]]");
  std::set<std::pair<std::string, std::string>> seen;
  for (const toml::node& node : *array) {
    const auto* table = node.as_table();
    if (table == nullptr) return invalid(node, "alias", "must be written [[alias]]");
    Result<Alias> alias = read_alias(*table);
    if (!alias) return alias.error();
    if (!seen.emplace(alias->org, alias->name).second) {
      return invalid(node, "name", "\"" + alias->name + "\" is the name of an alias above too");
    }
    read.push_back(*std::move(alias));
  }
  return read;
}

Result<FileRegistry> Reader::read(const toml::table& root) {
  const toml::node* endpoints = nullptr;
  const toml::node* aliases = nullptr;
  for (const auto& [key, value] : root) {
    if (key.str() == "endpoint") {
      endpoints = &value;
    } else if (key.str() == "alias") {
      aliases = &value;
    } else if (key.str() != "org") {
      return invalid(value, wire::utf8_prefix(key.str(), 64), "is not known");
    } else if (Result<void> read = read_org(value); !read) {
      return read.error();
    }
  }
  FileRegistry read;
  if (endpoints != nullptr) {
    auto listed = read_endpoints(*endpoints);
    if (!listed) return listed.error();
    read.endpoints = *std::move(listed);
  }
  if (aliases != nullptr) {
    auto listed = read_aliases(*aliases);
    if (!listed) return listed.error();
    read.aliases = *std::move(listed);
  }
  return read;
}

}  // namespace

Error file_invalid(std::string_view file_name, std::uint32_t line, std::string_view field,
                   std::string_view message, std::string_view reason) {
  ErrorFields fields{.code = ErrorCode::registry_invalid_file};
  fields.message.append(file_name).append(":").append(std::to_string(line)).append(": ");
  if (!field.empty()) fields.message.append(field).append(" ");
  fields.message.append(message);
  fields.param = field;
  fields.reason = reason;
  return Error(std::move(fields));
}

Result<FileRegistry> parse_registry(std::string_view toml, std::string_view file_name) try {
  const toml::table root = toml::parse(toml);
  return Reader(file_name).read(root);
} catch (const toml::parse_error& error) {
  // The parser's own words may quote what it stumbled over, which may be a key.
  const bool is_twice = error.description().find("redefine") != std::string_view::npos;
  const auto& begin = error.source().begin;
  return file_invalid(file_name, static_cast<std::uint32_t>(begin.line), {},
                      is_twice ? "a name is given twice here"
                               : "this is not TOML, at column " + std::to_string(begin.column) +
                                     "; strings stand in quotes");
}

}  // namespace byway::registry
