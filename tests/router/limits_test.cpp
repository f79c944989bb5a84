// Steps 9 and 10 of the order of enforcement, through whole calls over a real store.
#include <thread>

#include "router/access_rig.hpp"
#include "store/sqlite.hpp"

namespace byway::router {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Fail;
using testing::Hold;
using testing::SendBody;
using testing::SendHead;

struct LimitRig : AccessRig {
  LimitRig& answer(int times = 1) {
    for (int i = 0; i < times; ++i) transport->reply(200, reply_with(1, 1));
    return *this;
  }
  Result<Response> ask(std::string_view key, std::string_view body = R"({"messages":[]})",
                       std::string_view model = "byo:plain/m") {
    return router.call({.body = body, .model = model, .key = key}).get();
  }
  /// Of the limit that the key, its org or the endpoint has.
  std::int64_t left(std::string_view key, std::string_view name,
                    std::string_view model = "byo:plain/m") {
    const Explanation told = router.explain({.model = model, .key = key});
    for (const LimitLeft& limit : told.limits) {
      if (limit.name == name) return limit.left;
    }
    FAIL("there is no limit " << name);
    return -1;
  }
};

template <class Edit>
std::string mint(LimitRig& rig, Edit edit) {
  CustomerKeySettings settings;
  edit(settings);
  return rig.mint(settings);
}

std::string code_of(const Result<Response>& reply) {
  return AccessRig::outcome_of(reply);
}

}  // namespace

TEST_CASE("a rate refuses with the exact wait, after which a call passes", "[limits]") {
  LimitRig rig;
  const std::string key = mint(rig, [](auto& settings) {
    settings.rpm = 60;
    settings.rpm_burst = 2;
  });
  rig.answer(3);
  CHECK(rig.ask(key));
  CHECK(rig.ask(key));
  auto refused = rig.ask(key);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::rate_limit_exceeded);
  CHECK(refused.error().reason() == "rpm");
  CHECK(refused.error().status() == 429);
  CHECK(refused.error().endpoint() == "byo:plain");
  REQUIRE(refused.error().retry_after());
  CHECK(*refused.error().retry_after() == seconds(1));
  rig.clock->advance(seconds(1) - milliseconds(1));
  CHECK_FALSE(rig.ask(key));
  rig.clock->advance(milliseconds(1));
  CHECK(rig.ask(key));
  CHECK(rig.sent() == 3);
}

TEST_CASE("a cap is never passed, names its window's end, and opens with the next day",
          "[limits]") {
  LimitRig rig;
  const std::string key = mint(rig, [](auto& settings) { settings.cap_day = 2; });
  rig.answer(3);
  CHECK(rig.ask(key));
  auto second = rig.ask(key);
  REQUIRE(second);
  CHECK(second->metadata().cap_remaining_day == 0);
  auto refused = rig.ask(key);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::spend_cap_exceeded);
  CHECK(refused.error().reason() == "cap_day");
  CHECK(refused.error().status() == 402);
  CHECK(refused.error().message().find("T00:00:00Z") != std::string::npos);
  CHECK(refused.error().retry_after());
  CHECK(rig.sent() == 2);
  rig.clock->advance(hours(24));
  CHECK(rig.ask(key));
}

TEST_CASE("a refusal before the limits uses nothing of them", "[limits]") {
  LimitRig rig;
  const std::string key = mint(rig, [](auto& settings) {
    settings.rpm = 2;
    settings.cap_day = 2;
    settings.region = "eu";
  });
  for (const char* model : {"byo:none/m", "byo:off/m", "byo:few/m", "byo:plain/m"}) {
    CHECK_FALSE(rig.ask(key, R"({"messages":[]})", model));
  }
  CHECK_FALSE(rig.ask(key, "{"));
  CHECK(rig.left(key, "rpm", "byo:euro/m") == 2);
  CHECK(rig.left(key, "cap_day", "byo:euro/m") == 2);
}

