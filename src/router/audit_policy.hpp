// AuditPolicy: the last policy of every chain over a store: what leaves is written down before, and
// how it ended before the caller hears of it.
#pragma once

#include <memory>

#include <byway/policy.hpp>

#include "policy/audit/audit_log.hpp"
#include "router/call_policies.hpp"

namespace byway::router {

class AuditDesk;

/// Step 12 of the order of enforcement. In strict mode (the org's) a call waits here until its
/// intent is durable, and Call::finish() waits for its outcome. *Safe from any thread.*
class AuditPolicy {
 public:
  /// One call's place in the log.
  struct State : policy::DurableWaiter {
    policy::AuditTicket ticket;
    HeldResume resume_call;
    /// Nothing is waited for any more before the call is sent.
    bool is_admitted = false;
  };
  /// Null refuses every call with policy_audit_unavailable: nothing could be written down.
  explicit AuditPolicy(AuditDesk* desk) noexcept : desk_(desk) {}

  Verdict admit(CallState& call);
  void settle(const CallState& call, const Outcome& outcome) noexcept;

 private:
  AuditDesk* desk_;
};

}  // namespace byway::router
