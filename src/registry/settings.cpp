#include "registry/settings.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "registry/fields.hpp"
#include "registry/limit_bounds.hpp"
#include "wire/extra_body.hpp"
#include "wire/http_headers.hpp"
#include "wire/json_write.hpp"
#include "wire/model_id.hpp"

namespace byway::registry {
namespace {

constexpr std::size_t text_bytes_max = 4096;
constexpr std::size_t dialect_bytes_max = std::size_t{64} << 10;
constexpr std::size_t items_max = 1024;
/// A year; more is a mistake, and sums of it would overflow nothing.
constexpr std::int64_t timeout_ms_max = 366LL * 24 * 3600 * 1000;

bool is_alphanumeric(char byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

/// No control characters and valid UTF-8: these words are printed, logged and compared.
Result<void> check_text(std::string_view field, std::string_view text) {
  if (text.size() > text_bytes_max) return field_invalid(field, "is longer than 4096 bytes");
  const bool has_control = std::any_of(text.begin(), text.end(), [](char byte) {
    return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
  });
  if (has_control) return field_invalid(field, "holds a control character");
  if (!wire::is_utf8(text)) return field_invalid(field, "is not valid UTF-8");
  return {};
}

Result<void> check_texts(const EndpointSettings& settings) {
  for (const Field& field : all_fields()) {
    const FieldValue value = field.get(settings);
    const auto* text = std::get_if<std::string>(&value);
    // These have rules of their own, which say more.
    const bool has_rule = field.kind == FieldKind::text_or_object || field.name == "extra_body" ||
                          field.name == "base_url" || field.name == "slug" || field.name == "proxy";
    if (text != nullptr && !has_rule) {
      if (Result<void> good = check_text(field.name, *text); !good) return good;
    }
    const auto* items = std::get_if<std::vector<std::string>>(&value);
    if (items == nullptr || field.kind != FieldKind::list) continue;
    if (items->size() > items_max) return field_invalid(field.name, "has more than 1024 items");
    for (const std::string& item : *items) {
      if (item.empty()) return field_invalid(field.name, "has an empty item");
      if (Result<void> good = check_text(field.name, item); !good) return good;
    }
  }
  return {};
}

/// Only a whole "*" is a wildcard (decisions section 7, safety B43); one inside a name is a letter
/// of that name, which its writer may not have meant.
void warn_of_stars(const EndpointSettings& settings, std::vector<std::string>& warnings) {
  if (!settings.allow) return;
  for (const std::string& item : *settings.allow) {
    if (item == "*" || item.find('*') == std::string::npos) continue;
    warnings.push_back("allow: \"" + std::string(wire::utf8_prefix(item, 64)) +
                       "\" is one model's name; only a \"*\" alone stands for all");
  }
}

/// What another rule says of a field's value, under the field's name.
Error about_field(std::string_view field, const Error& error) {
  ErrorFields fields = error.fields();
  for (const std::string& prefix : {fields.param + ": ", std::string(field) + " "}) {
    if (fields.message.starts_with(prefix)) fields.message.erase(0, prefix.size());
  }
  fields.message = std::string(field) + ": " + fields.message;
  fields.param = field;
  return Error(std::move(fields));
}

Result<void> check_headers(const std::vector<NameValue>& headers) {
  for (const auto& [name, value] : headers) {
    const auto verdict = wire::check_request_header(name, value);
    if (!verdict) return about_field("headers", verdict.error());
    if (*verdict == wire::HeaderVerdict::strip) {
      return field_invalid("headers", name + " is a name that never goes upstream");
    }
  }
  return {};
}

Result<void> check_numbers(const EndpointSettings& settings) {
  for (const Field& field : all_fields()) {
    const FieldValue value = field.get(settings);
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr) continue;
    if (*number < 0) return field_invalid(field.name, "is negative");
    if (const std::int64_t most = limit_max(field.name); *number > most) {
      return field_invalid(field.name, "is more than " + std::to_string(most));
    }
    if (field.name.starts_with("timeouts.") && *number > timeout_ms_max) {
      return field_invalid(field.name, "is longer than a year; 0 means no limit");
    }
  }
  return {};
}

Result<void> check_files(const EndpointSettings& settings) {
  if (settings.client_cert.empty() != settings.client_key.empty()) {
    const bool lacks_key = settings.client_key.empty();
    return field_invalid(lacks_key ? "client_key" : "client_cert",
                         "client_cert and client_key are given together or not at all");
  }
  return {};
}

/// "http://host:port" and nothing else: a password would be a secret outside the vault.
Result<BaseUrl> check_proxy(std::string_view text, std::span<const Cidr> allow_addresses) {
  Result<BaseUrl> proxy =
      parse_base_url(text, {.allow_insecure_http = true, .allow_addresses = allow_addresses});
  if (!proxy) return about_field("proxy", proxy.error());
  const std::string_view rest = std::string_view(proxy->text).substr(proxy->scheme.size() + 3);
  const bool has_port = rest.ends_with(":" + std::to_string(proxy->port));
  if (proxy->scheme != "http" || !has_port || rest.find_first_of("/?") != std::string_view::npos) {
    return field_invalid("proxy", "must be http://host:port");
  }
  return proxy;
}

}  // namespace

bool is_org(std::string_view text) noexcept {
  if (text.empty() || text.size() > 64 || !is_alphanumeric(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](char byte) {
    return is_alphanumeric(byte) || byte == '.' || byte == '_' || byte == '-';
  });
}

Result<CheckedSettings> check_settings(const EndpointSettings& settings) {
  if (!wire::is_slug(settings.slug)) {
    ErrorFields fields{.code = ErrorCode::registry_slug_invalid};
    fields.message =
        "slug: must be 3 to 40 characters of a-z, 0-9 and '-', a letter first and no '-' last";
    fields.param = "slug";
    return Error(std::move(fields));
  }
  if (!is_org(settings.org)) {
    return field_invalid("org", "must be 1 to 64 characters of a-z, 0-9, '.', '_' and '-'");
  }
  if (Result<void> good = check_texts(settings); !good) return good.error();
  if (Result<void> good = check_headers(settings.headers); !good) return good.error();
  if (Result<void> good = check_numbers(settings); !good) return good.error();
  if (Result<void> good = check_files(settings); !good) return good.error();
  if (Result<void> good = wire::validate_extra_body(settings.extra_body); !good) {
    return about_field("extra_body", good.error());
  }
  for (const auto& [name, value] : settings.query) {
    if (Result<void> good = check_text("query", name + value); !good) return good.error();
  }
  if (settings.dialect.size() > dialect_bytes_max) {
    return field_invalid("dialect", "is longer than 64 KiB");
  }
  CheckedSettings checked;
  Result<std::shared_ptr<const wire::Dialect>> dialect = wire::dialect_of_setting(settings.dialect);
  if (!dialect) return about_field("dialect", dialect.error());
  checked.dialect = *std::move(dialect);
  for (const std::string& text : settings.allow_addresses) {
    Result<Cidr> cidr = parse_cidr(text);
    if (!cidr) return cidr.error();
    checked.allow_addresses.push_back(*cidr);
  }
  Result<BaseUrl> base_url =
      parse_base_url(settings.base_url, {.allow_insecure_http = settings.allow_insecure_http,
                                         .allow_addresses = checked.allow_addresses});
  if (!base_url) return base_url.error();
  checked.base_url = *std::move(base_url);
  checked.warnings = checked.base_url.warnings;
  warn_of_stars(settings, checked.warnings);
  if (settings.proxy.empty()) return checked;
  Result<BaseUrl> proxy = check_proxy(settings.proxy, checked.allow_addresses);
  if (!proxy) return proxy.error();
  checked.proxy = *std::move(proxy);
  return checked;
}

}  // namespace byway::registry
