// TimerWheel: deadlines of one loop thread, cheap to set, move and drop by the hundred thousand.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include <byway/clock.hpp>

namespace byway::transport {

/// Something that hears of a deadline. It leaves the wheel before it is told and when it is
/// destroyed.
class Timer {
 public:
  Timer() noexcept = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  bool is_armed() const noexcept { return previous_ != nullptr; }

 protected:
  ~Timer() { unlink(); }
  virtual void on_timer() noexcept = 0;

 private:
  friend class TimerWheel;
  void unlink() noexcept {
    if (previous_ == nullptr) return;
    *previous_ = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    previous_ = nullptr;
  }

  Timer* next_ = nullptr;
  Timer** previous_ = nullptr;
  std::uint64_t tick_ = 0;
};

/// A hierarchical timing wheel (Varghese and Lauck, 1987): six levels of 64 slots over ticks of one
/// millisecond. Timers never fire early; they fire at most one tick late. *Loop thread only.*
class TimerWheel {
 public:
  explicit TimerWheel(TimePoint start) noexcept : start_(start) {}

  /// Arms or moves `timer`.
  void arm(Timer& timer, TimePoint deadline) noexcept;
  static void disarm(Timer& timer) noexcept { timer.unlink(); }

  /// Tells every timer whose deadline has passed. Timers armed meanwhile for the past are told in
  /// the next call.
  void advance(TimePoint now) noexcept;

  /// When advance() has something to do next: a deadline, or a moment before it. Nothing when no
  /// timer is armed.
  std::optional<TimePoint> next() const noexcept;

 private:
  static constexpr int levels = 6;
  static constexpr int slot_bits = 6;
  static constexpr std::uint64_t slots = 1U << slot_bits;

  struct Due {
    int level;
    std::uint64_t slot;
    std::uint64_t tick;
  };

  std::uint64_t tick_of(TimePoint time, bool round_up) const noexcept;
  void insert(Timer& timer) noexcept;
  std::optional<Due> next_due() const noexcept;

  struct Level {
    std::array<Timer*, slots> heads{};
  };

  TimePoint start_;
  std::uint64_t now_ = 0;
  std::array<Level, levels> wheel_{};
  mutable std::array<std::uint64_t, levels> occupied_{};
};

}  // namespace byway::transport
