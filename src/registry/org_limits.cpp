#include "registry/org_limits.hpp"

#include "registry/field_list.hpp"
#include "registry/field_members.hpp"
#include "registry/key_settings.hpp"

namespace byway::registry {
namespace {

constexpr OrgField fields[] = {
    number_field<&OrgLimits::cap_day>("cap_day"),
    number_field<&OrgLimits::cap_month>("cap_month"),
    number_field<&OrgLimits::cap_tokens_day>("cap_tokens_day"),
    number_field<&OrgLimits::cap_tokens_month>("cap_tokens_month"),
    number_field<&OrgLimits::cap_money_month>("cap_money_month"),
    text_field<&OrgLimits::pii>("pii"),
    text_field<&OrgLimits::audit>("audit"),
};

}  // namespace

std::span<const OrgField> org_fields() noexcept {
  return fields;
}

Result<void> set_org_field(OrgLimits& limits, std::string_view name, std::string_view text) {
  return set_field_in(org_fields(), limits, name, text);
}

std::string to_json(const OrgLimits& limits) {
  return json_of_fields(org_fields(), limits);
}

Result<OrgLimits> org_limits_from_json(std::string_view json) {
  return fields_from_json(org_fields(), json);
}

Result<void> check_org_limits(const OrgLimits& limits) {
  if (Result<void> good = check_caps(limits); !good) return good;
  if (Result<void> good = check_pii_mode(limits.pii); !good) return good;
  for (const std::string_view known : {"", "relaxed", "strict"}) {
    if (limits.audit == known) return {};
  }
  return field_invalid("audit", "must be relaxed or strict");
}

}  // namespace byway::registry
