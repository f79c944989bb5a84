// What calls leave in the audit log and in the usage rows.
#include <byway/audit.hpp>

#include <thread>

#include "router/access_rig.hpp"
#include "store/write_lock.hpp"

namespace byway::router {
namespace {

using testing::Fail;
using testing::Hold;
using testing::SendBody;
using testing::SendHead;

struct AuditRig : AccessRig {
  Result<Response> ask(std::string_view key, std::string_view model = "byo:plain/m",
                       std::string_view body = R"({"messages":[]})") {
    return router.call({.body = body, .model = model, .key = key}).get();
  }
  /// Ends the router, so that all is durable, and reads what was written of calls.
  std::vector<AuditRecord> records() {
    transport = std::make_shared<testing::FakeTransport>();
    router = open("local");
    owner = router.admin_as_owner();
    std::vector<AuditRecord> told;
    for (AuditRecord& record : must(owner.audit_tail(1000))) {
      if (record.kind != AuditKind::change) told.push_back(std::move(record));
    }
    CHECK(must(owner.audit_verify()).problem.empty());
    return told;
  }
  void be_strict() {
    const FieldChange strict[] = {{"audit", "strict"}};
    must(owner.set_org_limits(strict));
  }
};

}  // namespace

TEST_CASE("a call leaves its intent and its outcome, under its request id", "[audit]") {
  AuditRig rig;
  const MintedKey minted = must(rig.owner.mint_customer_key({}));
  rig.transport->reply(200, reply_with(7, 5));
  auto reply = rig.ask(text_of(minted));
  REQUIRE(reply);
  const std::string id = reply->metadata().request_id;
  const auto records = rig.records();
  REQUIRE(records.size() == 2);
  CHECK(records[0].kind == AuditKind::intent);
  CHECK(records[1].kind == AuditKind::outcome);
  for (const AuditRecord& record : records) {
    CHECK(record.request_id == id);
    CHECK(record.org == "local");
    CHECK(record.actor == minted.record.id);
    CHECK(record.mode == "live");
    CHECK(record.endpoint == "plain");
    CHECK(record.model == "byo:plain/m");
    CHECK(record.operation == "chat");
    CHECK(record.purpose == "inference");
  }
  CHECK(records[1].action == "ok");
  CHECK(records[1].model_served == "served");
  CHECK(records[1].status == 200);
  CHECK(records[1].attempts == 1);
  CHECK(records[1].input_tokens == 7);
  CHECK(records[1].output_tokens == 5);
  CHECK(records[1].estimated == 0);
}

TEST_CASE("a refusal leaves one record that says whose it was and why", "[audit]") {
  AuditRig rig;
  CustomerKeySettings settings;
  settings.cap_day = 1;
  const MintedKey minted = must(rig.owner.mint_customer_key(settings));
  CHECK_FALSE(rig.ask("bw_live_nonsense"));
  CHECK_FALSE(rig.ask(text_of(minted), "byo:off/m"));
  CHECK_FALSE(rig.ask(text_of(minted), "byo:plain/m", "{"));
  rig.transport->reply(200, reply_with(1, 1));
  CHECK(rig.ask(text_of(minted)));
  CHECK_FALSE(rig.ask(text_of(minted)));
  const auto records = rig.records();
  REQUIRE(records.size() == 6);
  CHECK(records[0].action == "invalid_api_key");
  CHECK(records[0].actor.empty());
  CHECK(records[1].action == "byo_endpoint_disabled");
  CHECK(records[1].actor == minted.record.id);
  CHECK(records[1].model == "byo:off/m");
  CHECK(records[1].endpoint == "off");
  CHECK(records[2].action == "request_invalid_json");
  CHECK(records[5].action == "spend_cap_exceeded");
  CHECK(records[5].endpoint == "plain");
}

TEST_CASE("tokens that nobody told are an estimate, and say so", "[audit]") {
  AuditRig rig;
  rig.add("priced", [](auto& settings) {
    settings.price_input = 1'000'000;
    settings.price_output = 2'000'000;
  });
  const std::string key = rig.mint();
  const std::string body = R"({"messages":[],"max_tokens":10})";
  rig.transport->script({SendHead{}, SendBody{"{"}, Fail{TransferFault::cut}});
  CHECK_FALSE(rig.ask(key, "byo:priced/m", body));
  rig.transport->reply(200, reply_with(3, 4));
  CHECK(rig.ask(key, "byo:priced/m", body));
  rig.transport->script({Fail{TransferFault::connect_failed}});
  CHECK_FALSE(rig.ask(key, "byo:priced/m", body));
  const auto records = rig.records();
  REQUIRE(records.size() == 6);
  CHECK(records[1].cause == "net_cut");
  CHECK(records[1].estimated == 1);
  CHECK(records[1].output_tokens == 10);
  CHECK(records[1].input_tokens == static_cast<std::int64_t>((body.size() + 3) / 4));
  CHECK(records[3].nano_dollars == 3 + 8);
  CHECK(records[5].cause == "net_connect_failed");
  CHECK(records[5].input_tokens == 0);
  CHECK(records[5].estimated == 0);
}

TEST_CASE("an alias is in the log as it was asked, its endpoint as it was called", "[audit]") {
  AuditRig rig;
  must(rig.owner.set_alias({.name = "fast", .models = {{"byo:off/m", {}}, {"byo:euro/m", {}}}}));
  rig.transport->reply(200, reply_with(1, 1));
  auto reply = rig.ask(rig.mint(), "fast");
  REQUIRE(reply);
  CHECK(reply->metadata().alias == "fast");
  CHECK(reply->metadata().is_fallback);
  const auto records = rig.records();
  CHECK(records.back().model == "fast");
  CHECK(records.back().endpoint == "euro");
}

TEST_CASE("strict: nothing is sent before its intent is durable, nor told before its outcome is",
          "[audit]") {
  AuditRig rig;
  rig.be_strict();
  const std::string key = rig.mint();
  for (int i = 0; i < 3; ++i) {
    rig.transport->reply(200, reply_with(1, 1));
    REQUIRE(rig.ask(key));
    // The result is here, so both records can be read, by any process.
    const auto tail = must(rig.owner.audit_tail(2));
    REQUIRE(tail.size() == 2);
    CHECK(tail[0].kind == AuditKind::intent);
    CHECK(tail[1].kind == AuditKind::outcome);
    CHECK(tail[1].action == "ok");
  }
  rig.transport->script({SendHead{}, Hold{}});
  auto held = rig.router.call({.body = R"({"messages":[]})", .model = "byo:plain/m", .key = key});
  while (rig.transport->requests().size() < 4) std::this_thread::yield();
  CHECK(must(rig.owner.audit_tail(1)).back().kind == AuditKind::intent);
  held.cancel();
  CHECK_FALSE(std::move(held).get());
  CHECK(must(rig.owner.audit_tail(1)).back().action == "request_cancelled");
  auto stream =
      rig.router.stream({.body = R"({"messages":[]})", .model = "byo:plain/m", .key = key});
  while (stream.next() != nullptr) {
  }
  CHECK_FALSE(stream.result());
  CHECK(must(rig.owner.audit_tail(1)).back().action == "upstream_error");
}

TEST_CASE("a strict call that is cancelled or dropped at any moment ends once", "[audit]") {
  AuditRig rig;
  rig.be_strict();
  const std::string key = rig.mint();
  const Request request{.body = R"({"messages":[]})", .model = "byo:plain/m", .key = key};
  for (int i = 0; i < 60; ++i) {
    rig.transport->reply(200, reply_with(1, 1));
    auto pending = rig.router.call(request);
    for (int wait = 0; wait < i * 40; ++wait) std::this_thread::yield();
    if (i % 2 == 0) pending.cancel();
    if (i % 3 != 0) static_cast<void>(std::move(pending).get());
  }
  while (rig.router.health().calls_in_flight > 0) std::this_thread::yield();
  std::int64_t outcomes = 0;
  for (const AuditRecord& record : rig.records()) outcomes += record.kind == AuditKind::outcome;
  CHECK(outcomes == 60);
}

TEST_CASE("a strict call that its endpoint refuses, or that its router ends, is told once",
          "[audit]") {
  AuditRig rig;
  rig.be_strict();
  rig.add("tight", [](auto& settings) { settings.rpm = 1; });
  const std::string key = rig.mint();
  rig.transport->reply(200, reply_with(1, 1));
  CHECK(rig.ask(key, "byo:tight/m"));
  CHECK(AccessRig::outcome_of(rig.ask(key, "byo:tight/m")) == "rate_limit_exceeded rpm");
  const auto tail = must(rig.owner.audit_tail(1));
  CHECK(tail.back().action == "rate_limit_exceeded");
  rig.transport->script({SendHead{}, Hold{}});
  auto held = rig.router.call({.body = R"({"messages":[]})", .model = "byo:plain/m", .key = key});
  while (rig.transport->requests().size() < 2) std::this_thread::yield();
  rig.router.close(std::chrono::milliseconds(0));
  auto ended = std::move(held).get();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code() == ErrorCode::internal_closed);
  const auto records = rig.records();
  CHECK(records.back().action == "internal_closed");
}

