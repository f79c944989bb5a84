// The mapping: reboots, versions, sizes, owners, forks.
#include "catch.hpp"

#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "quota/scratch_quota.hpp"

namespace byway::policy {
namespace {

using Outcome = Admission::Outcome;

std::int64_t reserved(Host& host) {
  std::int64_t sum = 0;
  for (const auto& row : host.ledger.rows) sum += row.second.reserved;
  return sum;
}

}  // namespace

TEST_CASE("the mapping is preallocated, of mode 0600, and outlives its processes") {
  Host host;
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  CHECK(host.passing(*host.open(), limits, 30) == 30);
  const std::string path = host.folder / "byway.db-live";
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK(found.st_blocks * 512 >= found.st_size);
  CHECK(host.passing(*host.open(), limits, 100) == 70);
}

TEST_CASE("after a reboot all that was reserved counts as used, and a rate starts full") {
  Host host;
  const Limit limits[] = {rate(60, 10), cap("key", "k1", LimitKind::day, 100)};
  CHECK(host.passing(*host.open(), limits, 5) == 5);
  const std::int64_t before = reserved(host);
  CHECK(before > 5);
  host.boot_id = "boot-2";
  auto quota = host.open();
  CHECK(host.admit(*quota, limits).outcome == Outcome::refused);
  const Limit only_cap[] = {limits[1]};
  CHECK(host.passing(*quota, only_cap, 200) == 100 - before);
  host.clock->advance(std::chrono::seconds(3));
  const Limit only_rate[] = {limits[0]};
  CHECK(host.passing(*quota, only_rate, 20) == 2);
}

TEST_CASE("a process that closes last gives back what it did not use, so a reboot costs nothing") {
  Host host;
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  auto quota = host.open();
  CHECK(host.passing(*quota, limits, 5) == 5);
  must(quota->close(host.ledger));
  quota.reset();
  CHECK(reserved(host) == 5);
  host.boot_id = "boot-2";
  CHECK(host.passing(*host.open(), limits, 200) == 95);
}

TEST_CASE("a lost mapping starts from the ledger and never gives a unit twice") {
  Host host;
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  CHECK(host.passing(*host.open(), limits, 80) == 80);
  std::filesystem::remove(host.folder / "byway.db-live");
  CHECK(host.passing(*host.open(), limits, 200) <= 20);
}

TEST_CASE("a mapping of another size or version is replaced, unless a process has it open") {
  Host host;
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  auto quota = host.open();
  CHECK(host.passing(*quota, limits, 50) == 50);
  QuotaOptions options;
  options.store = host.folder / "byway.db";
  options.clock = host.clock;
  options.boot_id = host.boot_id;
  options.sizes = {512, 8, 32};
  auto other = Quota::open(options);
  REQUIRE(!other);
  CHECK(other.error().code() == ErrorCode::store_io_error);
  CHECK(host.passing(*quota, limits, 10) == 10);
  quota.reset();
  auto replaced = must(Quota::open(options));
  CHECK(host.passing(*replaced, limits, 200) <= 40);
}

TEST_CASE("a mapping with a foreign header is not believed") {
  Host host;
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  CHECK(host.passing(*host.open(), limits, 50) == 50);
  {
    std::fstream file(host.folder / "byway.db-live",
                      std::ios::in | std::ios::out | std::ios::binary);
    file << "something else";
  }
  CHECK(host.passing(*host.open(), limits, 200) <= 50);
}

TEST_CASE("what a dead process held in flight comes back, its calls stay charged and are named") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {in_flight(3), cap("key", "k1", LimitKind::day, 100)};
  CHECK(host.passes(*quota, limits));
  const int end = store::run_in_child([&]() -> int {
    auto dying = host.open();
    Admission one = host.admit(*dying, limits, {}, "bw-req-one");
    Admission two = host.admit(*dying, limits, {}, "bw-req-two");
    ::_exit(one.ticket && two.ticket ? 0 : 1);
  });
  REQUIRE(end == 0);
  CHECK(quota->remaining(limits[0]) == 1);
  host.clock->advance(std::chrono::seconds(1));
  must(quota->work(host.ledger));
  CHECK(quota->remaining(limits[0]) == 3);
  CHECK(quota->remaining(limits[1]) == 97);
  CHECK(host.ledger.doubts.size() == 2);
  CHECK(host.ledger.doubts.contains("bw-req-one"));
}

TEST_CASE("a forked child admits nothing and settles nothing") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 100)};
  Admission held = host.admit(*quota, limits);
  const int end = store::run_in_child([&] {
    held.ticket.give_back();
    const bool is_refused = quota->admit(limits, {}, "r").outcome == Outcome::unavailable;
    return is_refused && !quota->work(host.ledger) ? 0 : 1;
  });
  CHECK(end == 0);
  CHECK(quota->remaining(limits[0]) == 99);
}

TEST_CASE("a process with more calls in flight than a journal holds takes another journal") {
  Host host;
  auto quota = host.open();
  const Limit limits[] = {cap("key", "k1", LimitKind::day, 1000)};
  std::vector<Ticket> held;
  for (int at = 0; at < 100; ++at) {
    Admission call = host.admit(*quota, limits);
    REQUIRE(call.ticket);
    held.push_back(std::move(call.ticket));
  }
  held.clear();
  CHECK(quota->remaining(limits[0]) == 1000);
}

TEST_CASE("a long name is a subject of its own") {
  const std::string long_name(200, 'x');
  const Subject one = Subject::of("org", long_name + "1");
  const Subject two = Subject::of("org", long_name + "2");
  CHECK(one != two);
  CHECK(one.text().size() == 48);
  CHECK(Subject::of("org", "acme").text() == "org:acme");
}

}  // namespace byway::policy
