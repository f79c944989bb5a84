#include "router/audit_policy.hpp"

#include <algorithm>
#include <utility>

#include "router/audit_desk.hpp"
#include "router/call_policies.hpp"
#include "router/charge.hpp"

namespace byway::router {
namespace {

using std::chrono::microseconds;

Error unavailable() {
  return Error(ErrorCode::policy_audit_unavailable,
               "the audit log cannot be written, so nothing is sent; see Health::audit");
}

bool is_strict(const CallPolicies& call) noexcept {
  return call.limits() != nullptr && call.limits()->is_audit_strict;
}

policy::CallIntent intent_of(const CallFacts& facts) noexcept {
  constexpr std::string_view prefix = "byo:";
  policy::CallIntent intent;
  intent.request_id = facts.request_id;
  intent.org = facts.org;
  intent.key_id = facts.key_id;
  if (!facts.key_id.empty()) intent.mode = name_of(facts.mode);
  intent.endpoint_id = facts.endpoint_id;
  intent.endpoint = facts.provider.substr(std::min(prefix.size(), facts.provider.size()));
  intent.model = facts.alias.empty() ? facts.model : facts.alias;
  intent.operation = name_of(facts.operation);
  intent.purpose = name_of(facts.purpose);
  return intent;
}

std::int64_t us_of(std::chrono::nanoseconds time) noexcept {
  return std::chrono::duration_cast<microseconds>(time).count();
}

void add_tokens(policy::CallOutcome& told, const CallPolicies& call, const Outcome& outcome) {
  const UpstreamEnding ending = UpstreamEnding::of(outcome);
  const Charging charging = charging_of(ending);
  if (charging != Charging::by_usage && charging != Charging::as_held) return;
  told.is_estimated = charging == Charging::as_held;
  const Tokens tokens =
      told.is_estimated ? estimate_of(call.plan()) : *tokens_of(outcome.usage, outcome.has_usage);
  told.input_tokens = tokens.input;
  told.output_tokens = tokens.output;
  told.nano_dollars = price_of(tokens, call.plan().entry->endpoint.settings);
  if (told.is_estimated) return;
  told.cached_tokens = std::max<std::int64_t>(0, outcome.usage.cached_tokens.value_or(0));
  told.reasoning_tokens = std::max<std::int64_t>(0, outcome.usage.reasoning_tokens.value_or(0));
}

policy::CallOutcome outcome_of(const CallPolicies& call, const Outcome& outcome) {
  policy::CallOutcome told;
  told.call = intent_of(call.facts());
  if (outcome.error != nullptr) {
    told.outcome = outcome.error->name();
    told.cause = outcome.error->cause();
    // A refusal by an endpoint that was found before the call was planned names it.
    if (told.call.endpoint.empty() && !outcome.error->endpoint().empty()) {
      told.call.endpoint = std::string_view(outcome.error->endpoint()).substr(4);
    }
  }
  told.model_served = outcome.model_served;
  told.status = outcome.status;
  told.attempts = outcome.attempts;
  add_tokens(told, call, outcome);
  told.latency_us = us_of(outcome.latency);
  told.queue_us = us_of(outcome.queued);
  told.overhead_us = us_of(outcome.overhead);
  told.upstream_us = std::max<std::int64_t>(0, told.latency_us - told.queue_us - told.overhead_us);
  told.first_token_us = us_of(outcome.first_token);
  return told;
}

void tell(policy::DurableWaiter& waiter) noexcept {
  // Keeps the call, and with it this waiter, until the end of this.
  HeldResume held = std::move(static_cast<AuditPolicy::State&>(waiter).resume_call);
  held.resume.resume();
}

}  // namespace

Verdict AuditPolicy::admit(CallState& state) {
  auto& call = static_cast<CallPolicies&>(state);
  auto& mine = call.state<AuditPolicy>();
  if (desk_ == nullptr || mine.is_failed) return unavailable();
  mine.is_admitted = static_cast<bool>(mine.ticket);
  if (mine.is_admitted) return Proceed();  // it has waited
  auto ticket = desk_->log().begin(intent_of(call.facts()));
  if (!ticket) return ticket.error();
  mine.ticket = *std::move(ticket);
  mine.is_admitted = true;
  if (!is_strict(call)) return Proceed();
  mine.resume = &tell;
  mine.resume_call = call.take_held_resume();
  if (mine.ticket.when_durable(mine)) {
    mine.is_admitted = false;
    return Later();
  }
  mine.resume_call = {};
  if (mine.is_failed) return unavailable();
  return Proceed();
}

void AuditPolicy::settle(const CallState& state, const Outcome& outcome) noexcept {
  if (desk_ == nullptr) return;
  // Both are this policy's own to change.
  auto& call = const_cast<CallPolicies&>(static_cast<const CallPolicies&>(state));
  auto& mine = const_cast<State&>(state.state<AuditPolicy>());
  const policy::CallOutcome told = outcome_of(call, outcome);
  if (!mine.ticket) return desk_->log().refused(told);
  if (!mine.is_admitted && mine.ticket.cancel(mine)) mine.resume_call = {};
  mine.ticket.end(told);
  if (is_strict(call) && mine.is_admitted) {
    mine.resume = &tell;
    mine.resume_call = call.take_held_resume();
    if (mine.ticket.when_durable(mine)) {
      call.hold_delivery();
    } else {
      mine.resume_call = {};
    }
  }
  mine.ticket = policy::AuditTicket();
}

}  // namespace byway::router
