#include "router/limit_policy.hpp"

#include "router/call_policies.hpp"
#include "router/charge.hpp"

namespace byway::router {

Verdict LimitPolicy::admit(CallState& state) {
  auto& call = static_cast<CallPolicies&>(state);
  const policy::LimitList* list = call.limits();
  if (list == nullptr || list->limits.empty()) return Proceed();
  const auto hold = hold_of(call.plan(), *list);
  if (!hold) return hold.error();
  const auto quota = ledger_->quota();
  if (!quota) return quota.error();
  LimitTurn& turn = call.state<LimitPolicy>().turn;
  const LimitTurn::Answer answer =
      turn.ask(**quota, *list, *hold, label_of(call.facts().request_id),
               [&] { return call.take_held_resume(); });
  if (answer == LimitTurn::Answer::admitted) return Proceed();
  if (answer == LimitTurn::Answer::waits) return Later();
  return refusal_error(answer, turn.refusal(), ledger_->clock().wall_now());
}

void LimitPolicy::settle(const CallState& state, const Outcome& outcome) noexcept {
  // The state is this policy's own to change.
  auto& turn = const_cast<State&>(state.state<LimitPolicy>()).turn;
  policy::Quota* quota = ledger_->open_quota();
  if (quota == nullptr) return;
  turn.leave(*quota);
  const auto& call = static_cast<const CallPolicies&>(state);
  if (!turn.ticket()) return;
  policy::Amounts held;
  if (outcome.has_unknown_attempt) held = hold_of(call.plan(), *call.limits()).value_or(held);
  router::settle(turn.ticket(), UpstreamEnding::of(outcome), held,
                 call.plan().entry->endpoint.settings);
}

}  // namespace byway::router