TEST_CASE("residency is enforced before rates, rates before caps, caps before own policies",
          "[limits]") {
  struct Refuses {
    Verdict admit(CallState&) { return Error(ErrorCode::policy_forbidden, "no"); }
  };
  LimitRig rig;
  rig.reopen({.policies = {Refuses()}});
  const std::string pinned = mint(rig, [](auto& settings) {
    settings.rpm = 1;
    settings.cap_day = 1;
    settings.region = "eu";
  });
  CHECK(code_of(rig.ask(pinned)) == "provider_not_permitted");
  // A refusal by a policy gives the units of both back, again and again.
  const std::string key = mint(rig, [](auto& settings) {
    settings.rpm = 1;
    settings.cap_day = 1;
  });
  for (int i = 0; i < 3; ++i) CHECK(code_of(rig.ask(key)) == "policy_forbidden");
  LimitRig open;
  const std::string both = mint(open, [](auto& settings) {
    settings.rpm = 1;
    settings.cap_day = 1;
  });
  open.answer(2);
  CHECK(open.ask(both));
  CHECK(code_of(open.ask(both)) == "rate_limit_exceeded rpm");
  open.clock->advance(std::chrono::minutes(2));
  CHECK(code_of(open.ask(both)) == "spend_cap_exceeded cap_day");
  CHECK(open.left(both, "rpm") == 1);  // given back
}

TEST_CASE("the audit log is asked last, and its refusal gives back what the limits took",
          "[limits]") {
  struct Counts {
    std::shared_ptr<int> asked = std::make_shared<int>(0);
    Verdict admit(CallState&) {
      ++*asked;
      return Proceed();
    }
  };
  LimitRig rig;
  const FieldChange cap[] = {{"cap_day", "1"}};
  must(rig.owner.set_org_limits(cap));
  // A store whose audit key does not open cannot sign a log.
  rig.router.close();
  auto database = must(store::Database::open(rig.folder.store(), seconds(5)));
  must(database.run("UPDATE pepper SET sealed = zeroblob(length(sealed))"));
  const Counts counts;
  rig.reopen({.require_key = false, .policies = {counts}});
  for (int i = 0; i < 3; ++i) CHECK(code_of(rig.ask("")) == "policy_audit_unavailable");
  CHECK(*counts.asked == 3);
  CHECK(rig.sent() == 0);
  CHECK(rig.left("", "cap_day") == 1);
}

TEST_CASE("what never left is given back, what reached the server counts", "[limits]") {
  LimitRig rig;
  const std::string key = mint(rig, [](auto& settings) { settings.cap_day = 10; });
  rig.transport->script({Fail{TransferFault::connect_failed}});
  CHECK_FALSE(rig.ask(key));
  CHECK(rig.left(key, "cap_day") == 10);
  rig.transport->reply(500, "{}");
  CHECK_FALSE(rig.ask(key));
  CHECK(rig.left(key, "cap_day") == 9);
  rig.transport->script({SendHead{}, SendBody{"{"}, Fail{TransferFault::cut}});
  CHECK_FALSE(rig.ask(key));
  CHECK(rig.left(key, "cap_day") == 8);
  rig.transport->script({SendHead{}, Hold{}});
  {
    auto dropped =
        rig.router.call({.body = R"({"messages":[]})", .model = "byo:plain/m", .key = key});
    while (rig.sent() < 4) std::this_thread::yield();
  }
  while (rig.router.health().calls_in_flight > 0) std::this_thread::yield();
  CHECK(rig.left(key, "cap_day") == 7);
}

TEST_CASE("a month's cap, an org's cap and a key's are all held", "[limits]") {
  LimitRig rig;
  const FieldChange changes[] = {{"cap_month", "3"}};
  must(rig.owner.set_org_limits(changes));
  const std::string one = mint(rig, [](auto& settings) { settings.cap_day = 2; });
  const std::string two = rig.mint();
  rig.answer(4);
  CHECK(rig.ask(one));
  CHECK(rig.ask(one));
  CHECK(code_of(rig.ask(one)) == "spend_cap_exceeded cap_day");
  CHECK(rig.ask(two));
  CHECK(code_of(rig.ask(two)) == "spend_cap_exceeded cap_month");
  rig.clock->advance(hours(24));
  CHECK(code_of(rig.ask(one)) == "spend_cap_exceeded cap_month");
  CHECK(rig.sent() == 3);
}

TEST_CASE("an in-flight share is refused, or waited for in order", "[limits]") {
  for (const bool waits : {false, true}) {
    LimitRig rig;
    rig.reopen({.on_limit = waits ? OnLimit::wait : OnLimit::reject});
    auto& transport = rig.transport;
    const std::string key = mint(rig, [](auto& settings) { settings.in_flight = 1; });
    transport->script({SendHead{}, Hold{}});
    transport->reply(200, reply_with(1, 1));
    const Request request{.body = R"({"messages":[]})", .model = "byo:plain/m", .key = key};
    auto first = rig.router.call(request);
    while (transport->requests().empty()) std::this_thread::yield();
    auto second = rig.router.call(request);
    if (!waits) {
      CHECK(code_of(std::move(second).get()) == "rate_limit_exceeded in_flight");
      continue;
    }
    CHECK_FALSE(second.is_ready());
    CHECK(transport->requests().size() == 1);
    first.cancel();
    CHECK(std::move(second).get());
    CHECK(transport->requests().size() == 2);
  }
}

