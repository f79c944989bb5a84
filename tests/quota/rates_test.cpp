// Rates: exact against an oracle, and in-flight counts.
#include "catch.hpp"

#include <cstdlib>
#include <deque>
#include <random>

#include "quota/scratch_quota.hpp"

namespace byway::policy {
namespace {

using Outcome = Admission::Outcome;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
__extension__ typedef __int128 Wide;

/// The definition, replayed in parts of 1 / per_minute ns: a bucket of `burst`, drained evenly.
class Oracle {
 public:
  explicit Oracle(const Rate& rate) : rate_(rate) {}
  bool admits(std::int64_t now_ns, std::int64_t amount) {
    const Wide drained = Wide{now_ns - last_ns_} * rate_.per_minute;
    level_ = level_ > drained ? level_ - drained : 0;
    last_ns_ = now_ns;
    const Wide cost = Wide{amount} * 60'000'000'000;
    if (level_ + cost > Wide{rate_.burst} * 60'000'000'000) return false;
    level_ += cost;
    return true;
  }
  /// Whether it would admit then.
  bool would_admit(std::int64_t then_ns, std::int64_t amount) const {
    Oracle copy = *this;
    return copy.admits(then_ns, amount);
  }

 private:
  Rate rate_;
  std::int64_t last_ns_ = 0;
  Wide level_ = 0;
};

std::int64_t arrivals() {
  const char* wanted = std::getenv("BYWAY_QUOTA_ARRIVALS");
  return wanted != nullptr ? std::atoll(wanted) : 200'000;
}

/// Random arrivals at about the rate, below and above it, in fits and starts.
std::int64_t wrong_answers(const Rate& rate, std::int64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  LiveSlot slot{};
  Oracle oracle(rate);
  const double mean_ns = 6e10 / rate.per_minute;
  std::int64_t now = 1'000'000'000;
  std::int64_t wrong = 0;
  for (std::int64_t at = 0; at < count; ++at) {
    const double pace = random() % 16 == 0 ? 30.0 : random() % 4 == 0 ? 0.0 : 1.0;
    std::exponential_distribution<double> gap(1.0);
    now += static_cast<std::int64_t>(gap(random) * mean_ns * pace);
    const auto amount = static_cast<std::int64_t>(1 + random() % 3);
    Fill made;
    const std::int64_t wait = fill(slot, now, rate, amount, made);
    const bool is_exact =
        wait == 0 || (amount <= rate.burst ? oracle.would_admit(now + wait, amount) &&
                                                 !oracle.would_admit(now + wait - 1, amount)
                                           : true);
    wrong += is_exact && (wait == 0) == oracle.admits(now, amount) ? 0 : 1;
  }
  return wrong;
}

}  // namespace

// The long form: BYWAY_QUOTA_ARRIVALS=240000000 build/release/bin/quota_tests "a bucket answers*"
TEST_CASE("a bucket answers each arrival as the definition does, and its waits are exact") {
  for (const std::uint32_t per_minute :
       {1u, 7u, 60u, 61u, 997u, 60'000u, 1'000'003u, 60'000'000u}) {
    for (const std::int64_t burst : {std::int64_t{1}, std::int64_t{5}, std::int64_t{per_minute}}) {
      INFO(per_minute << " a minute, burst " << burst);
      CHECK(wrong_answers({per_minute, burst}, arrivals() / 24, per_minute + 31) == 0);
    }
  }
}

TEST_CASE("what is said ahead of filling a bucket is what filling it says") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 20'000; ++round) {
    const auto per_minute = static_cast<std::uint32_t>(1 + random() % 2'000'000);
    const Rate rate{per_minute, static_cast<std::int64_t>(1 + random() % 1000)};
    const Rate before = random() % 2 == 0 ? rate : Rate{per_minute / 2 + 1, 5};
    const auto now = static_cast<std::int64_t>(random() % 1'000'000'000'000);
    const auto amount = static_cast<std::int64_t>(random() % 1200);
    const Moment bucket = filled({}, now - static_cast<std::int64_t>(random() % 1'000'000'000),
                                 before, static_cast<std::int64_t>(random() % 1000));
    const std::int64_t said = wait_to_fill(bucket, now, rate, amount);
    if (said != wait_for(filled(bucket, now, rate, amount), now, rate)) {
      CAPTURE(round, said);
      CHECK(false);
    }
  }
}

TEST_CASE("over any interval at most burst + rate x time pass, whatever is given back") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    const Rate rate{static_cast<std::uint32_t>(600 + random() % 1000),
                    static_cast<std::int64_t>(1 + random() % 20)};
    LiveSlot slot{};
    struct Call {
      std::int64_t at;
      Fill made;
      bool is_kept = true;
    };
    std::vector<Call> calls;
    std::int64_t now = 1'000'000'000;
    for (int at = 0; at < 300; ++at) {
      now += static_cast<std::int64_t>(random() % 80'000'000);
      Fill made;
      if (fill(slot, now, rate, 1, made) == 0) calls.push_back({now, made});
      if (calls.empty() || random() % 3 != 0) continue;
      Call& back = calls[calls.size() - 1 - random() % std::min<std::size_t>(calls.size(), 12)];
      if (!std::exchange(back.is_kept, false)) continue;
      drain(slot, now, rate, 1, back.made);
    }
    Oracle oracle(rate);
    bool is_within = true;
    for (const Call& call : calls)
      is_within = is_within && (!call.is_kept || oracle.admits(call.at, 1));
    CHECK(is_within);
  }
}

