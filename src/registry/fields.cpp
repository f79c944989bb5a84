#include "registry/fields.hpp"

#include <optional>
#include <utility>

#include "registry/field_list.hpp"
#include "registry/field_members.hpp"

namespace byway::registry {
namespace {

using Settings = EndpointSettings;
using Milliseconds = std::optional<std::chrono::milliseconds>;

template <Milliseconds EndpointTimeouts::*Member>
FieldValue get_timeout(const Settings& settings) {
  const Milliseconds& member = settings.timeouts.*Member;
  if (!member) return {};
  return static_cast<std::int64_t>(member->count());
}
template <Milliseconds EndpointTimeouts::*Member>
Result<void> set_timeout(Settings& settings, FieldValue&& value) {
  Milliseconds& member = settings.timeouts.*Member;
  const auto* number = std::get_if<std::int64_t>(&value);
  member = number == nullptr ? Milliseconds() : std::chrono::milliseconds(*number);
  return {};
}

FieldValue lines_of(const std::vector<NameValue>& pairs, std::string_view separator) {
  std::vector<std::string> lines;
  lines.reserve(pairs.size());
  for (const auto& [name, value] : pairs) {
    lines.emplace_back(name).append(separator).append(value);
  }
  return lines;
}

Result<std::vector<NameValue>> pairs_of(std::string_view field, char separator,
                                        const std::vector<std::string>& lines) {
  std::vector<NameValue> pairs;
  for (const std::string& line : lines) {
    const std::size_t at = line.find(separator);
    if (at == std::string::npos || at == 0) {
      return field_invalid(
          field, separator == ':' ? "each item is \"Name: value\"" : "each item is \"name=value\"");
    }
    std::string_view value = std::string_view(line).substr(at + 1);
    if (separator == ':') {
      value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    }
    pairs.emplace_back(line.substr(0, at), value);
  }
  return pairs;
}

FieldValue get_headers(const Settings& settings) {
  return lines_of(settings.headers, ": ");
}
Result<void> set_headers(Settings& settings, FieldValue&& value) {
  auto pairs = pairs_of("headers", ':', std::get<std::vector<std::string>>(value));
  if (!pairs) return pairs.error();
  settings.headers = *std::move(pairs);
  return {};
}
FieldValue get_query(const Settings& settings) {
  return lines_of(settings.query, "=");
}
Result<void> set_query(Settings& settings, FieldValue&& value) {
  auto pairs = pairs_of("query", '=', std::get<std::vector<std::string>>(value));
  if (!pairs) return pairs.error();
  settings.query = *std::move(pairs);
  return {};
}

template <Milliseconds EndpointTimeouts::*Member>
constexpr Field timeout(std::string_view name) {
  return {name, FieldKind::number, true, get_timeout<Member>, set_timeout<Member>};
}

constexpr Field fields[] = {
    text_field<&Settings::slug>("slug"),
    text_field<&Settings::name>("name"),
    text_field<&Settings::base_url>("base_url"),
    optional_list_field<&Settings::allow>("allow"),
    flag_field<&Settings::enabled>("enabled"),
    {"dialect", FieldKind::text_or_object, false, get_plain<&Settings::dialect>,
     set_plain<&Settings::dialect>},
    list_field<&Settings::tags>("tags"),
    text_field<&Settings::region>("region"),
    text_field<&Settings::default_model>("default_model"),
    text_field<&Settings::extra_body>("extra_body"),
    {"headers", FieldKind::pairs, false, get_headers, set_headers},
    {"query", FieldKind::pairs, false, get_query, set_query},
    text_field<&Settings::ca_file>("ca_file"),
    text_field<&Settings::client_cert>("client_cert"),
    text_field<&Settings::client_key>("client_key"),
    flag_field<&Settings::allow_insecure_http>("allow_insecure_http"),
    list_field<&Settings::allow_addresses>("allow_addresses"),
    text_field<&Settings::proxy>("proxy"),
    timeout<&EndpointTimeouts::connect>("timeouts.connect_ms"),
    timeout<&EndpointTimeouts::first_byte>("timeouts.first_byte_ms"),
    timeout<&EndpointTimeouts::first_token>("timeouts.first_token_ms"),
    timeout<&EndpointTimeouts::stall>("timeouts.stall_ms"),
    timeout<&EndpointTimeouts::total>("timeouts.total_ms"),
    number_field<&Settings::in_flight>("in_flight"),
    number_field<&Settings::rpm>("rpm"),
    number_field<&Settings::tpm>("tpm"),
    number_field<&Settings::price_input>("price_input"),
    number_field<&Settings::price_output>("price_output"),
    text_field<&Settings::org>("org"),
};

std::string_view wanted_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::text: return "must be a string";
    case FieldKind::text_or_object: return "must be a string or an object";
    case FieldKind::flag: return "must be true or false";
    case FieldKind::number: return "must be a whole number";
    case FieldKind::list: return "must be a list of strings";
    case FieldKind::pairs: return "must be a list of strings, one per pair";
  }
  return {};
}

}  // namespace

std::span<const Field> all_fields() noexcept {
  return fields;
}

const Field* find_field(std::string_view name) noexcept {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

Error field_invalid(std::string_view field, std::string_view message) {
  ErrorFields error{.code = ErrorCode::registry_field_invalid};
  error.message.append(field).append(": ").append(message);
  error.param = field;
  return Error(std::move(error));
}

Result<void> check_kind(FieldShape field, const FieldValue& value) {
  bool is_good = false;
  if (std::holds_alternative<std::monostate>(value)) {
    is_good = field.is_optional;
  } else {
    switch (field.kind) {
      case FieldKind::text:
      case FieldKind::text_or_object: is_good = std::holds_alternative<std::string>(value); break;
      case FieldKind::flag: is_good = std::holds_alternative<bool>(value); break;
      case FieldKind::number: is_good = std::holds_alternative<std::int64_t>(value); break;
      case FieldKind::list:
      case FieldKind::pairs:
        is_good = std::holds_alternative<std::vector<std::string>>(value);
        break;
    }
  }
  if (!is_good) return field_invalid(field.name, wanted_of(field.kind));
  return {};
}

Result<void> assign(const Field& field, EndpointSettings& settings, FieldValue value) {
  if (Result<void> good = check_kind(field.shape(), value); !good) return good;
  return field.set(settings, std::move(value));
}

}  // namespace byway::registry
