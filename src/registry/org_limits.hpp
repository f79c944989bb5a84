// OrgLimits: the fields of an org, and whether they mean something.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <byway/org.hpp>
#include <byway/result.hpp>

#include "registry/fields.hpp"

namespace byway::registry {

using OrgField = FieldOf<OrgLimits>;
std::span<const OrgField> org_fields() noexcept;

/// See set_field(). Code: registry_field_invalid.
Result<void> set_org_field(OrgLimits& limits, std::string_view name, std::string_view text);
/// Every field that differs from its default.
std::string to_json(const OrgLimits& limits);
/// Code: registry_field_invalid.
Result<OrgLimits> org_limits_from_json(std::string_view json);
/// Code: registry_field_invalid, the field as the error's param.
Result<void> check_org_limits(const OrgLimits& limits);

}  // namespace byway::registry
