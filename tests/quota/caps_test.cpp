// Caps: exact, in the window that a call was admitted in.
#include "catch.hpp"

#include "quota/scratch_quota.hpp"

namespace byway::policy {

using Outcome = Admission::Outcome;

TEST_CASE("a cap admits exactly its limit and then says when its window ends") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  CHECK(host.passing(*quota, limits, 150) == 100);
  Admission refused = host.admit(*quota, limits);
  REQUIRE(refused.outcome == Outcome::refused);
  CHECK(refused.refusal.limit == &limits[0]);
  CHECK(refused.refusal.used == 100);
  CHECK(refused.refusal.window_end == utc(2025, 6, 16));
  CHECK(quota->remaining(limits[0]) == 0);
}

TEST_CASE("the narrowest cap that is reached is the one named, and nothing is left taken") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {
      cap("key", "k1", LimitKind::day, 50), cap("key", "k1", LimitKind::month, 9),
      cap("org", "o1", LimitKind::day, 50), cap("org", "o1", LimitKind::month, 50)};
  CHECK(std::is_sorted(std::begin(limits), std::end(limits), enforced_before));
  CHECK(host.passing(*quota, limits, 20) == 9);
  CHECK(host.admit(*quota, limits).refusal.limit == &limits[1]);
  CHECK(quota->remaining(limits[0]) == 41);
  CHECK(quota->remaining(limits[2]) == 41);
}

TEST_CASE("a call waits while units are left but none is reserved yet") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 1000)};
  CHECK(quota->admit(limits, {}, "r").outcome == Outcome::wait);
  must(quota->work(host.ledger));
  int before_waiting = 0;
  std::vector<Ticket> held;
  for (;;) {
    Admission admission = quota->admit(limits, {}, "r");
    if (admission.outcome != Outcome::admitted) {
      CHECK(admission.outcome == Outcome::wait);
      break;
    }
    held.push_back(std::move(admission.ticket));
    ++before_waiting;
  }
  CHECK(before_waiting >= 31);
  CHECK(before_waiting <= 64);
}

TEST_CASE("a call that never left is given back, once") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 1)};
  Admission first = host.admit(*quota, limits);
  REQUIRE(first.ticket);
  CHECK(host.admit(*quota, limits).outcome == Outcome::refused);
  first.ticket.give_back();
  first.ticket.give_back();
  CHECK(!first.ticket.settle({}));
  CHECK(host.passing(*quota, limits, 5) == 1);
}

TEST_CASE("a ticket that is dropped is charged when the call was sent and given back when not") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 10)};
  { Admission dropped = host.admit(*quota, limits); }
  CHECK(quota->remaining(limits[0]) == 10);
  {
    Admission dropped = host.admit(*quota, limits);
    dropped.ticket.sent();
  }
  CHECK(quota->remaining(limits[0]) == 9);
}

