// KeySettings: the fields of a customer key, and whether they mean something.
#pragma once

#include <span>
#include <string>
#include <string_view>

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

}  // namespace byway::registry