TEST_CASE("a call that waits for its share can be cancelled and holds nothing", "[limits]") {
  LimitRig rig;
  rig.reopen({.on_limit = OnLimit::wait});
  auto& transport = rig.transport;
  const std::string key = mint(rig, [](auto& settings) {
    settings.in_flight = 1;
    settings.cap_day = 5;
  });
  transport->script({SendHead{}, Hold{}});
  const Request request{.body = R"({"messages":[]})", .model = "byo:plain/m", .key = key};
  auto first = rig.router.call(request);
  while (transport->requests().empty()) std::this_thread::yield();
  auto second = rig.router.call(request);
  second.cancel();
  auto result = std::move(second).get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::request_cancelled);
  CHECK(result.error().sent() == Sent::no);
  CHECK(rig.left(key, "cap_day") == 4);
  CHECK(transport->requests().size() == 1);
}

TEST_CASE("an endpoint's limits are taken for each attempt and given back when not sent",
          "[limits]") {
  LimitRig rig;
  rig.add("tight", [](auto& settings) {
    settings.rpm = 3;
    settings.in_flight = 2;
  });
  const std::string key = rig.mint();
  rig.transport->reply(503, "{}").reply(200, reply_with(1, 1));
  auto pending = rig.router.call(
      {.body = R"({"messages":[]})", .model = "byo:tight/m", .key = key, .attempts = 2});
  while (!pending.is_ready()) {
    rig.clock->advance(milliseconds(1));
    std::this_thread::yield();
  }
  CHECK(std::move(pending).get());
  CHECK(rig.sent() == 2);
  CHECK(rig.left(key, "rpm", "byo:tight/m") == 1);
  rig.transport->script({Fail{TransferFault::connect_failed}});
  CHECK_FALSE(rig.ask(key, R"({"messages":[]})", "byo:tight/m"));
  rig.answer(1);
  CHECK(rig.ask(key, R"({"messages":[]})", "byo:tight/m"));
  auto refused = rig.ask(key, R"({"messages":[]})", "byo:tight/m");
  CHECK(code_of(refused) == "rate_limit_exceeded rpm");
  CHECK(refused.error().message().find("the endpoint") != std::string::npos);
  CHECK(rig.left(key, "in_flight", "byo:tight/m") == 2);
}

