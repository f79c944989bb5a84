// Caps of tokens of keys and orgs, and an org's cap of money, through whole calls over a real
// store.
#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "router/access_rig.hpp"

namespace byway::router {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::Fail;
using testing::SendBody;
using testing::SendHead;

const std::string body = R"({"messages":[],"max_tokens":100})";
/// What a call of `body` holds of a cap.
const auto held = static_cast<std::int64_t>(body.size()) + 100;
constexpr std::string_view without_usage =
    R"({"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]})";

struct TokenRig : AccessRig {
  Result<Response> ask(std::string_view key, std::string_view text = body,
                       Operation operation = Operation::chat) {
    return router
        .call({.operation = operation, .body = text, .model = "byo:plain/m", .key = key})
        .get();
  }
  std::string outcome(std::string_view key, std::string_view text = body,
                      Operation operation = Operation::chat) {
    return outcome_of(ask(key, text, operation));
  }
  std::int64_t left(std::string_view key, std::string_view name, std::string_view whose = "key") {
    for (const LimitLeft& limit : router.explain({.model = "byo:plain/m", .key = key}).limits) {
      if (limit.name == name && limit.owner == whose) return limit.left;
    }
    FAIL("there is no limit " << name);
    return -1;
  }
  void limit_org(std::string_view field, std::string_view value) {
    const FieldChange change[] = {{field, value}};
    must(owner.set_org_limits(change));
  }
};

}  // namespace