TEST_CASE("a refused call says the exact wait and does not extend it") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {rate(60, 2)};
  CHECK(host.passing(*quota, limits, 5) == 2);
  for (int again = 0; again < 10; ++again) {
    const Admission refused = host.admit(*quota, limits);
    REQUIRE(refused.outcome == Outcome::refused);
    CHECK(refused.refusal.retry_after == seconds(1));
  }
  host.clock->advance(seconds(1) - nanoseconds(1));
  CHECK(!host.passes(*quota, limits));
  host.clock->advance(nanoseconds(1));
  CHECK(host.passing(*quota, limits, 5) == 1);
}

TEST_CASE("a refusal by a cap gives the rate's unit back whole") {
  Host host;
  auto quota = host.open();
  const Limit only_rate[] = {rate(60)};
  const Limit limits[] = {rate(60), cap("key", "k1", LimitKind::day, 1)};
  CHECK(host.passing(*quota, limits, 30) == 1);
  CHECK(host.passing(*quota, only_rate, 100) == 59);
}

TEST_CASE("all processes of the host draw on one bucket") {
  Host host;
  auto one = host.open();
  auto two = host.open();
  const Limit limits[] = {rate(60, 10)};
  CHECK(host.passing(*one, limits, 6) + host.passing(*two, limits, 6) == 10);
}

TEST_CASE("an hour's step of the wall clock neither frees a rate nor locks it") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {rate(60, 3)};
  CHECK(host.passing(*quota, limits, 5) == 3);
  host.clock->step_wall(std::chrono::hours(1));
  CHECK(host.passing(*quota, limits, 5) == 0);
  host.clock->step_wall(-std::chrono::hours(2));
  CHECK(host.passing(*quota, limits, 5) == 0);
  host.clock->advance(seconds(2));
  CHECK(host.passing(*quota, limits, 5) == 2);
}

TEST_CASE("tokens a minute are charged ahead and trued up, both ways") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {rate(6000, 0, QuotaUnit::tokens)};
  Admission call = host.admit(*quota, limits, {1, 5000, 0});
  REQUIRE(call.ticket);
  CHECK(quota->remaining(limits[0]) == 1000);
  call.ticket.settle({1, 1500, 0});
  CHECK(quota->remaining(limits[0]) == 4500);
  Admission more = host.admit(*quota, limits, {1, 500, 0});
  more.ticket.settle({1, 7000, 0});
  CHECK(quota->remaining(limits[0]) == 0);
  const Admission refused = host.admit(*quota, limits, {1, 1, 0});
  CHECK(refused.refusal.retry_after == milliseconds(25'010));
}

TEST_CASE("an amount above the bucket is clamped to it") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {rate(600, 0, QuotaUnit::tokens)};
  Admission call = host.admit(*quota, limits, {1, 1'000'000, 0});
  REQUIRE(call.ticket);
  call.ticket.settle({1, 100, 0});
  CHECK(quota->remaining(limits[0]) == 500);
}

TEST_CASE("calls in flight are counted and come back however a call ends") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {in_flight(2)};
  Admission one = host.admit(*quota, limits);
  Admission two = host.admit(*quota, limits);
  const Admission three = host.admit(*quota, limits);
  REQUIRE(three.outcome == Outcome::refused);
  CHECK(three.refusal.used == 2);
  one.ticket.settle({});
  CHECK(quota->remaining(limits[0]) == 1);
  two.ticket = Ticket();
  CHECK(quota->remaining(limits[0]) == 2);
}

namespace {

struct Parked : Waiter {
  int number = 0;
  std::vector<int>* served = nullptr;
};

void note(Waiter& waiter) noexcept {
  auto& parked = static_cast<Parked&>(waiter);
  parked.served->push_back(parked.number);
}

/// In order; each adds its number to `served` when its turn comes.
void park_all(Quota& quota, std::span<Parked> waiters, std::span<const Limit> limits,
              std::vector<int>& served) {
  for (int number = 0; Parked & waiter : waiters) {
    waiter.limits = limits;
    waiter.label = "r";
    waiter.resume = note;
    waiter.number = number++;
    waiter.served = &served;
    REQUIRE(quota.park(waiter));
  }
}

}  // namespace

TEST_CASE("calls wait in line, the first is served first, and a new call never passes") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {in_flight(1, true)};
  Admission running = host.admit(*quota, limits);
  std::vector<int> served;
  Parked waiters[3];
  park_all(*quota, waiters, limits, served);
  CHECK(quota->cancel(waiters[1]));
  CHECK(!quota->cancel(waiters[1]));
  running.ticket.settle({});
  CHECK(served == std::vector<int>{0});
  REQUIRE(waiters[0].admission.ticket);
  CHECK(quota->admit(limits, {}, "new").outcome == Outcome::wait);
  waiters[0].admission.ticket.settle({});
  CHECK(served == std::vector<int>{0, 2});
  waiters[2].admission.ticket.give_back();
  CHECK(quota->admit(limits, {}, "new").outcome == Outcome::admitted);
}

TEST_CASE("calls that wait for a reservation are served by the store's work") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 5)};
  std::vector<int> served;
  Parked waiters[8];
  park_all(*quota, waiters, limits, served);
  must(quota->work(host.ledger));
  must(quota->work(host.ledger));
  CHECK(served == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
  int admitted = 0;
  for (Parked& waiter : waiters) admitted += waiter.admission.ticket ? 1 : 0;
  CHECK(admitted == 5);
}

}  // namespace byway::policy
