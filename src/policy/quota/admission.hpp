// Admission: what the limits say to a call.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include <byway/clock.hpp>

#include "policy/quota/limit.hpp"
#include "policy/quota/ticket.hpp"

namespace byway::policy {

struct Refusal {
  /// The limit that is reached, one of those that were asked.
  const Limit* limit = nullptr;
  /// Of a rate: the exact wait. 0 when nobody knows.
  std::chrono::nanoseconds retry_after{0};
  /// Of a cap: when its window ends.
  WallTime window_end{};
  /// What is used or in flight; of a rate, the units that fit now.
  std::int64_t used = 0;
};

struct Admission {
  enum class Outcome : std::uint8_t {
    admitted,
    /// The limit has been reached.
    refused,
    /// Nothing is reached yet, but the call must wait for the store thread or for its turn.
    wait,
    /// More than 16 limits, a negative amount, or a forked child.
    unavailable,
  };
  Outcome outcome = Outcome::unavailable;
  Ticket ticket;
  Refusal refusal;
};

/// A call, and the place it takes in a line. It neither moves nor ends while it is parked, and
/// neither do the limits and the label that it names.
struct Waiter {
  std::span<const Limit> limits;
  Amounts amounts;
  /// The request id, up to 32 bytes.
  std::string_view label;
  /// Told once `resume` is called.
  Admission admission;
  /// Called once, from the thread that settled another call or did the store's work; must not
  /// block.
  void (*resume)(Waiter& waiter) noexcept = nullptr;

  // The line's own.
  Waiter* next = nullptr;
  Waiter* previous = nullptr;
  std::uint32_t line = 0;
  bool is_parked = false;
};

}  // namespace byway::policy
