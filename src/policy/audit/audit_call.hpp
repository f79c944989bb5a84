// What a call tells the audit log, and the ticket that it holds there.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include <byway/audit_record.hpp>
#include <byway/error.hpp>

namespace byway::policy {

class AuditLog;

/// Whose call it is and where it goes. Views are read before begin(), end() or refused() returns.
/// Nothing here may hold a prompt, a reply or a secret.
struct CallIntent {
  std::string_view request_id = {};
  std::string_view org = {};
  /// The customer key's bare id and "live" or "test"; both empty for the owner.
  std::string_view key_id = {};
  std::string_view mode = {};
  std::string_view endpoint_id = {};
  std::string_view endpoint = {};
  /// As the caller asked for it: a model id or an alias.
  std::string_view model = {};
  /// "chat", ...; "inference", ...
  std::string_view operation = {};
  std::string_view purpose = {};
};

struct CallOutcome {
  CallIntent call = {};
  /// "ok", or the error's name.
  std::string_view outcome = "ok";
  std::string_view cause = {};
  std::string_view model_served = {};
  std::int64_t status = 0;
  std::int64_t attempts = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_tokens = 0;
  std::int64_t reasoning_tokens = 0;
  bool is_estimated = false;
  std::int64_t nano_dollars = 0;
  std::int64_t latency_us = 0;
  std::int64_t queue_us = 0;
  std::int64_t upstream_us = 0;
  std::int64_t overhead_us = 0;
  std::int64_t first_token_us = 0;
  std::int64_t pii = 0;
};

AuditFields fields_of(const CallIntent& call, std::int64_t at_us) noexcept;
AuditFields fields_of(const CallOutcome& outcome, std::int64_t at_us) noexcept;

/// Waits for a record to be durable. It neither moves nor ends while it is parked.
struct DurableWaiter {
  /// Called once, from the store thread; must not block.
  void (*resume)(DurableWaiter& waiter) noexcept = nullptr;
  /// Told when it is resumed, or when it need not wait: the record is not durable and never will
  /// be by this process (policy_audit_unavailable).
  bool is_failed = false;

  // The log's own.
  std::int64_t number = 0;
  DurableWaiter* next = nullptr;
  DurableWaiter* previous = nullptr;
  bool is_parked = false;
};

/// Promises that the call's outcome will be written down. end() counts once; a ticket that is
/// dropped without it leaves the call in doubt. Lives no longer than its AuditLog. *One thread at a
/// time.* In a forked child it does nothing.
class [[nodiscard]] AuditTicket {
 public:
  AuditTicket() noexcept = default;
  AuditTicket(AuditLog& log, std::int64_t call) noexcept : log_(&log), call_(call), last_(call) {}
  AuditTicket(AuditTicket&& other) noexcept { swap(other); }
  AuditTicket& operator=(AuditTicket&& other) noexcept {
    AuditTicket(std::move(other)).swap(*this);
    return *this;
  }
  ~AuditTicket();

  explicit operator bool() const noexcept { return log_ != nullptr; }

  /// Before the result is handed over. Never refused.
  void end(const CallOutcome& outcome) noexcept;

  /// For strict mode, after begin() and after end(): false when the newest record of this ticket is
  /// durable, or never will be (waiter.is_failed); true when `resume` comes, later or already.
  bool when_durable(DurableWaiter& waiter) noexcept;
  /// True when the waiter was taken out and will not be resumed.
  bool cancel(DurableWaiter& waiter) noexcept;

 private:
  void swap(AuditTicket& other) noexcept {
    std::swap(log_, other.log_);
    std::swap(call_, other.call_);
    std::swap(last_, other.last_);
    std::swap(is_ended_, other.is_ended_);
  }
  AuditLog* log_ = nullptr;
  std::int64_t call_ = 0;
  std::int64_t last_ = 0;
  bool is_ended_ = false;
};

}  // namespace byway::policy