TEST_CASE("tokens are charged by an estimate and trued up by usage", "[limits]") {
  LimitRig rig;
  const std::string key = mint(rig, [](auto& settings) { settings.tpm = 10'000; });
  const std::string body = R"({"messages":[],"max_tokens":1000})";
  rig.transport->reply(200, reply_with(30, 70));
  CHECK(rig.ask(key, body));
  CHECK(rig.left(key, "tpm") == 9'900);
  // Without usage, or with absurd usage, the estimate stays.
  rig.transport->reply(200, R"({"choices":[{"index":0,"message":{"content":"x"}}]})");
  CHECK(rig.ask(key, body));
  const std::int64_t estimate = 1000 + (static_cast<std::int64_t>(body.size()) + 3) / 4;
  CHECK(rig.left(key, "tpm") == 9'900 - estimate);
  rig.transport->reply(200, reply_with(-5, 70));
  CHECK(rig.ask(key, body));
  CHECK(rig.left(key, "tpm") == 9'900 - 2 * estimate);
  // A server that refused used no token.
  rig.transport->reply(400, "{}");
  CHECK_FALSE(rig.ask(key, body));
  CHECK(rig.left(key, "tpm") == 9'900 - 2 * estimate);
  // What could never fit has no retry time.
  auto never = rig.ask(key, R"({"messages":[],"max_tokens":10001})");
  REQUIRE_FALSE(never);
  CHECK(never.error().code() == ErrorCode::policy_request_exceeds_limit);
  CHECK_FALSE(never.error().retry_after());
}

TEST_CASE("a money cap holds the most a call may cost and charges what it cost", "[limits]") {
  LimitRig rig;
  const FieldChange off[] = {{"enabled", "false"}};
  for (const char* slug : {"plain", "few", "euro"}) must(rig.owner.set_endpoint(slug, off));
  rig.add("priced", [](auto& settings) {
    settings.price_input = 1'000'000;   // one nano-dollar a token
    settings.price_output = 2'000'000;  // two
  });
  const std::string key = mint(rig, [](auto& settings) { settings.cap_money_month = 1'000; });
  const auto ask = [&](std::string_view body) { return rig.ask(key, body, "byo:priced/m"); };
  auto unbound = ask(R"({"messages":[]})");
  REQUIRE_FALSE(unbound);
  CHECK(unbound.error().code() == ErrorCode::policy_bound_unknown);
  CHECK(code_of(ask(R"({"messages":[],"max_tokens":-1})")) == "policy_bound_unknown");
  rig.transport->reply(200, reply_with(10, 20));
  CHECK(ask(R"({"messages":[],"max_tokens":100})"));
  CHECK(rig.left(key, "cap_money_month", "byo:priced/m") == 950);
  CHECK(code_of(ask(R"({"messages":[],"max_tokens":480})")) ==
        "spend_cap_exceeded cap_money_month");
  // More than was held is charged all the same and blocks the next call.
  rig.transport->reply(200, reply_with(10, 600));
  CHECK(ask(R"({"messages":[],"max_tokens":1})"));
  CHECK(code_of(ask(R"({"messages":[],"max_tokens":1})")) == "spend_cap_exceeded cap_money_month");
}

TEST_CASE("routers that share a store share its counts", "[limits]") {
  LimitRig rig;
  const std::string key = mint(rig, [](auto& settings) { settings.cap_day = 3; });
  auto other_transport = std::make_shared<testing::FakeTransport>();
  Router other = must(Router::open(
      {.store = rig.folder.store(), .transport = other_transport, .clock = rig.clock}));
  rig.answer(2);
  other_transport->reply(200, reply_with(1, 1));
  CHECK(rig.ask(key));
  CHECK(other.call({.body = R"({"messages":[]})", .model = "byo:plain/m", .key = key}).get());
  CHECK(rig.ask(key));
  auto refused =
      other.call({.body = R"({"messages":[]})", .model = "byo:plain/m", .key = key}).get();
  CHECK(code_of(refused) == "spend_cap_exceeded cap_day");
}

TEST_CASE("a limit that is lowered below what is used binds new calls", "[limits]") {
  LimitRig rig;
  const MintedKey minted = must(rig.owner.mint_customer_key({.cap_day = 5}));
  const std::string key = text_of(minted);
  rig.answer(3);
  CHECK(rig.ask(key));
  CHECK(rig.ask(key));
  const FieldChange lower[] = {{"cap_day", "1"}};
  must(rig.owner.set_customer_key(minted.record.id, lower));
  CHECK(code_of(rig.ask(key)) == "spend_cap_exceeded cap_day");
  const FieldChange raise[] = {{"cap_day", "3"}};
  must(rig.owner.set_customer_key(minted.record.id, raise));
  CHECK(rig.ask(key));
}

TEST_CASE("limits of a registry file hold without a store", "[limits]") {
  testing::TemporaryFolder folder;
  auto transport = std::make_shared<testing::FakeTransport>();
  auto clock = std::make_shared<testing::FakeClock>();
  const std::string file = folder.write(
      "byway.toml", "[[endpoint]]\nslug = \"one\"\nbase_url = \"http://127.0.0.1:9\"\nrpm = 1\n");
  Router router = must(Router::open(
      {.registry = file, .require_key = false, .transport = transport, .clock = clock}));
  transport->reply(200, reply_with(1, 1));
  const Request request{.body = R"({"messages":[]})", .model = "byo:one/m"};
  CHECK(router.call(request).get());
  CHECK(code_of(router.call(request).get()) == "rate_limit_exceeded rpm");
}

TEST_CASE("an org whose limits cannot be read lets no call through", "[limits]") {
  LimitRig rig;
  const std::string key = rig.mint();
  {
    auto catalog = open_catalog({.store = rig.folder.store()});
    must(catalog->change([](CatalogDesk& desk) -> Result<int> {
      Result<void> put = desk.store.transact([&] {
        return desk.store.put_org({"local", R"({"cap_day":"many"})"});
      });
      if (!put) return put.error();
      return 0;
    }));
  }
  rig.router = rig.open("local");
  CHECK_FALSE(rig.ask(key));
  auto owner = must(Router::open({.store = rig.folder.store(),
                                  .require_key = false,
                                  .transport = std::make_shared<testing::FakeTransport>(),
                                  .clock = rig.clock}));
  auto refused = owner.call({.body = R"({"messages":[]})", .model = "byo:plain/m"}).get();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::registry_field_invalid);
}

}  // namespace byway::router