TEST_CASE("tokens and money are trued up in both directions, and too much is told") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {
      cap("key", "k1", LimitKind::day, 1000, QuotaUnit::tokens),
      cap("key", "k1", LimitKind::month, 5'000'000'000, QuotaUnit::nano_dollars)};
  Admission call = host.admit(*quota, limits, {1, 400, 3'000'000'000});
  REQUIRE(call.ticket);
  CHECK(quota->remaining(limits[0]) == 600);
  CHECK(host.admit(*quota, limits, {1, 100, 3'000'000'000}).refusal.limit == &limits[1]);
  CHECK(!call.ticket.settle({1, 100, 1'000'000'000}));
  CHECK(quota->remaining(limits[0]) == 900);
  CHECK(quota->remaining(limits[1]) == 4'000'000'000);
  Admission over = host.admit(*quota, limits, {1, 10, 10});
  CHECK(over.ticket.settle({1, 2000, 10}));
  CHECK(quota->remaining(limits[0]) == 0);
  CHECK(host.admit(*quota, limits, {1, 1, 1}).outcome == Outcome::refused);
}

TEST_CASE("negative amounts open no gate") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100, QuotaUnit::tokens)};
  CHECK(quota->admit(limits, {1, -5, 0}, "r").outcome == Outcome::unavailable);
  Admission call = host.admit(*quota, limits, {1, 60, 0});
  call.ticket.settle({1, -1000, 0});
  CHECK(quota->remaining(limits[0]) == 100);
}

TEST_CASE("a call of one day given back on the next leaves the next day unchanged") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 10)};
  Admission of_today = host.admit(*quota, limits);
  REQUIRE(of_today.ticket);
  host.clock->advance(std::chrono::hours(12));
  CHECK(host.passing(*quota, limits, 4) == 4);
  of_today.ticket.give_back();
  CHECK(quota->remaining(limits[0]) == 6);
  host.clock->step_wall(-std::chrono::hours(12));
  CHECK(quota->remaining(limits[0]) == 10);
}

TEST_CASE("a limit lowered below what is used binds the next call, a raised one frees it") {
  Host host;
  auto quota = host.open();
  Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  CHECK(host.passing(*quota, limits, 60) == 60);
  limits[0].limit = 30;
  CHECK(quota->admit(limits, {}, "r").outcome == Outcome::refused);
  limits[0].limit = 70;
  CHECK(host.passing(*quota, limits, 60) == 10);
}

TEST_CASE("an alert is given once for a window, at its share of the limit") {
  Host host;
  auto quota = host.open();
  auto other = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  host.passing(*quota, limits, 79);
  must(quota->work(host.ledger));
  CHECK(host.alerts.empty());
  host.passing(*other, limits, 15);
  must(other->work(host.ledger));
  must(quota->work(host.ledger));
  REQUIRE(host.alerts.size() == 1);
  CHECK(host.alerts[0].subject == "key:k1");
  CHECK(host.alerts[0].used == 80);
  CHECK(host.alerts[0].limit == 100);
}

TEST_CASE("a share of a limit is rounded up to a whole unit, and each limit has its own alert") {
  Host host;
  auto quota = host.open();
  const auto alerts_after = [&](std::span<const Limit> limits, int calls) {
    CHECK(host.passing(*quota, limits, calls) == calls);
    must(quota->work(host.ledger));
    return host.alerts.size();
  };
  Limit three[] = {cap("key", "k3", LimitKind::day, 3)};
  CHECK(alerts_after(three, 2) == 0);
  CHECK(alerts_after(three, 1) == 1);
  three[0].limit = 10;
  CHECK(alerts_after(three, 4) == 1);
  CHECK(alerts_after(three, 1) == 2);
  const Limit one[] = {cap("key", "k1", LimitKind::month, 1)};
  CHECK(alerts_after(one, 1) == 3);
}

TEST_CASE("an alert comes with a refusal when no admitted call had crossed the line") {
  Host host;
  auto quota = host.open();
  Limit lowered[] = {cap("key", "k1", LimitKind::day, 100)};
  CHECK(host.passing(*quota, lowered, 50) == 50);
  lowered[0].limit = 30;
  CHECK(host.passing(*quota, lowered, 2) == 0);
  must(quota->work(host.ledger));
  REQUIRE(host.alerts.size() == 1);
  CHECK(host.alerts[0].used == 50);
  CHECK(host.alerts[0].limit == 30);

  Limit money = cap("key", "k2", LimitKind::month, 1000);
  money.unit = QuotaUnit::nano_dollars;
  const Limit limits[] = {money};
  Admission held = host.admit(*quota, limits, {.nano_dollars = 10});
  held.ticket.settle({.nano_dollars = 1500});
  CHECK_FALSE(host.passes(*quota, limits, {.nano_dollars = 10}));
  must(quota->work(host.ledger));
  REQUIRE(host.alerts.size() == 2);
  CHECK(host.alerts[1].unit == QuotaUnit::nano_dollars);
  CHECK(host.alerts[1].used == 1500);
}

TEST_CASE("a window's limit alerts again only when it is raised above what was alerted for") {
  Host host;
  auto quota = host.open();
  auto other = host.open();
  const Limit old_limit[] = {cap("key", "k1", LimitKind::day, 100)};
  const Limit raised[] = {cap("key", "k1", LimitKind::day, 110)};
  const Limit lowered[] = {cap("key", "k1", LimitKind::day, 50)};
  CHECK(host.passing(*quota, old_limit, 88) == 88);
  must(quota->work(host.ledger));
  CHECK(host.alerts.size() == 1);
  // One process has not heard of the change yet.
  for (int at = 0; at < 5; ++at) {
    CHECK(host.passing(*other, raised, 1) == 1);
    CHECK(host.passing(*quota, old_limit, 1) == 1);
  }
  CHECK(host.passing(*quota, lowered, 3) == 0);
  must(other->work(host.ledger));
  must(quota->work(host.ledger));
  REQUIRE(host.alerts.size() == 2);
  CHECK(host.alerts[1].limit == 110);
}

TEST_CASE("an alert that is due when a process closes is given before it is gone") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 10)};
  CHECK(host.passing(*quota, limits, 8) == 8);
  CHECK(host.alerts.empty());
  SECTION("in order") { must(quota->close(host.ledger)); }
  SECTION("while the disk is gone") {
    host.ledger.is_broken = true;
    CHECK_FALSE(quota->close(host.ledger));
  }
  CHECK(host.alerts.size() == 1);
}

TEST_CASE("a process that hears no alerts leaves them to one that does") {
  Host host;
  host.hears_alerts = false;
  auto deaf = host.open();
  host.hears_alerts = true;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 10)};
  CHECK(host.passing(*deaf, limits, 9) == 9);
  must(deaf->work(host.ledger));
  CHECK(host.passing(*quota, limits, 1) == 1);
  must(quota->work(host.ledger));
  CHECK(host.alerts.size() == 1);
}

TEST_CASE("two processes share one cap to the last unit") {
  Host host;
  auto one = host.open();
  auto two = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 1003)};
  int admitted = 0;
  for (int at = 0; at < 520; ++at) {
    admitted += host.passes(*one, limits) + host.passes(*two, limits);
  }
  CHECK(admitted == 1003);
}

TEST_CASE("with a broken disk a cap keeps calls waiting rather than letting them pass") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  host.ledger.is_broken = true;
  CHECK(quota->admit(limits, {}, "r").outcome == Outcome::wait);
  CHECK(!quota->work(host.ledger));
  CHECK(quota->admit(limits, {}, "r").outcome == Outcome::wait);
  host.ledger.is_broken = false;
  CHECK(host.passing(*quota, limits, 120) == 100);
}

}  // namespace byway::policy
