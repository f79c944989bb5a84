#include "cli/key_view.hpp"

#include <ctime>

#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

/// RFC 3339 in UTC sorts as text.
std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts));
}

std::string number_text(std::optional<std::int64_t> value) {
  return value ? std::to_string(*value) : "";
}

std::string rpm_text(const CustomerKeySettings& settings) {
  std::string text = number_text(settings.rpm);
  if (settings.rpm_burst) text += "/" + number_text(settings.rpm_burst);
  return text;
}

}  // namespace

std::string state_of(const CustomerKey& key) {
  if (!key.revoked_at.empty()) return "revoked";
  const std::string& expires = key.settings.expires;
  return !expires.empty() && expires <= now_text() ? "expired" : "good";
}

std::string allow_text(const CustomerKeySettings& settings) {
  if (!settings.allow) return "all";
  std::string text;
  for (const std::string& item : *settings.allow) text += (text.empty() ? "" : ", ") + item;
  return text.empty() ? "none" : text;
}

std::string limits_text(const CustomerKeySettings& settings) {
  std::string text;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) text += (text.empty() ? "" : ", ") + std::string(name) + " " + value;
  };
  add("rpm", rpm_text(settings));
  add("tpm", number_text(settings.tpm));
  add("in flight", number_text(settings.in_flight));
  add("day", number_text(settings.cap_day));
  add("month", number_text(settings.cap_month));
  add("tokens a day", number_text(settings.cap_tokens_day));
  add("tokens a month", number_text(settings.cap_tokens_month));
  add("money", number_text(settings.cap_money_month));
  return text.empty() ? "none" : text;
}

std::string json_of(const CustomerKey& key) {
  const CustomerKeySettings& settings = key.settings;
  Json json;
  json.text("id", key.id)
      .text("name", settings.name)
      .text("mode", name_of(key.mode))
      .text("state", state_of(key))
      .text("role", name_of(settings.role))
      .text("org", key.org);
  if (settings.allow) {
    json.raw("allow", json_list(*settings.allow, [](const auto& item) { return json_text(item); }));
  } else {
    json.null("allow");
  }
  return json.number("rpm", settings.rpm)
      .number("rpm_burst", settings.rpm_burst)
      .number("tpm", settings.tpm)
      .number("in_flight", settings.in_flight)
      .number("cap_day", settings.cap_day)
      .number("cap_month", settings.cap_month)
      .number("cap_tokens_day", settings.cap_tokens_day)
      .number("cap_tokens_month", settings.cap_tokens_month)
      .number("cap_money_month", settings.cap_money_month)
      .text_or_null("region", settings.region)
      .text_or_null("pii", settings.pii)
      .text_or_null("expires", settings.expires)
      .number("generation", key.generation)
      .text("created_at", key.created_at)
      .text("updated_at", key.updated_at)
      .text_or_null("revoked_at", key.revoked_at)
      .text_or_null("overlap_until", key.overlap_until)
      .str();
}

std::string describe(const CustomerKey& key) {
  const CustomerKeySettings& settings = key.settings;
  return aligned({{"key", key.id},
                  {"name", settings.name},
                  {"mode", std::string(name_of(key.mode))},
                  {"state", state_of(key)},
                  {"role", std::string(name_of(settings.role))},
                  {"org", key.org},
                  {"may call", allow_text(settings)},
                  {"region", settings.region},
                  {"limits", limits_text(settings)},
                  {"PII", settings.pii},
                  {"expires", settings.expires},
                  {"generation", std::to_string(key.generation)},
                  {"old secret until", key.overlap_until},
                  {"created", key.created_at},
                  {"changed", key.updated_at},
                  {"revoked", key.revoked_at}});
}

}  // namespace byway::cli
