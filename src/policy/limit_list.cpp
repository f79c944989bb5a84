#include "policy/limit_list.hpp"

#include <algorithm>
#include <optional>

namespace byway::policy {
namespace {

/// Limits of one subject.
class Listing {
 public:
  Listing(LimitList& list, Subject subject, std::uint8_t breadth) noexcept
      : list_(list), subject_(subject), breadth_(breadth) {}

  Limit& add(LimitKind kind, QuotaUnit unit, const std::optional<std::int64_t>& number) {
    if (number.value_or(0) <= 0) return unused_;
    list_.counts_tokens |= kind == LimitKind::rate && unit == QuotaUnit::tokens;
    list_.needs_bound |= is_cap(kind) && unit != QuotaUnit::requests;
    return list_.limits.emplace_back(Limit{
        .subject = subject_, .kind = kind, .unit = unit, .limit = *number, .breadth = breadth_});
  }

  /// Those of a key or an org.
  template <class Settings>
  void add_caps(const Settings& settings) {
    add(LimitKind::day, QuotaUnit::requests, settings.cap_day);
    add(LimitKind::month, QuotaUnit::requests, settings.cap_month);
    add(LimitKind::day, QuotaUnit::tokens, settings.cap_tokens_day);
    add(LimitKind::month, QuotaUnit::tokens, settings.cap_tokens_month);
    add(LimitKind::month, QuotaUnit::nano_dollars, settings.cap_money_month);
  }

 private:
  LimitList& list_;
  Subject subject_;
  std::uint8_t breadth_;
  Limit unused_;
};

LimitList in_order(LimitList list) {
  std::stable_sort(list.limits.begin(), list.limits.end(), enforced_before);
  return list;
}

}  // namespace

LimitList limits_of(const CustomerKey& key, const OrgLimits& org, bool waits) {
  LimitList list;
  Listing own(list, Subject::of("key", key.id), 0);
  const CustomerKeySettings& settings = key.settings;
  own.add(LimitKind::rate, QuotaUnit::requests, settings.rpm).burst =
      settings.rpm_burst.value_or(0);
  own.add(LimitKind::rate, QuotaUnit::tokens, settings.tpm);
  own.add(LimitKind::in_flight, QuotaUnit::requests, settings.in_flight).waits = waits;
  own.add_caps(settings);
  Listing(list, Subject::of("org", key.org), 1).add_caps(org);
  list.is_audit_strict = org.audit == "strict";
  return in_order(std::move(list));
}

LimitList limits_of_org(std::string_view org, const OrgLimits& limits) {
  LimitList list;
  Listing(list, Subject::of("org", org), 1).add_caps(limits);
  list.is_audit_strict = limits.audit == "strict";
  return in_order(std::move(list));
}

LimitList limits_of(const Endpoint& endpoint, bool waits) {
  LimitList list;
  Listing own(list, Subject::of("endpoint", endpoint.id), 0);
  const EndpointSettings& settings = endpoint.settings;
  own.add(LimitKind::rate, QuotaUnit::requests, settings.rpm);
  own.add(LimitKind::rate, QuotaUnit::tokens, settings.tpm);
  own.add(LimitKind::in_flight, QuotaUnit::requests, settings.in_flight).waits = waits;
  return in_order(std::move(list));
}

}  // namespace byway::policy
