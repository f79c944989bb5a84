// Tale: what calls did that were stopped and killed between their steps, and the calls themselves.
#pragma once

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "policy/quota/step.hpp"
#include "quota/scratch_quota.hpp"

namespace byway::policy {

/// What happened to each call, as far as its caller knows.
struct Tale {
  std::set<std::string> charged;
  std::set<std::string> returned;
  std::set<std::string> being_charged;
};

inline std::vector<Limit> limits_of(const std::string& name, std::int64_t of_key,
                                    std::int64_t of_org) {
  Limit flights = in_flight(100);
  flights.subject = Subject::of("key", name);
  Limit calls = rate(6000);
  calls.subject = Subject::of("key", name);
  return {calls, flights, cap("key", name, LimitKind::day, of_key),
          cap("org", name, LimitKind::day, of_org),
          cap("org", name, LimitKind::day, 1000, QuotaUnit::tokens)};
}

/// One call from admission to settlement. `patience`: so many times it waits a step for units that
/// are not reserved yet.
inline void call(Quota& quota, const std::vector<Limit>& limits, const std::string& label,
                 bool is_sent, Tale& tale, int patience = 0) {
  Admission admission = quota.admit(limits, {1, 10, 0}, label);
  while (admission.outcome == Admission::Outcome::wait && patience-- > 0) {
    step();
    admission = quota.admit(limits, {1, 10, 0}, label);
  }
  if (admission.outcome != Admission::Outcome::admitted) return;
  step();
  if (!is_sent) {
    admission.ticket.give_back();
    tale.returned.insert(label);
    return;
  }
  admission.ticket.sent();
  tale.being_charged.insert(label);
  step();
  admission.ticket.settle({1, 7, 0});
  tale.charged.insert(label);
}

inline std::int64_t used(Quota& quota, const Limit& limit) {
  return limit.limit - quota.remaining(limit).value_or(limit.limit);
}

/// In the long forms as many as BYWAY_QUOTA_INTERLEAVINGS says.
inline std::int64_t rounds(std::int64_t usual) {
  const char* wanted = std::getenv("BYWAY_QUOTA_INTERLEAVINGS");
  return wanted != nullptr ? std::atoll(wanted) : usual;
}

}  // namespace byway::policy
