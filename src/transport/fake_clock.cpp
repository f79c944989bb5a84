#include <byway/testing/fake_clock.hpp>

namespace byway::testing {
namespace {

/// 2026-11-22 10:00:00 UTC.
constexpr std::chrono::seconds default_start{1795341600};

}  // namespace

FakeClock::FakeClock() : FakeClock(WallTime(default_start)) {}

FakeClock::FakeClock(WallTime start)
    : wall_ns_(
          std::chrono::duration_cast<std::chrono::nanoseconds>(start.time_since_epoch()).count()) {}

TimePoint FakeClock::now() const noexcept {
  return TimePoint(std::chrono::nanoseconds(now_ns_.load()));
}

WallTime FakeClock::wall_now() const noexcept {
  return WallTime(
      std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(wall_ns_.load())));
}

bool FakeClock::watch(std::weak_ptr<std::function<void()>> watcher) {
  const std::lock_guard lock(mutex_);
  watchers_.push_back(std::move(watcher));
  return true;
}

void FakeClock::advance(std::chrono::nanoseconds by) {
  now_ns_.fetch_add(by.count());
  wall_ns_.fetch_add(by.count());
  std::vector<std::shared_ptr<std::function<void()>>> awake;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(watchers_, [&](const auto& watcher) {
      auto held = watcher.lock();
      if (held) awake.push_back(std::move(held));
      return watcher.expired();
    });
  }
  for (const auto& watcher : awake) (*watcher)();
}

void FakeClock::step_wall(std::chrono::nanoseconds by) {
  wall_ns_.fetch_add(by.count());
}

}  // namespace byway::testing
