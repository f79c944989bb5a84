// Bad input that calls bring or get: each with its code and nothing else, and no count that goes
// wrong by it (docs/bad-input.md).
#include <byway/audit.hpp>

#include "router/access_rig.hpp"

namespace byway::router {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// `priced` costs a nano-dollar for a token of the prompt and two for one of the answer.
struct BadInputRig : AccessRig {
  BadInputRig() {
    add("priced", [](auto& settings) {
      settings.price_input = 1'000'000;
      settings.price_output = 2'000'000;
    });
  }
  Result<Response> ask(std::string_view key, std::string_view body,
                       std::string_view model = "byo:priced/m") {
    return router.call({.body = body, .model = model, .key = key}).get();
  }
  std::int64_t left(std::string_view key, std::string_view name) {
    for (const LimitLeft& limit : router.explain({.model = "byo:priced/m", .key = key}).limits) {
      if (limit.name == name) return limit.left;
    }
    return -1;
  }
  /// A key for `priced` alone.
  std::string mint_for_priced(CustomerKeySettings settings) {
    settings.allow = std::vector<std::string>{"byo:priced/*"};
    return mint(std::move(settings));
  }
};

std::string replying(std::string_view usage) {
  return R"({"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}],"usage":)" +
         std::string(usage) + "}";
}

}  // namespace

TEST_CASE("B44: what can never fit a token rate or a whole cap has no retry time", "[bad_input]") {
  BadInputRig rig;
  const std::string body = R"({"messages":[],"max_tokens":600})";
  for (const CustomerKeySettings& settings :
       {CustomerKeySettings{.tpm = 599}, CustomerKeySettings{.cap_money_month = 1'200},
        CustomerKeySettings{.cap_tokens_day = 600}, CustomerKeySettings{.cap_tokens_month = 600}}) {
    const std::string key = rig.mint_for_priced(settings);
    auto refused = rig.ask(key, body);
    CHECK(AccessRig::outcome_of(refused) == "policy_request_exceeds_limit");
    CHECK_FALSE(refused.error().retry_after());
    CHECK_FALSE(refused.error().retryable());
    CHECK(refused.error().param() == "max_tokens");
    // It took nothing: what fits passes.
    rig.transport->reply(200, reply_with(1, 1));
    CHECK(rig.ask(key, R"({"messages":[],"max_tokens":400})"));
  }
}

TEST_CASE("B45: over a rate of requests or tokens, the wait is exact", "[bad_input]") {
  BadInputRig rig;
  const std::string body = R"({"messages":[],"max_tokens":992})";  // and 8 for its bytes
  const auto check = [&](CustomerKeySettings settings, std::string_view outcome, seconds wait) {
    const std::string key = rig.mint_for_priced(std::move(settings));
    rig.transport->reply(200, reply_with(8, 992)).reply(200, reply_with(8, 992));
    CHECK(rig.ask(key, body));
    auto refused = rig.ask(key, body);
    CHECK(AccessRig::outcome_of(refused) == outcome);
    REQUIRE(refused.error().retry_after());
    CHECK(*refused.error().retry_after() == wait);
    CHECK(refused.error().retryable());
    CHECK(refused.error().status() == 429);
    rig.clock->advance(wait - std::chrono::milliseconds(1));
    CHECK_FALSE(rig.ask(key, body));
    rig.clock->advance(std::chrono::milliseconds(1));
    CHECK(rig.ask(key, body));
  };
  check({.rpm = 6, .rpm_burst = 1}, "rate_limit_exceeded rpm", seconds(10));
  // 1,500 a minute, of which 500 are left: the other 500 come in 20 s.
  check({.tpm = 1500}, "rate_limit_exceeded tpm", seconds(20));
}

TEST_CASE("B46: over a cap, the end of its window is told", "[bad_input]") {
  BadInputRig rig;
  for (const bool is_day : {true, false}) {
    CustomerKeySettings settings;
    (is_day ? settings.cap_day : settings.cap_month) = 1;
    const std::string key = rig.mint(settings);
    rig.transport->reply(200, reply_with(1, 1)).reply(200, reply_with(1, 1));
    CHECK(rig.ask(key, R"({"messages":[]})"));
    auto refused = rig.ask(key, R"({"messages":[]})");
    CHECK(AccessRig::outcome_of(refused) ==
          std::string("spend_cap_exceeded cap_") + (is_day ? "day" : "month"));
    CHECK(refused.error().status() == 402);
    REQUIRE(refused.error().retry_after());
    const auto wait = *refused.error().retry_after();
    CHECK((is_day ? wait <= hours(24) : wait <= hours(31 * 24)));
    rig.clock->advance(wait - std::chrono::milliseconds(1));
    CHECK_FALSE(rig.ask(key, R"({"messages":[]})"));
    rig.clock->advance(std::chrono::milliseconds(1));
    CHECK(rig.ask(key, R"({"messages":[]})"));
  }
}

TEST_CASE("B54: usage that cannot be true is charged as held, and never below zero",
          "[bad_input]") {
  BadInputRig rig;
  const std::string body = R"({"messages":[],"max_tokens":100})";
  const auto tokens = static_cast<std::int64_t>((body.size() + 3) / 4) + 100;
  const auto money = static_cast<std::int64_t>(body.size()) + 200;
  const std::string_view usages[] = {
      "null",
      "7",
      "[]",
      "{}",
      R"({"prompt_tokens":-1,"completion_tokens":5})",
      R"({"prompt_tokens":5,"completion_tokens":-9223372036854775808})",
      R"({"prompt_tokens":9223372036854775808,"completion_tokens":5})",
      R"({"prompt_tokens":5,"completion_tokens":9223372036854775807})",
      R"({"prompt_tokens":5.5,"completion_tokens":5})",
      R"({"prompt_tokens":"5","completion_tokens":5})",
      R"({"prompt_tokens":5})",
      R"({"total_tokens":-3})",
      R"({"prompt_tokens":5,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":6}})",
  };
  std::int64_t calls = 0;
  const std::string key = rig.mint_for_priced({.tpm = 1'000'000,
                                               .cap_tokens_day = 1'000'000,
                                               .cap_money_month = 1'000'000});
  const auto bound = static_cast<std::int64_t>(body.size()) + 100;
  for (const std::string_view usage : usages) {
    CAPTURE(usage);
    rig.transport->reply(200, replying(usage));
    CHECK(rig.ask(key, body));
    ++calls;
    CHECK(rig.left(key, "tpm") == 1'000'000 - calls * tokens);
    CHECK(rig.left(key, "cap_tokens_day") == 1'000'000 - calls * bound);
    CHECK(rig.left(key, "cap_money_month") == 1'000'000 - calls * money);
  }
  // What is odd beside the counts does no harm to them.
  rig.transport->reply(200, replying(R"({"prompt_tokens":5,"completion_tokens":5,"cost":"x"})"));
  CHECK(rig.ask(key, body));
  CHECK(rig.left(key, "tpm") == 1'000'000 - calls * tokens - 10);
  CHECK(rig.left(key, "cap_money_month") == 1'000'000 - calls * money - 15);

  rig.router = rig.open("local");
  std::int64_t estimated = 0;
  for (const AuditRecord& record : must(rig.router.admin_as_owner().audit_tail(1000))) {
    CHECK(record.input_tokens >= 0);
    CHECK(record.output_tokens >= 0);
    estimated += record.kind == AuditKind::outcome ? record.estimated : 0;
  }
  CHECK(estimated == calls);
}

}  // namespace byway::router
