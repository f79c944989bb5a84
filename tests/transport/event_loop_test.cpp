#include "transport/event_loop.hpp"

#include <atomic>
#include <csignal>
#include <future>
#include <thread>
#include <vector>

#include <byway/testing/fake_clock.hpp>

#include "catch.hpp"

using byway::Clock;
using byway::testing::FakeClock;
using byway::transport::EventLoop;
using std::chrono::milliseconds;

namespace {

std::unique_ptr<EventLoop> start_loop(std::shared_ptr<Clock> clock = Clock::system()) {
  auto loop = EventLoop::start(std::move(clock));
  REQUIRE(loop);
  return *std::move(loop);
}

/// Waits until everything posted before has run.
void settle(EventLoop& loop) {
  std::promise<void> done;
  loop.post([&] { done.set_value(); });
  done.get_future().wait();
}

}  // namespace

TEST_CASE("tasks of many threads all run on the loop thread, each thread's in order") {
  auto loop = start_loop();
  constexpr int threads = 4;
  constexpr int each = 5000;
  std::vector<int> seen(threads, 0);
  std::atomic<int> wrong{0};
  std::vector<std::thread> posters;
  for (int t = 0; t < threads; ++t) {
    posters.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        loop->post([&, t, i] {
          if (EventLoop::current() != loop.get() || seen[static_cast<std::size_t>(t)]++ != i)
            ++wrong;
        });
      }
    });
  }
  for (auto& poster : posters) poster.join();
  settle(*loop);
  CHECK(wrong == 0);
  CHECK(seen == std::vector<int>(threads, each));
  CHECK(EventLoop::current() == nullptr);
}

TEST_CASE("an alarm fires when a fake clock reaches it and not before") {
  auto clock = std::make_shared<FakeClock>();
  auto loop = start_loop(clock);
  std::promise<void> fired;
  std::atomic<bool> is_fired{false};
  loop->post_at(clock->now() + milliseconds(1000), [&] {
    is_fired = true;
    fired.set_value();
  });
  settle(*loop);
  clock->advance(milliseconds(999));
  settle(*loop);
  CHECK_FALSE(is_fired);
  clock->advance(milliseconds(1));
  fired.get_future().wait();
  CHECK(is_fired);
}

TEST_CASE("a stopped loop refuses tasks and has run all it accepted") {
  auto loop = start_loop();
  int ran = 0;
  for (int i = 0; i < 1000; ++i) loop->post([&] { ++ran; });
  loop->stop();
  CHECK(ran == 1000);
  loop->post([&] { ++ran; });
  CHECK(ran == 1000);
}

TEST_CASE("the loop thread takes no signal of the application") {
  auto loop = start_loop();
  std::promise<sigset_t> blocked;
  loop->post([&] {
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, nullptr, &set);
    blocked.set_value(set);
  });
  const sigset_t set = blocked.get_future().get();
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD, SIGUSR1})
    CHECK(sigismember(&set, signal) == 1);
}
