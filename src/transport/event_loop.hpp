// EventLoop: one thread that waits for sockets, deadlines and tasks, and never for anything else.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <byway/result.hpp>
#include <byway/transport.hpp>

#include "base/inbox.hpp"
#include "transport/timer_wheel.hpp"

namespace byway::transport {

/// Hears of a watched socket. *Loop thread only.*
class SocketWatcher {
 public:
  /// `events` are epoll's.
  virtual void on_socket(int fd, std::uint32_t events) noexcept = 0;

 protected:
  ~SocketWatcher() = default;
};

/// Runs once a turn, after sockets, deadlines and tasks: for work that may not happen inside
/// somebody's callback.
class TurnEnd {
 public:
  /// Returns whether it wants another turn at once.
  virtual bool on_turn_end() noexcept = 0;

 protected:
  ~TurnEnd() = default;
};

/// A thread with an epoll set, a timer wheel and an inbox. The waiting time of epoll serves as the
/// timer, so moving a deadline costs no system call; the eventfd is written only when the thread
/// sleeps.
class EventLoop final : public Loop {
 public:
  /// Starts the thread, with all signals blocked. Codes: internal_error when the system refuses.
  static Result<std::unique_ptr<EventLoop>> start(std::shared_ptr<Clock> clock);
  ~EventLoop() override;

  void post(std::function<void()> task) override;
  void post_at(TimePoint when, std::function<void()> task) override;
  const Clock& clock() const noexcept override { return *clock_; }

  /// Runs `task` on the thread. False when the loop has stopped. *Safe from any thread.*
  bool post(base::Task& task) noexcept;

  /// Ends the thread after what stands in the inbox has run, and joins it; later posts are refused.
  /// Not from the loop thread.
  void stop() noexcept;

  /// The loop whose thread this is, or null.
  static EventLoop* current() noexcept;

  // Loop thread only from here on.

  TimerWheel& timers() noexcept { return timers_; }
  TimePoint now() const noexcept { return clock_->now(); }
  /// The time at which this turn began: exact enough for limits, and free.
  TimePoint turn_time() const noexcept { return turn_time_; }

  /// Watches `fd` for epoll's `events` (level triggered); 0 keeps the registration, as cheaply as
  /// possible, until an event comes. A socket is forgotten before it is closed.
  void watch(int fd, std::uint32_t events, SocketWatcher& watcher) noexcept;
  void forget(int fd) noexcept;

  void add_turn_end(TurnEnd& turn_end) { turn_ends_.push_back(&turn_end); }
  void remove_turn_end(TurnEnd& turn_end) noexcept { std::erase(turn_ends_, &turn_end); }

 private:
  struct Socket {
    SocketWatcher* watcher = nullptr;
    std::uint32_t wanted = 0;
    std::uint32_t registered = 0;
    std::uint32_t generation = 0;
  };

  class Alarm;

  /// Closed with its last owner: a clock may wake the loop while it is being destroyed.
  class WakeUp;

  EventLoop(std::shared_ptr<Clock> clock, int epoll_fd, std::shared_ptr<WakeUp> wake_up);
  void run() noexcept;
  bool turn() noexcept;
  int wait_ms() const noexcept;
  void wait_for_events(int timeout_ms) noexcept;
  void wake() noexcept;

  std::shared_ptr<Clock> clock_;
  int epoll_fd_;
  std::shared_ptr<WakeUp> wake_up_;
  bool clock_wakes_ = false;
  std::shared_ptr<std::function<void()>> clock_watcher_;
  base::Inbox inbox_;
  std::atomic<bool> is_asleep_{false};
  std::atomic<bool> is_stopping_{false};
  TimePoint turn_time_;
  TimerWheel timers_;
  std::vector<Socket> sockets_;
  std::vector<TurnEnd*> turn_ends_;
  std::vector<std::unique_ptr<Alarm>> alarms_;
  std::thread thread_;
};

}  // namespace byway::transport
