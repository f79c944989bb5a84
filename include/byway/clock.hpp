// Clock: the time, where a test can put its own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace byway {

using TimePoint = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

/// Where Byway reads the time. *Safe from any thread.*
class Clock {
 public:
  virtual ~Clock() = default;
  /// Monotonic time: deadlines, latency.
  virtual TimePoint now() const noexcept = 0;
  /// UTC: audit rows, windows.
  virtual WallTime wall_now() const noexcept = 0;
  /// Time since the host booted, suspended time included; the same for all processes of the host.
  /// Rates that processes share are kept in it.
  virtual std::chrono::nanoseconds boot_now() const noexcept { return now().time_since_epoch(); }
  /// A clock that is moved by hand calls every watcher after each move, from the moving thread; the
  /// system clock never does and returns false, so that whoever waits arms a timer of its own. The
  /// watcher is dropped with its owner.
  virtual bool watch(std::weak_ptr<std::function<void()>> watcher) {
    static_cast<void>(watcher);
    return false;
  }
  /// The system's clocks, shared.
  static std::shared_ptr<Clock> system();
};

}  // namespace byway