TEST_CASE("strict calls stand in line for a share of their endpoint, one after the other",
          "[audit]") {
  AuditRig rig;
  rig.be_strict();
  rig.add("narrow", [](auto& settings) { settings.in_flight = 1; });
  const std::string key = rig.mint();
  rig.transport = std::make_shared<testing::FakeTransport>();
  rig.router = must(Router::open({.store = rig.folder.store(),
                                  .on_limit = OnLimit::wait,
                                  .transport = rig.transport,
                                  .clock = rig.clock}));
  const Request request{.body = R"({"messages":[]})", .model = "byo:narrow/m", .key = key};
  std::vector<Pending<Response>> all;
  for (int i = 0; i < 20; ++i) rig.transport->reply(200, reply_with(1, 1));
  for (int i = 0; i < 20; ++i) all.push_back(rig.router.call(request));
  for (auto& pending : all) CHECK(std::move(pending).get());
}

TEST_CASE("usage sums what calls did, by key and by purpose", "[audit]") {
  AuditRig rig;
  const MintedKey one = must(rig.owner.mint_customer_key({}));
  const MintedKey two = must(rig.owner.mint_customer_key({}, KeyMode::test));
  for (int i = 0; i < 3; ++i) rig.transport->reply(200, reply_with(10, 1));
  CHECK(rig.ask(text_of(one)));
  CHECK(rig.ask(text_of(one)));
  const std::string key = text_of(two);
  CHECK(rig.router
            .call({.body = R"({"messages":[]})",
                   .model = "byo:plain/m",
                   .key = key,
                   .purpose = Purpose::judge})
            .get());
  CHECK(rig.records().size() == 6);
  const UsageReport report = must(rig.owner.usage({.by = {UsageGroup::key}}));
  REQUIRE(report.rows.size() == 2);
  CHECK(report.upstream.input_tokens == 30);
  CHECK(report.upstream.calls == 3);
  REQUIRE(report.platform.size() == 2);
}

