// The real code once more, stopped at random before each step: calls, the store thread's work
// (reserving, burying, settling, retiring), a clock that goes over midnight and back, and kills.
#include "catch.hpp"

#include <random>

#include "policy/quota/utc_window.hpp"
#include "quota_steps/fibers.hpp"
#include "quota_steps/tale.hpp"

namespace byway::policy {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::size_t processes = 2;
constexpr std::size_t threads = 2;
constexpr std::size_t worker = processes * threads;
constexpr std::int64_t of_key = 5;
constexpr std::int64_t of_org = 7;

/// A ledger whose commits are steps as well.
class SteppedLedger final : public QuotaStore {
 public:
  explicit SteppedLedger(QuotaStore& store) : store_(&store) {}
  Result<std::int64_t> extend(const QuotaWindow& window, std::int64_t want,
                              std::int64_t limit) override {
    step();
    auto done = store_->extend(window, want, limit);
    step();
    return done;
  }
  Result<void> give_back(const QuotaWindow& window, std::int64_t keep) override {
    step();
    auto done = store_->give_back(window, keep);
    step();
    return done;
  }
  Result<void> settle(std::span<const QuotaUse> uses, std::span<const QuotaDoubt> doubts) override {
    step();
    auto done = store_->settle(uses, doubts);
    step();
    return done;
  }

 private:
  QuotaStore* store_;
};

/// What happened in all rounds, so that a test that tests nothing is noticed.
struct Seen {
  std::int64_t charged = 0;
  std::int64_t returned = 0;
  std::int64_t in_doubt = 0;
  /// Windows with calls, three in each round and day.
  std::int64_t days = 0;
};

/// A host for many rounds, with the processes that live.
struct Site {
  Site() {
    host.sizes = {1024, 8, 32};
    judge = host.open();
  }
  Host host;
  std::unique_ptr<Quota> quota[processes];
  std::unique_ptr<Quota> judge;
};

/// One round: a key and an org of its own.
struct Round {
  Round(Site& on, Fibers& with, std::mt19937& chance, Seen& all, std::int64_t number)
      : host(on.host),
        quota(on.quota),
        judge(on.judge),
        fibers(with),
        random(chance),
        seen(all),
        name("k" + std::to_string(number)) {
    for (const auto& doubt : host.ledger.doubts) known_doubts.insert(doubt.first);
    host.clock->step_wall(noon() + hours(11) + minutes(30) - host.clock->wall_now());
    for (std::size_t at = 0; at < processes; ++at) {
      if (!quota[at]) quota[at] = host.open();
    }
  }

  void start() {
    for (std::size_t at = 0; at < processes * threads; ++at) {
      const bool is_sent = random() % 4 != 0;
      fibers.start(at, [this, at, is_sent] {
        for (int number = 0; number < 5; ++number) {
          const std::string label = name + "-" + std::to_string(at) + "-" + std::to_string(number);
          call(*quota[at / threads], limits, label, is_sent, tale, 200);
        }
      });
    }
    fibers.start(worker, [this] {
      for (std::size_t turn = 0; is_calling(); ++turn) {
        host.clock->advance(milliseconds(60));
        at_work = turn % processes;
        if (quota[at_work]) must(quota[at_work]->work(ledger));
        at_work = processes;
        for (int pause = 0; pause < 8; ++pause) step();
      }
    });
  }
  bool is_calling() const {
    for (std::size_t at = 0; at < worker; ++at) {
      if (fibers.is_running(at)) return true;
    }
    return false;
  }
  void run() {
    for (start(); is_calling() || fibers.is_running(worker);) {
      // Much of what calls do is waiting for the work.
      const std::size_t at = random() % 2 == 0 ? worker : random() % worker;
      if (fibers.is_running(at)) fibers.advance(at);
      if (random() % 50 == 0) step_clock();
      if (random() % 600 == 0) kill(random() % processes);
    }
  }
  /// Over midnight and back; by hours, so that the day before is retired.
  void step_clock() {
    constexpr minutes steps[] = {minutes(45), minutes(-45), minutes(300), minutes(-300)};
    host.clock->step_wall(steps[random() % std::size(steps)]);
  }
  /// Not the one that is at work: a death in there has a test of its own, and keeps locks that only
  /// a process's end gives up.
  void kill(std::size_t dead) {
    if (dead == at_work || !quota[dead]) return;
    for (std::size_t thread = 0; thread < threads; ++thread) fibers.kill(dead * threads + thread);
    quota[dead].reset();
  }

