// FakeClock: time that a test moves by hand.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <byway/clock.hpp>

namespace byway::testing {

/// Starts at a fixed moment and stands still until advance(). *Safe from any thread.*
class FakeClock final : public Clock {
 public:
  FakeClock();
  explicit FakeClock(WallTime start);
  TimePoint now() const noexcept override;
  WallTime wall_now() const noexcept override;
  bool watch(std::weak_ptr<std::function<void()>> watcher) override;

  /// Moves both clocks and wakes every loop, whose due deadlines then fire on their own thread.
  void advance(std::chrono::nanoseconds by);
  /// Moves UTC alone, as a stepped system clock does.
  void step_wall(std::chrono::nanoseconds by);

 private:
  std::atomic<std::int64_t> now_ns_{0};
  std::atomic<std::int64_t> wall_ns_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<std::function<void()>>> watchers_;
};

}  // namespace byway::testing
