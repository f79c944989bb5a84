// KeySettings: the fields of a customer key, and whether they mean something.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <byway/customer_key.hpp>
#include <byway/result.hpp>

#include "registry/fields.hpp"

namespace byway::registry {

using KeyField = FieldOf<CustomerKeySettings>;
/// In the order in which they are shown.
std::span<const KeyField> key_fields() noexcept;

/// See set_field(); `rpm` also takes "60/10", and without a burst takes the one it had away. Code:
/// registry_field_invalid.
Result<void> set_key_field(CustomerKeySettings& settings, std::string_view name,
                           std::string_view text);

/// Every field that differs from its default.
std::string to_json(const CustomerKeySettings& settings);
/// Code: registry_field_invalid.
Result<CustomerKeySettings> key_settings_from_json(std::string_view json);

/// Checks every field and brings it into the form that is stored: a rate of 0 becomes none, a date
/// its midnight. Code: registry_field_invalid, the field as the error's param.
Result<void> check_key_settings(CustomerKeySettings& settings);

/// "", "off", "redact", "tokenize" or "block". Code: registry_field_invalid.
Result<void> check_pii_mode(std::string_view mode);
/// A limit of `field` is 1 to 10^15. Code: registry_field_invalid.
Result<void> check_cap(std::string_view field, const std::optional<std::int64_t>& cap);
/// The caps of a key or an org. Code: registry_field_invalid.
template <class Limits>
Result<void> check_caps(const Limits& limits) {
  const std::pair<std::string_view, const std::optional<std::int64_t>&> caps[] = {
      {"cap_day", limits.cap_day},
      {"cap_month", limits.cap_month},
      {"cap_tokens_day", limits.cap_tokens_day},
      {"cap_tokens_month", limits.cap_tokens_month},
      {"cap_money_month", limits.cap_money_month}};
  for (const auto& [field, cap] : caps) {
    if (Result<void> good = check_cap(field, cap); !good) return good;
  }
  return {};
}

}  // namespace byway::registry
