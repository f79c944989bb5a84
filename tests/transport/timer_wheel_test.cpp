#include "transport/timer_wheel.hpp"

#include <map>
#include <random>
#include <vector>

#include "catch.hpp"

using byway::TimePoint;
using byway::transport::Timer;
using byway::transport::TimerWheel;
using std::chrono::milliseconds;

namespace {

class Recorder final : public Timer {
 public:
  explicit Recorder(std::function<void()> action = {}) : action_(std::move(action)) {}
  int fired = 0;

 private:
  void on_timer() noexcept override {
    ++fired;
    if (action_) action_();
  }
  std::function<void()> action_;
};

const TimePoint start{std::chrono::hours(1)};

}  // namespace

TEST_CASE("a timer fires at its deadline and not a tick before") {
  for (const int ms : {1, 2, 63, 64, 65, 100, 4095, 4096, 4097, 262143, 262144, 999999, 40000000}) {
    TimerWheel wheel(start);
    Recorder timer;
    wheel.arm(timer, start + milliseconds(ms));
    wheel.advance(start + milliseconds(ms - 1));
    CHECK(timer.fired == 0);
    wheel.advance(start + milliseconds(ms));
    CHECK(timer.fired == 1);
    CHECK_FALSE(timer.is_armed());
  }
}

TEST_CASE("a deadline between two ticks is rounded up, never down") {
  TimerWheel wheel(start);
  Recorder timer;
  wheel.arm(timer, start + std::chrono::microseconds(1500));
  wheel.advance(start + std::chrono::microseconds(1999));
  CHECK(timer.fired == 0);
  wheel.advance(start + milliseconds(2));
  CHECK(timer.fired == 1);
}

TEST_CASE("a deadline in the past fires at the next tick") {
  TimerWheel wheel(start);
  wheel.advance(start + milliseconds(500));
  Recorder timer;
  wheel.arm(timer, start + milliseconds(100));
  wheel.advance(start + milliseconds(501));
  CHECK(timer.fired == 1);
}

TEST_CASE("moving and dropping a timer forgets its old deadline") {
  TimerWheel wheel(start);
  Recorder moved;
  Recorder dropped;
  {
    Recorder destroyed;
    wheel.arm(destroyed, start + milliseconds(5));
  }
  wheel.arm(moved, start + milliseconds(5));
  wheel.arm(dropped, start + milliseconds(5));
  wheel.arm(moved, start + milliseconds(5000));
  TimerWheel::disarm(dropped);
  wheel.advance(start + milliseconds(4999));
  CHECK(moved.fired == 0);
  wheel.advance(start + milliseconds(5000));
  CHECK(moved.fired == 1);
  CHECK(dropped.fired == 0);
}

TEST_CASE("a timer may arm itself again, and drop others that are due with it") {
  TimerWheel wheel(start);
  Recorder* victim = nullptr;
  Recorder killer([&] { TimerWheel::disarm(*victim); });
  Recorder other([&] { TimerWheel::disarm(killer); });
  victim = &other;
  wheel.arm(other, start + milliseconds(3));
  wheel.arm(killer, start + milliseconds(3));
  wheel.advance(start + milliseconds(3));
  CHECK(killer.fired + other.fired == 1);

  Recorder* self = nullptr;
  int rounds = 0;
  Recorder again([&] {
    if (++rounds < 3) wheel.arm(*self, start + milliseconds(10 + rounds));
  });
  self = &again;
  wheel.arm(again, start + milliseconds(10));
  wheel.advance(start + milliseconds(100));
  CHECK(rounds == 3);
}

TEST_CASE("next() never lies beyond the first deadline, and is nothing when none is armed") {
  TimerWheel wheel(start);
  CHECK_FALSE(wheel.next());
  Recorder timer;
  wheel.arm(timer, start + milliseconds(70000));
  REQUIRE(wheel.next());
  CHECK(*wheel.next() <= start + milliseconds(70000));
  TimerWheel::disarm(timer);
  CHECK_FALSE(wheel.next());
}

TEST_CASE("random timers fire exactly when a sorted list says so") {
  std::mt19937_64 random(20261125);
  for (int round = 0; round < 200; ++round) {
    TimerWheel wheel(start);
    std::vector<std::unique_ptr<Recorder>> timers;
    std::vector<std::int64_t> deadlines;
    for (int i = 0; i < 200; ++i) {
      timers.push_back(std::make_unique<Recorder>());
      const int scale = static_cast<int>(random() % 5);
      const std::int64_t spans[] = {60, 4000, 300000, 20000000, 2000000000};
      deadlines.push_back(
          1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(spans[scale])));
      wheel.arm(*timers.back(), start + milliseconds(deadlines.back()));
    }
    std::int64_t now = 0;
    while (wheel.next()) {
      now = std::max<std::int64_t>(now + 1,
                                   std::chrono::ceil<milliseconds>(*wheel.next() - start).count() +
                                       static_cast<std::int64_t>(random() % 50));
      wheel.advance(start + milliseconds(now));
      for (std::size_t i = 0; i < timers.size(); ++i) {
        REQUIRE(timers[i]->fired == (deadlines[i] <= now ? 1 : 0));
      }
    }
  }
}
