// Observer: a slow application stalls nobody, and what it is too slow for is counted.
#include "base/observer.hpp"

#include <atomic>
#include <future>
#include <stdexcept>
#include <vector>

#include "catch.hpp"

using namespace byway;
using base::Observer;

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