  /// What a cap's days come to in the ledger; no day may pass its limit.
  std::int64_t counted(const std::string& subject, QuotaUnit unit, std::int64_t limit) const {
    std::int64_t sum = 0;
    for (const auto& [key, row] : host.ledger.rows) {
      if (std::get<0>(key) != subject || std::get<1>(key) != unit) continue;
      seen.days += row.used > 0 ? 1 : 0;
      CHECK(row.used <= limit);
      CHECK(row.used <= row.reserved);
      sum += row.used;
    }
    return sum;
  }
  void check_accounts() {
    host.clock->advance(milliseconds(300));
    must(judge->work(host.ledger));
    std::set<std::string> charged = tale.charged;
    charged.insert(tale.being_charged.begin(), tale.being_charged.end());
    std::int64_t in_doubt = 0;
    for (const auto& doubt : host.ledger.doubts) {
      if (known_doubts.contains(doubt.first)) continue;
      charged.insert(doubt.first);
      ++in_doubt;
    }
    for (const std::string& label : tale.returned) CHECK(!charged.contains(label));
    const auto count = static_cast<std::int64_t>(charged.size());
    seen.charged += count;
    seen.in_doubt += in_doubt;
    seen.returned += static_cast<std::int64_t>(tale.returned.size());
    CHECK(counted("key:" + name, QuotaUnit::requests, of_key) == count);
    CHECK(counted("org:" + name, QuotaUnit::requests, of_org) == count);
    CHECK(counted("org:" + name, QuotaUnit::tokens, 1000) ==
          7 * (count - in_doubt) + 10 * in_doubt);
    CHECK(used(*judge, limits[1]) == 0);
    check_today();
  }
  /// What is left of the day that it is now can be had, and no more.
  void check_today() {
    const std::int32_t day = window_start(QuotaPeriod::day, host.clock->wall_now());
    const auto used_today = [&](const std::string& subject) {
      const auto row = host.ledger.rows.find({subject, QuotaUnit::requests, QuotaPeriod::day, day});
      return row == host.ledger.rows.end() ? 0 : row->second.used;
    };
    const std::int64_t left =
        std::min(of_key - used_today("key:" + name), of_org - used_today("org:" + name));
    CHECK(host.passing(*judge, limits, 9, {1, 10, 0}) == left);
  }

  Host& host;
  std::unique_ptr<Quota>* const quota;
  std::unique_ptr<Quota>& judge;
  Fibers& fibers;
  std::mt19937& random;
  Seen& seen;
  const std::string name;
  const std::vector<Limit> limits = limits_of(name, of_key, of_org);
  SteppedLedger ledger{host.ledger};
  Tale tale;
  std::set<std::string> known_doubts;
  /// Whose work is being done; none when it is `processes`.
  std::size_t at_work = processes;
};

}  // namespace

// The long form: BYWAY_QUOTA_INTERLEAVINGS=200000 build/release/bin/quota_steps_tests "the store*"
TEST_CASE("the store thread's work, midnight and kills between any two steps keep the accounts") {
  std::mt19937 random(20250616);
  Fibers fibers(worker + 1);
  Seen seen;
  std::unique_ptr<Site> site;
  const std::int64_t all = rounds(2000);
  for (std::int64_t number = 0; number < all; ++number) {
    // Before its table of counts is full.
    if (number % 32 == 0) site = std::make_unique<Site>();
    Round round(*site, fibers, random, seen, number);
    round.run();
    round.check_accounts();
  }
  CAPTURE(seen.charged, seen.returned, seen.in_doubt, seen.days);
  CHECK(seen.charged > 3 * all);
  CHECK(seen.returned > all / 2);
  CHECK(seen.in_doubt > all / 20);
  CHECK(seen.days > 3 * all + all / 2);
}

}  // namespace byway::policy