TEST_CASE("a test key runs the whole way, limits included, and its calls say so", "[audit]") {
  AuditRig rig;
  const std::string key = text_of(must(rig.owner.mint_customer_key({.cap_day = 1}, KeyMode::test)));
  rig.transport->reply(200, reply_with(1, 1));
  CHECK(rig.ask(key));
  CHECK(AccessRig::outcome_of(rig.ask(key)) == "spend_cap_exceeded cap_day");
  CHECK(AccessRig::outcome_of(rig.ask(key, "byo:off/m")) == "byo_endpoint_disabled");
  CHECK(rig.transport->requests().size() == 1);
  const auto records = rig.records();
  REQUIRE(records.size() == 4);
  for (const AuditRecord& record : records) CHECK(record.mode == "test");
}

TEST_CASE("a router opens and calls while another process holds the store for long", "[audit]") {
  AuditRig rig;
  const std::string key = rig.mint();
  const auto lock = must(store::WriteLock::open(rig.folder.store()));
  auto guard = must(lock.take(std::chrono::seconds(5)));
  rig.transport = std::make_shared<testing::FakeTransport>();
  rig.transport->reply(200, reply_with(1, 1));
  Router other = rig.open("local");
  CHECK(other.call({.body = R"({"messages":[]})", .model = "byo:plain/m", .key = key}).get());
  // What it wrote into its journal waits for the store.
  { const auto released = std::move(guard); }
}

TEST_CASE("planted secrets are found nowhere in the log, in usage or in errors", "[audit]") {
  AuditRig rig;
  const FieldChange changes[] = {{"name", "n"}};
  must(rig.owner.set_endpoint("plain", changes));
  must(rig.owner.rotate_key("plain", "upstream-canary-000000000000"));
  const std::string key = rig.mint();
  std::string told;
  for (int i = 0; i < 200; ++i) {
    const std::string planted = "canary" + std::to_string(i % 50) + "x";
    const std::string body = R"({"messages":[{"role":"user","content":")" + planted + "\"}]}";
    const Header headers[] = {{"X-Mine", planted}};
    switch (i % 5) {
      case 0: rig.transport->reply(200, reply_with(1, 1)); break;
      case 1:
        rig.transport->reply(401,
                             R"({"error":{"message":"bad key upstream-canary-000000000000"}})");
        break;
      case 2: rig.transport->script({Fail{TransferFault::connect_failed}}); break;
      case 3:
        rig.transport->script({SendHead{}, SendBody{planted}, Fail{TransferFault::cut}});
        break;
      default: break;
    }
    const std::string model = i % 5 == 4 ? "byo:off/m" : "byo:plain/m";
    auto reply =
        rig.router.call({.body = body, .model = model, .key = key, .headers = headers}).get();
    if (!reply) told += reply.error().json() + reply.error().detail();
  }
  for (const AuditRecord& record : rig.records()) told += to_json(record);
  CHECK(told.find("canary") == std::string::npos);
  CHECK(told.find(key.substr(26)) == std::string::npos);
}

}  // namespace byway::router
