// Observer: a slow application stalls nobody, and what it is too slow for is counted.
#include "base/observer.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace byway;
using base::Observer;

namespace {

/// Calls a function when its last copy is gone.
std::shared_ptr<void> at_end(std::function<void()> tell) {
  return {nullptr, [tell = std::move(tell)](void*) { tell(); }};
}

}  // namespace

TEST_CASE("an observer tells in order, on one thread, and tells what waits before it ends") {
  std::vector<int> told;
  auto observer = Observer::start("byway-test", 100);
  REQUIRE(observer);
  for (int at = 0; at < 100; ++at) {
    (*observer)->offer([&told, at] {
      told.push_back(at);
      return 0;
    });
  }
  observer->reset();
  REQUIRE(told.size() == 100);
  for (int at = 0; at < 100; ++at) CHECK(told[static_cast<std::size_t>(at)] == at);
}

TEST_CASE("what an observer has no room for is dropped and counted, and so is what throws") {
  std::promise<void> go;
  std::promise<void> has_begun;
  std::atomic<int> told{0};
  auto observer = Observer::start("byway-test", 2);
  REQUIRE(observer);
  (*observer)->offer([&] {
    has_begun.set_value();
    go.get_future().wait();
    return base::throws([] { throw std::runtime_error("no"); });
  });
  has_begun.get_future().wait();
  for (int at = 0; at < 5; ++at) {
    (*observer)->offer([&] { return base::throws([&] { told.fetch_add(1); }); });
  }
  const base::ObserverCounts before = (*observer)->counts();
  CHECK(before.offered == 6);
  CHECK(before.dropped == 3);
  CHECK(before.queued == 3);
  CHECK(before.delivered == 0);
  go.set_value();
  while ((*observer)->counts().delivered < 3) {
  }
  CHECK((*observer)->counts().failed == 1);
  CHECK((*observer)->counts().queued == 0);
  CHECK(told.load() == 2);
}

TEST_CASE("a forked child counts nothing of its parent's") {
  auto observer = Observer::start("byway-test", 2);
  REQUIRE(observer);
  (*observer)->offer([] { return 0; });
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit((*observer)->counts().offered == 0 ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK((*observer)->counts().offered == 1);
}

TEST_CASE("an observer that ends loses patience with what waits, never with what is being told") {
  std::promise<void> is_lost;
  std::promise<void> has_begun;
  std::atomic<int> told{0};
  auto observer = Observer::start("byway-test", 2, std::chrono::milliseconds(0));
  REQUIRE(observer);
  (*observer)->offer([&] {
    has_begun.set_value();
    is_lost.get_future().wait();
    told.fetch_add(1);
    return 0;
  });
  has_begun.get_future().wait();
  (*observer)->offer([&, end = at_end([&] { is_lost.set_value(); })] {
    told.fetch_add(100);
    return 0;
  });
  observer->reset();
  CHECK(told.load() == 1);
}

TEST_CASE("an observer that ends inside of what it tells is heard no more") {
  std::promise<void> go;
  const auto is_over = std::make_shared<std::promise<void>>();
  std::atomic<int> told{0};
  auto observer = Observer::start("byway-test", 2);
  REQUIRE(observer);
  (*observer)->offer([&, end = at_end([is_over] { is_over->set_value(); })] {
    go.get_future().wait();
    observer->reset();
    told.fetch_add(1);
    return 0;
  });
  (*observer)->offer([&] {
    told.fetch_add(100);
    return 0;
  });
  go.set_value();
  is_over->get_future().wait();
  CHECK(told.load() == 1);
}
