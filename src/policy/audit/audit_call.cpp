#include "policy/audit/audit_call.hpp"

#include "policy/audit/audit_log.hpp"

namespace byway::policy {

AuditFields fields_of(const CallIntent& call, std::int64_t at_us) noexcept {
  AuditFields fields{.kind = AuditKind::intent, .at_us = at_us};
  fields.request_id = call.request_id;
  fields.org = call.org;
  fields.actor = call.key_id;
  fields.mode = call.mode;
  fields.endpoint_id = call.endpoint_id;
  fields.endpoint = call.endpoint;
  fields.model = call.model;
  fields.operation = call.operation;
  fields.purpose = call.purpose;
  return fields;
}

AuditFields fields_of(const CallOutcome& outcome, std::int64_t at_us) noexcept {
  AuditFields fields = fields_of(outcome.call, at_us);
  fields.kind = AuditKind::outcome;
  fields.action = outcome.outcome;
  fields.cause = outcome.cause;
  fields.model_served = outcome.model_served;
  fields.status = outcome.status;
  fields.attempts = outcome.attempts;
  fields.input_tokens = outcome.input_tokens;
  fields.output_tokens = outcome.output_tokens;
  fields.cached_tokens = outcome.cached_tokens;
  fields.reasoning_tokens = outcome.reasoning_tokens;
  fields.estimated = outcome.is_estimated ? 1 : 0;
  fields.nano_dollars = outcome.nano_dollars;
  fields.latency_us = outcome.latency_us;
  fields.queue_us = outcome.queue_us;
  fields.upstream_us = outcome.upstream_us;
  fields.overhead_us = outcome.overhead_us;
  fields.first_token_us = outcome.first_token_us;
  fields.pii = outcome.pii;
  return fields;
}

AuditTicket::~AuditTicket() {
  if (log_ != nullptr && !is_ended_) log_->end(call_, nullptr, last_);
}

void AuditTicket::end(const CallOutcome& outcome) noexcept {
  if (log_ == nullptr || std::exchange(is_ended_, true)) return;
  log_->end(call_, &outcome, last_);
}

bool AuditTicket::when_durable(DurableWaiter& waiter) noexcept {
  if (log_ != nullptr) return log_->park(waiter, last_);
  waiter.is_failed = true;
  return false;
}

bool AuditTicket::cancel(DurableWaiter& waiter) noexcept {
  return log_ != nullptr && log_->cancel(waiter);
}

}  // namespace byway::policy