TEST_CASE("a token cap holds a token for each byte and the output bound, and charges usage",
          "[token_caps]") {
  TokenRig rig;
  const std::string key = rig.mint({.cap_tokens_day = 5'000, .cap_tokens_month = 50'000});
  // The endpoint has no prices.
  rig.transport->reply(200, reply_with(30, 70));
  auto reply = rig.ask(key);
  REQUIRE(reply);
  CHECK(reply->metadata().cap_remaining_tokens_day == 4'900);
  CHECK(reply->metadata().cap_remaining_tokens_month == 49'900);
  CHECK_FALSE(reply->metadata().cap_remaining_day);
  CHECK(rig.left(key, "cap_tokens_day") == 4'900);
  CHECK(rig.left(key, "cap_tokens_month") == 49'900);
  // Nobody knows what these used.
  rig.transport->reply(200, std::string(without_usage));
  CHECK(rig.ask(key));
  CHECK(rig.left(key, "cap_tokens_day") == 4'900 - held);
  rig.transport->script({SendHead{}, SendBody{"{"}, Fail{TransferFault::cut}});
  CHECK_FALSE(rig.ask(key));
  CHECK(rig.left(key, "cap_tokens_day") == 4'900 - 2 * held);
  // These used none.
  rig.transport->script({Fail{TransferFault::connect_failed}});
  CHECK_FALSE(rig.ask(key));
  rig.transport->reply(400, "{}");
  CHECK_FALSE(rig.ask(key));
  CHECK(rig.left(key, "cap_tokens_day") == 4'900 - 2 * held);
  CHECK(rig.left(key, "cap_tokens_month") == 49'900 - 2 * held);
  // It is durable.
  rig.reopen({});
  CHECK(rig.left(key, "cap_tokens_month") == 49'900 - 2 * held);
}

TEST_CASE("a token cap that is reached names itself and its window's end, and opens with the next",
          "[token_caps]") {
  TokenRig rig;
  const std::string key = rig.mint({.cap_day = 10, .cap_tokens_day = held + 1});
  rig.transport->reply(200, reply_with(1, 1));
  CHECK(rig.ask(key));
  auto refused = rig.ask(key);
  REQUIRE_FALSE(refused);
  const Error& error = refused.error();
  CHECK(error.code() == ErrorCode::spend_cap_exceeded);
  CHECK(error.reason() == "cap_tokens_day");
  CHECK(error.status() == 402);
  const std::string told = std::to_string(held + 1) + " tokens a day; the next window begins at ";
  CHECK(error.message().find(told) != std::string::npos);
  CHECK(error.message().find("T00:00:00Z") != std::string::npos);
  CHECK(error.metadata().cap_remaining_tokens_day == held - 1);
  REQUIRE(error.retry_after());
  // The request's own cap was given back.
  CHECK(rig.left(key, "cap_day") == 9);
  rig.clock->advance(*error.retry_after() - milliseconds(1));
  CHECK_FALSE(rig.ask(key));
  rig.clock->advance(milliseconds(1));
  rig.transport->reply(200, reply_with(1, 1));
  CHECK(rig.ask(key));
  CHECK(rig.sent() == 2);
}

TEST_CASE("usage above what was held is charged all the same and blocks the next call",
          "[token_caps]") {
  TokenRig rig;
  const std::string key = rig.mint({.cap_tokens_month = 1'000});
  rig.transport->reply(200, reply_with(10, 2'000));
  CHECK(rig.ask(key));
  CHECK(rig.left(key, "cap_tokens_month") == 0);
  CHECK(rig.outcome(key, R"({"messages":[],"max_tokens":1})") ==
        "spend_cap_exceeded cap_tokens_month");
}

TEST_CASE("under a token cap a request needs a bound, and one that fits", "[token_caps]") {
  TokenRig rig;
  for (const CustomerKeySettings& settings :
       {CustomerKeySettings{.cap_tokens_day = 500}, CustomerKeySettings{.cap_tokens_month = 500}}) {
    const std::string key = rig.mint(settings);
    for (const std::string_view unbound :
         {R"({"messages":[]})", R"({"messages":[],"max_tokens":-1})"}) {
      CHECK(rig.outcome(key, unbound) == "policy_bound_unknown");
    }
    auto never = rig.ask(key, R"({"messages":[],"max_tokens":500})");
    CHECK(AccessRig::outcome_of(never) == "policy_request_exceeds_limit");
    CHECK_FALSE(never.error().retry_after());
    CHECK(never.error().param() == "max_tokens");
    CHECK(never.error().message().find("500 a ") != std::string::npos);
    // Embeddings have no output.
    rig.transport->reply(200, R"({"data":[],"usage":{"prompt_tokens":3,"total_tokens":3}})");
    CHECK(rig.outcome(key, R"({"input":"a b c"})", Operation::embeddings) == "sent");
  }
  CHECK(rig.sent() == 2);
}

TEST_CASE("a rate of tokens beside a token cap takes its own estimate", "[token_caps]") {
  TokenRig rig;
  const std::string key = rig.mint({.tpm = 10'000, .cap_tokens_day = 10'000});
  const std::int64_t estimate = 100 + (static_cast<std::int64_t>(body.size()) + 3) / 4;
  rig.transport->reply(200, std::string(without_usage));
  CHECK(rig.ask(key));
  CHECK(rig.left(key, "tpm") == 10'000 - estimate);
  CHECK(rig.left(key, "cap_tokens_day") == 10'000 - held);
  rig.transport->reply(200, reply_with(3, 4));
  CHECK(rig.ask(key));
  CHECK(rig.left(key, "tpm") == 10'000 - estimate - 7);
  CHECK(rig.left(key, "cap_tokens_day") == 10'000 - held - 7);
}

TEST_CASE("an org's token caps hold for all of its keys, and for calls without one",
          "[token_caps]") {
  TokenRig rig;
  rig.limit_org("cap_tokens_day", "1000");
  rig.limit_org("cap_tokens_month", "2000");
  rig.reopen({.require_key = false});
  const std::string one = rig.mint();
  const std::string two = rig.mint({.cap_tokens_day = 5'000});
  for (int i = 0; i < 3; ++i) rig.transport->reply(200, reply_with(200, 100));
  CHECK(rig.ask(one));
  CHECK(rig.ask(two));
  CHECK(rig.ask(""));
  CHECK(rig.left("", "cap_tokens_day", "org") == 100);
  CHECK(rig.left("", "cap_tokens_month", "org") == 1'100);
  CHECK(rig.left(two, "cap_tokens_day") == 4'700);
  auto refused = rig.ask(two);
  CHECK(AccessRig::outcome_of(refused) == "spend_cap_exceeded cap_tokens_day");
  CHECK(refused.error().message().starts_with("the org"));
  CHECK(rig.outcome("") == "spend_cap_exceeded cap_tokens_day");
  CHECK(rig.left(two, "cap_tokens_day") == 4'700);
}

TEST_CASE("an org's money cap holds for all of its keys", "[token_caps]") {
  TokenRig rig;
  const FieldChange off[] = {{"enabled", "false"}};
  const FieldChange prices[] = {{"price_input", "1000000"}, {"price_output", "2000000"}};
  for (const char* slug : {"few", "euro"}) must(rig.owner.set_endpoint(slug, off));
  must(rig.owner.set_endpoint("plain", prices));
  rig.limit_org("cap_money_month", "1000");
  rig.reopen({});
  const std::string one = rig.mint();
  const std::string two = rig.mint();
  CHECK(rig.outcome(one, R"({"messages":[]})") == "policy_bound_unknown");
  CHECK(rig.outcome(one, R"({"messages":[],"max_tokens":500})") == "policy_request_exceeds_limit");
  rig.transport->reply(200, reply_with(100, 400));
  CHECK(rig.ask(one));
  CHECK(rig.left(two, "cap_money_month", "org") == 100);
  CHECK(rig.outcome(two) == "spend_cap_exceeded cap_money_month");
}

TEST_CASE("routers that share a store share a token cap to the last token", "[token_caps]") {
  TokenRig rig;
  constexpr int fits = 9;
  const std::string key = rig.mint({.cap_tokens_day = fits * held + held - 1});
  std::atomic<int> passed{0};
  std::atomic<int> wrong{0};
  {
    std::vector<Router> routers;
    std::vector<std::thread> callers;
    for (int at = 0; at < 2; ++at) {
      auto own = std::make_shared<testing::FakeTransport>();
      for (int i = 0; i < 2 * fits; ++i) own->reply(200, std::string(without_usage));
      routers.push_back(must(
          Router::open({.store = rig.folder.store(), .transport = own, .clock = rig.clock})));
    }
    for (int at = 0; at < 4; ++at) {
      callers.emplace_back([&, router = routers[static_cast<std::size_t>(at % 2)]]() mutable {
        for (int i = 0; i < 4; ++i) {
          const auto reply =
              router.call({.body = body, .model = "byo:plain/m", .key = key}).get();
          if (reply) {
            ++passed;
          } else if (AccessRig::outcome_of(reply) != "spend_cap_exceeded cap_tokens_day") {
            ++wrong;
          }
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
  CHECK(passed == fits);
  CHECK(wrong == 0);
  CHECK(rig.left(key, "cap_tokens_day") == held - 1);
}

TEST_CASE("a token cap alerts when its share is used", "[token_caps]") {
  std::promise<QuotaAlert> first;
  TokenRig rig;
  rig.reopen({.on_alert = [&](const QuotaAlert& alert) { first.set_value(alert); }});
  const std::string key = rig.mint({.cap_tokens_month = 1'000});
  rig.transport->reply(200, reply_with(300, 500));
  rig.transport->reply(200, reply_with(1, 1));
  CHECK(rig.ask(key));
  CHECK(rig.ask(key));
  auto heard = first.get_future();
  REQUIRE(heard.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  const QuotaAlert alert = heard.get();
  CHECK(alert.subject.starts_with("key:"));
  CHECK(alert.unit == QuotaUnit::tokens);
  CHECK(alert.period == QuotaPeriod::month);
  CHECK(alert.used == 800 + held);
  CHECK(alert.limit == 1'000);
}

}  // namespace byway::router
