#include "router/limit_turn.hpp"

#include <string>
#include <utility>

#include "base/time_text.hpp"
#include "router/limits_left.hpp"

namespace byway::router {
namespace {

using policy::LimitKind;
using std::chrono::milliseconds;

std::string_view whose(const policy::Limit& limit) noexcept {
  const std::string_view owner = owner_of(limit);
  if (owner == "key") return "this customer key";
  return owner == "org" ? "the org" : "the endpoint";
}

std::string_view unit_of(const policy::Limit& limit) noexcept {
  if (limit.kind == LimitKind::in_flight) return " calls in flight";
  switch (limit.unit) {
    case QuotaUnit::tokens: return " tokens";
    case QuotaUnit::nano_dollars: return " nano-dollars";
    default: return " requests";
  }
}

/// Rounded up: who comes back then is admitted.
milliseconds up_to_ms(std::chrono::nanoseconds time) noexcept {
  return std::chrono::ceil<milliseconds>(time);
}

}  // namespace

LimitTurn::Answer LimitTurn::read(policy::Admission answer) noexcept {
  phase_.store(Phase::idle);
  refusal_ = answer.refusal;
  switch (answer.outcome) {
    case policy::Admission::Outcome::admitted:
      ticket_ = std::move(answer.ticket);
      return Answer::admitted;
    case policy::Admission::Outcome::refused: return Answer::refused;
    case policy::Admission::Outcome::wait: return Answer::waits;
    default: return Answer::unavailable;
  }
}

void LimitTurn::tell(policy::Waiter& waiter) noexcept {
  auto& turn = static_cast<LimitTurn&>(waiter);
  // Keeps the turn until the end of this, and whoever reads the answer may start at once.
  HeldResume held = std::move(turn.resume_);
  if (turn.phase_.exchange(Phase::told) == Phase::left) {
    turn.admission.ticket.give_back();
  } else {
    held.resume.resume();
  }
}

void LimitTurn::leave(policy::Quota& quota) noexcept {
  if (phase_.load() == Phase::idle) return;
  if (quota.cancel(*this)) {
    resume_ = {};
    phase_.store(Phase::idle);
    return;
  }
  if (phase_.exchange(Phase::left) == Phase::told) admission.ticket.give_back();
}

Error refusal_error(LimitTurn::Answer answer, const policy::Refusal& refusal, WallTime now) {
  if (answer != LimitTurn::Answer::refused || refusal.limit == nullptr) {
    return Error(ErrorCode::internal_error, "the limits of this call could not be looked up");
  }
  const policy::Limit& limit = *refusal.limit;
  ErrorFields fields{.code = ErrorCode::rate_limit_exceeded};
  fields.reason = name_of(limit);
  fields.message = std::string(whose(limit)) + " has reached its limit of " +
                   std::to_string(limit.limit) + std::string(unit_of(limit));
  if (policy::is_cap(limit.kind)) {
    fields.code = ErrorCode::spend_cap_exceeded;
    fields.message += limit.kind == LimitKind::day ? " a day" : " a month";
    fields.message += "; the next window begins at " + base::rfc3339(refusal.window_end);
    fields.retry_after = up_to_ms(refusal.window_end - now);
  } else if (limit.kind == LimitKind::rate) {
    fields.message += " a minute";
    fields.retryable = true;
    if (refusal.retry_after.count() > 0) fields.retry_after = up_to_ms(refusal.retry_after);
  } else {
    fields.retryable = true;
  }
  return Error(std::move(fields));
}

}  // namespace byway::router
