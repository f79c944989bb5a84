#include "registry/key_settings.hpp"

#include <algorithm>
#include <utility>

#include "base/time_text.hpp"
#include "registry/alias_rules.hpp"
#include "registry/field_list.hpp"
#include "registry/field_members.hpp"
#include "registry/limit_bounds.hpp"
#include "wire/json_write.hpp"
#include "wire/model_id.hpp"

namespace byway::registry {
namespace {

using Settings = CustomerKeySettings;

constexpr std::size_t text_bytes_max = 256;
constexpr std::size_t items_max = 1024;
/// A call every 60 ns: more is a mistake, and the rate limiter counts in nanoseconds.

FieldValue get_role(const Settings& settings) {
  return std::string(name_of(settings.role));
}
Result<void> set_role(Settings& settings, FieldValue&& value) {
  const auto& text = std::get<std::string>(value);
  for (const Role role : {Role::admin, Role::editor, Role::viewer, Role::caller}) {
    if (name_of(role) != text) continue;
    settings.role = role;
    return {};
  }
  return field_invalid("role", "must be admin, editor, viewer or caller");
}

constexpr KeyField fields[] = {
    text_field<&Settings::name>("name"),
    {"role", FieldKind::text, false, get_role, set_role},
    optional_list_field<&Settings::allow>("allow"),
    number_field<&Settings::rpm>("rpm"),
    number_field<&Settings::rpm_burst>("rpm_burst"),
    number_field<&Settings::tpm>("tpm"),
    number_field<&Settings::in_flight>("in_flight"),
    number_field<&Settings::cap_day>("cap_day"),
    number_field<&Settings::cap_month>("cap_month"),
    number_field<&Settings::cap_tokens_day>("cap_tokens_day"),
    number_field<&Settings::cap_tokens_month>("cap_tokens_month"),
    number_field<&Settings::cap_money_month>("cap_money_month"),
    text_field<&Settings::region>("region"),
    text_field<&Settings::pii>("pii"),
    text_field<&Settings::expires>("expires"),
};

Result<void> check_words(std::string_view field, std::string_view text) {
  if (text.size() > text_bytes_max) return field_invalid(field, "is longer than 256 bytes");
  const bool has_control = std::any_of(text.begin(), text.end(), [](char byte) {
    return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
  });
  if (has_control) return field_invalid(field, "holds a control character");
  if (!wire::is_utf8(text)) return field_invalid(field, "is not valid UTF-8");
  return {};
}

Result<void> check_allow(const std::optional<std::vector<std::string>>& allow) {
  if (!allow) return {};
  if (allow->size() > items_max) return field_invalid("allow", "has more than 1024 items");
  for (const std::string& item : *allow) {
    if (item == "byo:*" || is_alias_name(item)) continue;
    if (wire::is_utf8(item) && item.size() <= alias_model_bytes_max && wire::parse_model_id(item)) {
      continue;
    }
    return field_invalid("allow", "\"" + std::string(wire::utf8_prefix(item, 64)) +
                                      "\" is not byo:*, byo:<slug>/*, byo:<slug>/<model> or an "
                                      "alias");
  }
  return {};
}

/// 0 is none (governance section 5).
Result<void> check_rate(std::string_view field, std::optional<std::int64_t>& rate) {
  const std::int64_t most = limit_max(field);
  if (!rate) return {};
  if (*rate < 0) return field_invalid(field, "is negative");
  if (*rate > most) return field_invalid(field, "is more than " + std::to_string(most));
  if (*rate == 0) rate.reset();
  return {};
}

Result<void> check_rates(Settings& settings) {
  if (Result<void> good = check_rate("rpm", settings.rpm); !good) return good;
  if (Result<void> good = check_rate("rpm_burst", settings.rpm_burst); !good) return good;
  if (Result<void> good = check_rate("tpm", settings.tpm); !good) return good;
  if (settings.rpm_burst && !settings.rpm) {
    return field_invalid("rpm_burst", "is a burst of no rate: give rpm too");
  }
  return check_rate("in_flight", settings.in_flight);
}

}  // namespace

std::span<const KeyField> key_fields() noexcept {
  return fields;
}

Result<void> set_key_field(Settings& settings, std::string_view name, std::string_view text) {
  if (name != "rpm") return set_field_in(key_fields(), settings, name, text);
  const std::size_t slash = text.find('/');
  const std::string_view burst = slash == text.npos ? "null" : text.substr(slash + 1);
  Result<void> done = set_field_in(key_fields(), settings, "rpm", text.substr(0, slash));
  if (!done) return done;
  return set_field_in(key_fields(), settings, "rpm_burst", burst);
}

std::string to_json(const Settings& settings) {
  return json_of_fields(key_fields(), settings);
}

Result<Settings> key_settings_from_json(std::string_view json) {
  return fields_from_json(key_fields(), json);
}

Result<void> check_pii_mode(std::string_view mode) {
  if (mode.empty() || mode == "off") return {};
  for (const std::string_view later : {"redact", "tokenize", "block"}) {
    if (mode != later) continue;
    return field_invalid("pii", "this version finds no personal data, and a rule that is not "
                                "enforced must not be set; leave it out");
  }
  return field_invalid("pii", "must be off, redact, tokenize or block");
}

Result<void> check_cap(std::string_view field, const std::optional<std::int64_t>& cap) {
  if (!cap) return {};
  if (*cap < 0) return field_invalid(field, "is negative");
  if (*cap == 0) return field_invalid(field, "must be at least 1; null is no cap");
  if (*cap > cap_max) return field_invalid(field, "is more than " + std::to_string(cap_max));
  return {};
}

Result<void> check_key_settings(Settings& settings) {
  if (Result<void> good = check_words("name", settings.name); !good) return good;
  if (Result<void> good = check_words("region", settings.region); !good) return good;
  if (Result<void> good = check_allow(settings.allow); !good) return good;
  if (Result<void> good = check_rates(settings); !good) return good;
  if (Result<void> good = check_caps(settings); !good) return good;
  if (Result<void> good = check_pii_mode(settings.pii); !good) return good;
  if (settings.expires.empty()) return {};
  const auto expires = base::parse_rfc3339(settings.expires);
  if (!expires) {
    return field_invalid("expires", "must be a time in UTC like 2027-01-31T00:00:00Z, or a date");
  }
  settings.expires = base::rfc3339(*expires);
  return {};
}

}  // namespace byway::registry
