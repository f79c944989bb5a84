// Days and months that end while calls are in flight, and clocks that are stepped, through whole
// calls over a real store.
#include <thread>

#include "router/access_rig.hpp"

namespace byway::router {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Hold;
using testing::SendHead;

WallTime utc(int year, unsigned month, unsigned day, seconds time) {
  using namespace std::chrono;
  return sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) + time;
}

struct WindowRig : AccessRig {
  WindowRig(WallTime now, std::int64_t cap_day, std::int64_t cap_month) {
    add("narrow", [](auto& settings) { settings.in_flight = 1; });
    transport = std::make_shared<testing::FakeTransport>();
    router = must(Router::open({.store = folder.store(),
                                .on_limit = OnLimit::wait,
                                .transport = transport,
                                .clock = clock}));
    owner = router.admin_as_owner();
    clock->step_wall(now - clock->wall_now());
    CustomerKeySettings settings;
    settings.cap_day = cap_day;
    settings.cap_month = cap_month;
    key = mint(settings);
  }

  Pending<Response> start(std::string_view model) {
    return router.call({.body = R"({"messages":[]})", .model = model, .key = key});
  }
  /// One that reached the server and stays there.
  Pending<Response> hold(std::string_view model = "byo:plain/m") {
    const std::size_t before = transport->requests().size();
    transport->script({SendHead{}, Hold{}});
    auto held = start(model);
    while (transport->requests().size() == before) std::this_thread::yield();
    return held;
  }
  /// How many of `tries` calls are answered.
  int passing(int tries) {
    int passed = 0;
    for (int at = 0; at < tries; ++at) {
      transport->reply(200, reply_with(1, 1));
      auto reply = start("byo:plain/m").get();
      passed += reply ? 1 : 0;
      if (reply) continue;
      CHECK(reply.error().code() == ErrorCode::spend_cap_exceeded);
    }
    return passed;
  }
  void end(Pending<Response> pending) {
    pending.cancel();
    CHECK_FALSE(std::move(pending).get());
  }
  std::int64_t left(std::string_view name) {
    for (const LimitLeft& limit : router.explain({.model = "byo:plain/m", .key = key}).limits) {
      if (limit.name == name) return limit.left;
    }
    return -1;
  }

  std::string key;
};

}  // namespace

TEST_CASE("a call of one day that is given back on the next leaves the next day unchanged",
          "[limits]") {
  WindowRig rig(utc(2025, 6, 15, hours(23)), 5, 50);
  auto first = rig.hold("byo:narrow/m");
  // Admitted today, and never sent: it stands in line for a share of its endpoint.
  auto second = rig.start("byo:narrow/m");
  while (rig.left("cap_day") != 3) std::this_thread::yield();
  rig.clock->step_wall(hours(2));
  CHECK(rig.passing(1) == 1);
  CHECK(rig.left("cap_day") == 4);
  rig.end(std::move(second));
  CHECK(rig.left("cap_day") == 4);
  rig.end(std::move(first));
  CHECK(rig.left("cap_day") == 4);
  rig.clock->step_wall(-hours(2));
  CHECK(rig.left("cap_day") == 4);
  CHECK(rig.transport->requests().size() == 2);
}

TEST_CASE("a month that ends with a call in flight is charged for it, and the next is whole",
          "[limits]") {
  for (const WallTime now :
       {utc(2025, 1, 31, hours(23)), utc(2024, 2, 29, hours(23)), utc(2025, 2, 28, hours(23)),
        utc(2025, 12, 31, hours(23))}) {
    WindowRig rig(now, 3, 4);
    auto held = rig.hold();
    CHECK(rig.passing(3) == 2);
    rig.clock->step_wall(hours(1) - std::chrono::nanoseconds(1));
    CHECK(rig.passing(1) == 0);
    rig.clock->step_wall(std::chrono::nanoseconds(1));
    CHECK(rig.passing(2) == 2);
    rig.end(std::move(held));
    CHECK(rig.left("cap_day") == 1);
    CHECK(rig.left("cap_month") == 2);
    CHECK(rig.passing(2) == 1);
    rig.clock->step_wall(hours(24));
    CHECK(rig.passing(2) == 1);
    rig.clock->step_wall(-hours(25));
    CHECK(rig.left("cap_day") == 0);
    CHECK(rig.left("cap_month") == 1);
  }
}

TEST_CASE("a clock stepped by an hour over midnight, and back, neither frees nor locks a call",
          "[limits]") {
  WindowRig rig(utc(2025, 6, 15, hours(23) + minutes(30)), 3, 50);
  auto held = rig.hold();
  rig.clock->step_wall(hours(1));
  CHECK(rig.passing(4) == 3);
  rig.clock->step_wall(-hours(1));
  CHECK(rig.passing(4) == 2);
  rig.end(std::move(held));
  CHECK(rig.passing(1) == 0);
  rig.clock->step_wall(hours(1));
  CHECK(rig.passing(1) == 0);
  CHECK(rig.left("cap_month") == 44);
}

}  // namespace byway::router
