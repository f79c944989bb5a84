// AuditDesk: the audit log of a router, its store and the thread that makes records durable.
#pragma once

#include <memory>
#include <string>

#include <byway/clock.hpp>
#include <byway/result.hpp>

#include "policy/audit/audit_log.hpp"
#include "policy/audit/audit_observer.hpp"
#include "store/audit_chain.hpp"

namespace byway::router {

/// What tells an observer of records and heads; a null one hears nothing. The observer outlives it.
store::AuditListener listener_of(policy::AuditObserver* observer);

struct AuditDeskOptions {
  std::string store = {};
  store::AuditKey key = {};
  store::AuditListener listener = {};
  std::shared_ptr<Clock> clock = Clock::system();
};

/// A call does three things with log(): begin() before its first byte, and end() on the ticket (or
/// refused() without one) before its result is handed over. *Safe from any thread.* In a forked
/// child it does nothing.
class AuditDesk {
 public:
  /// Codes: those of the store, and internal_error when the system gives no thread.
  static Result<std::unique_ptr<AuditDesk>> open(AuditDeskOptions options);
  AuditDesk(const AuditDesk&) = delete;
  AuditDesk& operator=(const AuditDesk&) = delete;
  /// Writes down what is left and ends the thread; calls and their tickets are gone by then.
  ~AuditDesk();

  policy::AuditLog& log() const noexcept;

 private:
  struct State;
  struct Drop {
    void operator()(State* state) const noexcept;
  };
  explicit AuditDesk(std::unique_ptr<State, Drop> state) noexcept;

  std::unique_ptr<State, Drop> state_;
};

}  // namespace byway::router
