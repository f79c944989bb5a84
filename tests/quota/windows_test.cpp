// Windows: UTC days and months through every kind of boundary.
#include "catch.hpp"

#include "policy/quota/utc_window.hpp"
#include "quota/scratch_quota.hpp"

namespace byway::policy {

using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST_CASE("a month ends where the calendar says") {
  const auto end = [](int year, unsigned month, unsigned day) {
    const WallTime time = utc(year, month, day, hours(23));
    return window_end(QuotaPeriod::month, window_start(QuotaPeriod::month, time));
  };
  CHECK(end(2025, 1, 31) == utc(2025, 2, 1));
  CHECK(end(2024, 2, 29) == utc(2024, 3, 1));
  CHECK(end(2025, 2, 28) == utc(2025, 3, 1));
  CHECK(end(2025, 12, 31) == utc(2026, 1, 1));
  CHECK(end(2000, 2, 29) == utc(2000, 3, 1));
}

TEST_CASE("windows are half-open to the nanosecond, before 1970 too") {
  for (const WallTime midnight : {utc(2025, 1, 31), utc(2024, 3, 1), utc(1969, 12, 31)}) {
    const std::int32_t day = window_start(QuotaPeriod::day, midnight);
    CHECK(window_start(QuotaPeriod::day, midnight - nanoseconds(1)) == day - 1);
    CHECK(window_end(QuotaPeriod::day, day - 1) == midnight);
  }
}

TEST_CASE("no month and no day is free or locked: 31 January, 29 February, year's end") {
  for (const WallTime start : {utc(2025, 1, 31, hours(23)), utc(2024, 2, 29, hours(23)),
                               utc(2025, 12, 31, hours(23)), utc(2025, 2, 28, hours(23))}) {
    Host host;
    host.clock = std::make_shared<FakeClock>(start);
    auto quota = host.open();
    const Limit limits[] = {cap("key", "k1", LimitKind::day, 3),
                            cap("key", "k1", LimitKind::month, 5)};
    CHECK(host.passing(*quota, limits, 9) == 3);
    host.clock->advance(hours(1) - nanoseconds(1));
    CHECK(host.passing(*quota, limits, 9) == 0);
    host.clock->advance(nanoseconds(1));
    CHECK(host.passing(*quota, limits, 9) == 3);
    host.clock->advance(hours(24));
    CHECK(host.passing(*quota, limits, 9) == 2);
  }
}

TEST_CASE("a clock stepped by an hour over midnight opens no free window and locks nobody out") {
  Host host;
  host.clock = std::make_shared<FakeClock>(utc(2025, 6, 15, hours(23) + seconds(1800)));
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 10)};
  CHECK(host.passing(*quota, limits, 4) == 4);
  host.clock->step_wall(hours(1));
  CHECK(host.passing(*quota, limits, 7) == 7);
  host.clock->step_wall(-hours(1));
  CHECK(host.passing(*quota, limits, 20) == 6);
  host.clock->step_wall(hours(1));
  CHECK(host.passing(*quota, limits, 20) == 3);
}

TEST_CASE("a retired window that the clock comes back to is as used as it was") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  CHECK(host.passing(*quota, limits, 60) == 60);
  host.clock->advance(hours(48));
  must(quota->work(host.ledger));
  host.clock->step_wall(-hours(48));
  CHECK(!quota->remaining(limits[0]));
  CHECK(host.passing(*quota, limits, 100) == 40);
}

TEST_CASE("a slot lives until its last call is settled, and what is given back goes there") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  Admission long_call = host.admit(*quota, limits);
  host.clock->advance(hours(72));
  must(quota->work(host.ledger));
  host.passing(*quota, limits, 3);
  long_call.ticket.give_back();
  CHECK(quota->remaining(limits[0]) == 97);
  host.clock->advance(hours(1));
  must(quota->work(host.ledger));
  const std::int32_t day = window_start(QuotaPeriod::day, noon());
  const auto row = host.ledger.rows.at({"key:k1", QuotaUnit::requests, QuotaPeriod::day, day});
  CHECK(row.used == 0);
  CHECK(row.reserved == 0);
}

TEST_CASE("the next window is made before it begins, so that nobody waits at midnight") {
  Host host;
  host.clock = std::make_shared<FakeClock>(utc(2025, 6, 15, hours(23)));
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  host.passing(*quota, limits, 3);
  host.clock->advance(seconds(3570));
  must(quota->work(host.ledger));
  host.clock->advance(seconds(31));
  CHECK(quota->admit(limits, {}, "r").outcome == Admission::Outcome::admitted);
}

}  // namespace byway::policy
