#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "wire/retry_after.hpp"

using namespace byway;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// 2026-11-22 10:00:00 UTC, a Sunday.
const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 10h;

using Rows = std::vector<std::pair<std::string_view, std::string_view>>;

std::optional<milliseconds> wait(const Rows& rows, const wire::Dialect& dialect = {}) {
  return wire::retry_after(wire::HeadersView::Pairs(rows), now, dialect);
}

}  // namespace

TEST_CASE("all forms of a wait are read by one parser") {
  struct Row {
    std::string value;
    std::optional<milliseconds> wait;
  };
  const Row rows[] = {
      {"2", 2000ms},
      {" 2 ", 2000ms},
      {"0.5", 500ms},
      {"0", 0ms},
      {"-5", 0ms},
      {"17ms", 17ms},
      {"1s", 1000ms},
      {"6m0s", 360000ms},
      {"1h2m3.5s", 3723500ms},
      {"1h 2m 3.5s", 3723500ms},
      {"20 seconds", 20000ms},
      {"Sun, 22 Nov 2026 10:00:05 GMT", 5000ms},
      {"Sunday, 22-Nov-26 10:00:05 GMT", 5000ms},
      {"Sun Nov 22 10:00:05 2026", 5000ms},
      {"Sun, 22 Nov 2026 09:00:00 GMT", 0ms},
      {"2026-11-22T10:00:05Z", 5000ms},
      {"2026-11-22T10:00:05.250Z", 5250ms},
      {"2026-11-22T11:00:05+01:00", 5000ms},
      {"1795341605", 5000ms},
      {"1795341605000", 5000ms},
      {"", std::nullopt},
      {"soon", std::nullopt},
      {"NaN", std::nullopt},
      {"inf", std::nullopt},
      {"5 apples", std::nullopt},
      {"Sun, 99 Nov 2026 10:00:05 GMT", std::nullopt},
      {"Sun, 22 Nov 2026", std::nullopt},
      {"2026-13-22T10:00:05Z", std::nullopt},
      {"2026-11-22T10:00:05+99", std::nullopt},
  };
  for (const Row& row : rows) {
    INFO(row.value);
    CHECK(wire::parse_wait(row.value, now) == row.wait);
  }
}

TEST_CASE("a wish of ten years or more is kept long and never overflows") {
  for (const std::string value : {"315360000", "1e300", "999999999999999999999h"}) {
    const auto wish = wire::parse_wait(value, now);
    if (!wish) continue;
    CHECK(*wish >= 0ms);
    CHECK(*wish <= 24h * 366 * 100);
  }
  CHECK(wire::parse_wait("315360000", now) == 315360000s);
}

TEST_CASE("headers are asked in their order") {
  CHECK(wait({{"retry-after-ms", "250"}, {"retry-after", "9"}}) == 250ms);
  CHECK(wait({{"retry-after", "9"}, {"x-ratelimit-reset", "1"}}) == 9000ms);
  CHECK(wait({{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "6m0s"}}) ==
        360s);
  CHECK(wait({{"x-ratelimit-remaining-requests", "5"},
              {"x-ratelimit-reset-requests", "6m0s"},
              {"x-ratelimit-remaining-tokens", "0"},
              {"x-ratelimit-reset-tokens", "17ms"}}) == 17ms);
  CHECK(wait({{"x-ratelimit-reset", "1795341605000"}}) == 5s);
  CHECK_FALSE(wait({{"x-ratelimit-remaining", "3"}, {"x-ratelimit-reset", "10"}}));
  CHECK_FALSE(wait({}));
  CHECK_FALSE(wait({{"retry-after", "garbage"}}));
}

TEST_CASE("a dialect names further headers and their unit") {
  wire::Dialect dialect;
  dialect.rate.remaining = "x-tokenlimit-remaining";
  dialect.rate.reset = "x-tokenlimit-reset";
  dialect.rate.reset_unit = wire::ResetUnit::milliseconds;
  CHECK(wait({{"x-tokenlimit-remaining", "0"}, {"x-tokenlimit-reset", "1500"}}, dialect) == 1500ms);
}

TEST_CASE("a wait in prose is found") {
  CHECK(wire::wait_in_prose("Please retry after 20 seconds.") == 20s);
  CHECK(wire::wait_in_prose("Rate limit reached. Please try again in 1.5s. Visit x") == 1500ms);
  CHECK(wire::wait_in_prose("try again in 6m0s") == 360s);
  CHECK(wire::wait_in_prose("Please retry after 1 second.") == 1s);
  CHECK_FALSE(wire::wait_in_prose("retry after lunch"));
  CHECK_FALSE(wire::wait_in_prose(""));
}
