// Alerts of caps, through routers over a real store.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "router/access_rig.hpp"

namespace byway::router {
namespace {

using std::chrono::hours;

/// What on_alert heard; it may be held up or made to throw.
class Alarm {
 public:
  std::function<void(const QuotaAlert&)> hear() {
    return [this](const QuotaAlert& alert) {
      std::unique_lock lock(mutex_);
      heard_.push_back(alert);
      changed_.notify_all();
      changed_.wait(lock, [&] { return !is_stuck_; });
      if (throws) throw std::runtime_error("no");
    };
  }
  /// Once there are so many, or after long enough to say that there are not.
  std::vector<QuotaAlert> heard(std::size_t wanted) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return heard_.size() >= wanted; });
    return heard_;
  }
  void stick(bool is_stuck) {
    const std::lock_guard lock(mutex_);
    is_stuck_ = is_stuck;
    changed_.notify_all();
  }
  std::atomic<bool> throws{false};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<QuotaAlert> heard_;
  bool is_stuck_ = false;
};

struct AlertRig : AccessRig {
  /// In the place of the first, administration included.
  void reopen(RouterOptions options) {
    router = open_with(std::move(options));
    owner = router.admin_as_owner();
  }
  Router open_with(RouterOptions options) {
    auto own = std::make_shared<testing::FakeTransport>();
    for (int at = 0; at < 200; ++at) own->reply(200, reply_with(1, 1));
    options.store = folder.store();
    options.transport = own;
    options.clock = clock;
    return must(Router::open(std::move(options)));
  }
  static int calls(Router& router, std::string_view key, int times) {
    int passed = 0;
    for (int at = 0; at < times; ++at) {
      const Request request{.body = R"({"messages":[]})", .model = "byo:plain/m", .key = key};
      passed += router.call(request).get() ? 1 : 0;
    }
    return passed;
  }
};

/// A call under a new cap waits for the ledger's work, so alerts before it are with the observer.
void let_ledger_work(AlertRig& rig) {
  CHECK(AlertRig::calls(rig.router, rig.mint({.cap_month = 1'000'000}), 1) == 1);
}

}  // namespace

TEST_CASE("an alert is given once when a cap's share is used, whoever used it", "[alerts]") {
  Alarm alarm;
  Alarm other_alarm;
  AlertRig rig;
  const MintedKey minted = must(rig.owner.mint_customer_key({.cap_day = 10, .cap_month = 100}));
  const std::string key = text_of(minted);
  Router other = rig.open_with({.on_alert = alarm.hear()});
  rig.reopen({.on_alert = other_alarm.hear()});
  CHECK(AlertRig::calls(other, key, 5) == 5);
  CHECK(AlertRig::calls(rig.router, key, 2) == 2);
  CHECK(AlertRig::calls(other, key, 1) == 1);
  const std::vector<QuotaAlert> heard = alarm.heard(1);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].subject == "key:" + minted.record.id);
  CHECK(heard[0].unit == QuotaUnit::requests);
  CHECK(heard[0].period == QuotaPeriod::day);
  CHECK(heard[0].used == 8);
  CHECK(heard[0].limit == 10);
  CHECK(AlertRig::calls(rig.router, key, 5) == 2);

  // Not again by a process that comes later, but for the next day.
  rig.reopen({.on_alert = alarm.hear()});
  // Its router is gone and has told all that was due.
  CHECK(other_alarm.heard(0).empty());
  CHECK(AlertRig::calls(rig.router, key, 1) == 0);
  rig.clock->advance(hours(24));
  CHECK(AlertRig::calls(rig.router, key, 8) == 8);
  const std::vector<QuotaAlert> next_day = alarm.heard(2);
  REQUIRE(next_day.size() == 2);
  CHECK(next_day[1].first_day == next_day[0].first_day + 1);
}

TEST_CASE("an org's cap alerts at the share that the router is told", "[alerts]") {
  Alarm alarm;
  AlertRig rig;
  rig.reopen({.on_alert = alarm.hear(), .alert_percent = 50});
  const FieldChange limits[] = {{"cap_month", "10"}};
  must(rig.owner.set_org_limits(limits));
  const std::string key = rig.mint();
  CHECK(AlertRig::calls(rig.router, key, 6) == 6);
  const std::vector<QuotaAlert> heard = alarm.heard(1);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].subject == "org:local");
  CHECK(heard[0].period == QuotaPeriod::month);
  CHECK(heard[0].used == 5);
}

TEST_CASE("a callback that hangs or throws stalls no call and is counted", "[alerts]") {
  Alarm alarm;
  AlertRig rig;
  rig.reopen({.on_alert = alarm.hear()});
  alarm.stick(true);
  alarm.throws = true;
  CHECK(AlertRig::calls(rig.router, rig.mint({.cap_day = 1}), 1) == 1);
  CHECK(alarm.heard(1).size() == 1);
  CHECK(AlertRig::calls(rig.router, rig.mint({.cap_day = 1}), 1) == 1);
  let_ledger_work(rig);
  CHECK(alarm.heard(1).size() == 1);
  CHECK(rig.router.health().alert_drops == 0);
  alarm.stick(false);
  CHECK(alarm.heard(2).size() == 2);
  while (rig.router.health().alert_failures < 2) std::this_thread::yield();
  CHECK(AlertRig::calls(rig.router, rig.mint(), 1) == 1);
}

TEST_CASE("an alert that is due when its router is dropped is given", "[alerts]") {
  Alarm alarm;
  AlertRig rig;
  const std::string key = rig.mint({.cap_day = 1});
  {
    Router router = rig.open_with({.on_alert = alarm.hear()});
    CHECK(AlertRig::calls(router, key, 1) == 1);
  }
  CHECK(alarm.heard(0).size() == 1);
}

TEST_CASE("an alert makes no copy of the application's function", "[alerts]") {
  struct Copied {
    explicit Copied(std::atomic<int>& count) : copies(&count) {}
    Copied(const Copied& other) : copies(other.copies) { copies->fetch_add(1); }
    Copied(Copied&& other) noexcept = default;
    std::atomic<int>* copies;
  };
  Alarm alarm;
  std::atomic<int> copies{0};
  AlertRig rig;
  rig.reopen({.on_alert = [hear = alarm.hear(), counted = Copied(copies)](
                              const QuotaAlert& alert) { hear(alert); }});
  const int before = copies.load();
  CHECK(AlertRig::calls(rig.router, rig.mint({.cap_day = 1}), 1) == 1);
  CHECK(alarm.heard(1).size() == 1);
  CHECK(copies.load() == before);
}

TEST_CASE("a share that is none is refused when the router is opened", "[alerts]") {
  AlertRig rig;
  for (const int percent : {0, -1, 101}) {
    auto opened = Router::open({.store = rig.folder.store(), .alert_percent = percent});
    CHECK(code_of(opened) == "request_invalid");
  }
}

}  // namespace byway::router
