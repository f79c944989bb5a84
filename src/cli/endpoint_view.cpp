#include "cli/endpoint_view.hpp"

#include "cli/capability_view.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

std::string strings(const std::vector<std::string>& items) {
  return json_list(items, [](const std::string& item) { return json_text(item); });
}

std::string pairs(const std::vector<NameValue>& items, const char* separator) {
  return json_list(items, [&](const NameValue& item) {
    return json_text(item.first + separator + item.second);
  });
}

std::optional<std::int64_t> count_of(std::optional<std::chrono::milliseconds> limit) {
  if (!limit) return {};
  return limit->count();
}

std::string timeouts_json(const EndpointTimeouts& timeouts) {
  return Json()
      .number("connect_ms", count_of(timeouts.connect))
      .number("first_byte_ms", count_of(timeouts.first_byte))
      .number("first_token_ms", count_of(timeouts.first_token))
      .number("stall_ms", count_of(timeouts.stall))
      .number("total_ms", count_of(timeouts.total))
      .str();
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

std::string joined(const std::vector<NameValue>& items, const char* separator) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : items) lines.push_back(name + separator + value);
  return joined(lines);
}

std::string number_text(std::optional<std::int64_t> value, const char* unit = "") {
  return value ? std::to_string(*value) + unit : "";
}

std::string key_text(const Endpoint& endpoint, bool opens) {
  if (!endpoint.has_key) return "none";
  std::string text =
      endpoint.key_preview + "  generation " + std::to_string(endpoint.key_generation);
  if (!opens) text += "  DOES NOT OPEN: rotate it";
  return text;
}

}  // namespace

std::string json_of(const Endpoint& endpoint, bool opens) {
  const EndpointSettings& settings = endpoint.settings;
  Json json;
  json.text("slug", settings.slug).text("name", settings.name).text("base_url", settings.base_url);
  json.text_or_null("key", endpoint.key_preview);
  if (settings.allow) {
    json.raw("allow", strings(*settings.allow));
  } else {
    json.null("allow");
  }
  json.flag("enabled", settings.enabled);
  if (settings.dialect.starts_with('{')) {
    json.raw("dialect", settings.dialect);
  } else {
    json.text("dialect", settings.dialect);
  }
  json.raw("tags", strings(settings.tags)).text_or_null("region", settings.region);
  json.text_or_null("default_model", settings.default_model);
  if (settings.extra_body.empty()) {
    json.null("extra_body");
  } else {
    json.raw("extra_body", settings.extra_body);
  }
  json.raw("headers", pairs(settings.headers, ": ")).raw("query", pairs(settings.query, "="));
  json.text_or_null("ca_file", settings.ca_file);
  json.text_or_null("client_cert", settings.client_cert);
  json.text_or_null("client_key", settings.client_key);
  json.flag("allow_insecure_http", settings.allow_insecure_http);
  json.raw("allow_addresses", strings(settings.allow_addresses));
  json.text_or_null("proxy", settings.proxy).raw("timeouts", timeouts_json(settings.timeouts));
  json.number("in_flight", settings.in_flight).number("rpm", settings.rpm);
  json.number("tpm", settings.tpm).number("price_input", settings.price_input);
  json.number("price_output", settings.price_output).text("org", settings.org);
  json.text("id", endpoint.id).text("origin", endpoint.origin).flag("has_key", endpoint.has_key);
  json.number("key_generation", static_cast<std::int64_t>(endpoint.key_generation));
  json.flag("key_opens", endpoint.has_key ? std::optional<bool>(opens) : std::nullopt);
  json.text("created_at", endpoint.created_at).text("updated_at", endpoint.updated_at);
  json.raw("capabilities", endpoint.capabilities ? json_of(*endpoint.capabilities) : "null");
  return json.str();
}

std::string allow_text(const Endpoint& endpoint) {
  if (!endpoint.settings.allow) return "all";
  return endpoint.settings.allow->empty() ? "none" : joined(*endpoint.settings.allow);
}

std::string describe(const Endpoint& endpoint, bool opens) {
  const EndpointSettings& settings = endpoint.settings;
  const EndpointTimeouts& limits = settings.timeouts;
  const CapabilityRecord record = endpoint.capabilities.value_or(CapabilityRecord());
  return aligned({{"endpoint", "byo:" + settings.slug},
                  {"name", settings.name},
                  {"base URL", settings.base_url},
                  {"key", key_text(endpoint, opens)},
                  {"enabled", settings.enabled ? "yes" : "no"},
                  {"models", allow_text(endpoint)},
                  {"default model", settings.default_model},
                  {"dialect", settings.dialect},
                  {"tags", joined(settings.tags)},
                  {"region", settings.region},
                  {"extra body", settings.extra_body},
                  {"headers", joined(settings.headers, ": ")},
                  {"query", joined(settings.query, "=")},
                  {"CA file", settings.ca_file},
                  {"client cert", settings.client_cert},
                  {"client key", settings.client_key},
                  {"insecure http", settings.allow_insecure_http ? "allowed" : ""},
                  {"addresses", joined(settings.allow_addresses)},
                  {"proxy", settings.proxy},
                  {"connect", number_text(count_of(limits.connect), " ms")},
                  {"first byte", number_text(count_of(limits.first_byte), " ms")},
                  {"first token", number_text(count_of(limits.first_token), " ms")},
                  {"stall", number_text(count_of(limits.stall), " ms")},
                  {"total", number_text(count_of(limits.total), " ms")},
                  {"in flight", number_text(settings.in_flight)},
                  {"rpm", number_text(settings.rpm)},
                  {"tpm", number_text(settings.tpm)},
                  {"price input", number_text(settings.price_input, " nano-dollars per million")},
                  {"price output", number_text(settings.price_output, " nano-dollars per million")},
                  {"org", settings.org},
                  {"id", endpoint.id},
                  {"last probe", endpoint.capabilities ? last_probe_text(record) : "none"},
                  {"it learned", capability_text(record)},
                  {"context length", number_text(record.context_length)},
                  {"rate headers", joined(record.rate_headers)},
                  {"proposed dialect", proposal_text(record)},
                  {"created", endpoint.created_at},
                  {"updated", endpoint.updated_at}});
}

}  // namespace byway::cli
