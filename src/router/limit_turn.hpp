// LimitTurn: one call's or attempt's way through its limits: taken, refused, or in line.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include <byway/policy.hpp>

#include "policy/limit_list.hpp"
#include "policy/quota/quota.hpp"
#include "router/call_policies.hpp"

namespace byway::router {

/// *One thread at a time*, but for the telling, which comes from whoever frees a share. Stays where
/// it is, and outlives what it waits for: the HeldResume keeps the call that it is a part of.
class LimitTurn : private policy::Waiter {
 public:
  LimitTurn() noexcept = default;
  LimitTurn(const LimitTurn&) = delete;
  LimitTurn& operator=(const LimitTurn&) = delete;

  enum class Answer : std::uint8_t { admitted, refused, waits, unavailable };

  /// Asks, or reads the answer that was waited for. With `waits`, the HeldResume that
  /// `take_resume` gives is used once the answer is there. `list` and `label` outlive the turn.
  template <class F>
  Answer ask(policy::Quota& quota, const policy::LimitList& list, const policy::Amounts& asked,
             std::string_view name, F take_resume) {
    if (phase_.load() == Phase::told) return read(std::move(admission));
    if (phase_.load() == Phase::standing) return Answer::waits;
    const Answer first = read(quota.admit(list.limits, asked, name));
    if (first != Answer::waits) return first;
    limits = list.limits;
    amounts = asked;
    label = name;
    resume = &LimitTurn::tell;
    resume_ = take_resume();
    phase_.store(Phase::standing);
    if (quota.park(*this)) return Answer::waits;
    phase_.store(Phase::idle);
    resume_ = {};
    return read(std::move(admission));
  }

  /// Why it was refused, or would be.
  const policy::Refusal& refusal() const noexcept { return refusal_; }
  /// What is held.
  policy::Ticket& ticket() noexcept { return ticket_; }
  /// Out of the line; what was handed over meanwhile is given back.
  void leave(policy::Quota& quota) noexcept;

 private:
  enum class Phase : std::uint8_t { idle, standing, told, left };

  Answer read(policy::Admission answer) noexcept;
  static void tell(policy::Waiter& waiter) noexcept;

  policy::Ticket ticket_;
  policy::Refusal refusal_;
  HeldResume resume_;
  std::atomic<Phase> phase_{Phase::idle};
};

/// The refusal as the caller's error, with the exact wait or the window's end. Codes:
/// rate_limit_exceeded, spend_cap_exceeded; internal_error for `unavailable`.
Error refusal_error(LimitTurn::Answer answer, const policy::Refusal& refusal, WallTime now);

}  // namespace byway::router
