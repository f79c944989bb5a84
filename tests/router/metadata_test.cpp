// What a caller is told of a call beside the reply, on successes and errors alike, and the same as
// headers.
#include <map>
#include <thread>

#include <byway/metadata_headers.hpp>

#include "router/access_rig.hpp"

namespace byway::router {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::Fail;
using testing::Finish;
using testing::Hold;
using testing::SendBody;
using testing::SendHead;
using Headers = std::map<std::string, std::string>;

constexpr std::string_view body = R"({"messages":[],"max_tokens":100})";

Headers headers_in(const Result<Response>& result,
                   std::string_view prefix = default_header_prefix) {
  auto list = result ? headers_of(*result, prefix) : headers_of(result.error(), prefix);
  Headers headers;
  for (const MetadataHeader& header : must(std::move(list))) headers[header.name] = header.value;
  return headers;
}

/// Admission takes three milliseconds and a half; a judge's call is refused.
struct Slow {
  std::shared_ptr<testing::FakeClock> clock;
  Verdict admit(CallState& call) {
    clock->advance(microseconds(3500));
    if (call.facts().purpose == Purpose::judge) return Error(ErrorCode::policy_forbidden, "no");
    return Proceed();
  }
};

/// `keyed` has an upstream key; the alias `best` names the disabled `off` before it.
struct MetadataRig : AccessRig {
  MetadataRig() {
    must(owner.add_endpoint(settings_of("keyed"), canary));
    must(owner.set_alias({.name = "best", .models = {{"byo:off/m", {}}, {"byo:keyed/m", {}}}}));
    transport = std::make_shared<testing::FakeTransport>();
    router = must(Router::open({.store = folder.store(),
                                .policies = {Slow{clock}},
                                .transport = transport,
                                .clock = clock}));
    owner = router.admin_as_owner();
  }
  static CustomerKeySettings limits() {
    return {.rpm = 60, .tpm = 10'000, .cap_day = 50, .cap_month = 900};
  }
  Pending<Response> begin(std::string_view key, Purpose purpose = Purpose::inference) {
    return router.call({.body = body, .model = "best", .key = key, .purpose = purpose});
  }
};

/// What stands whatever the ending, for a call by the alias.
void check_common(Headers& headers) {
  CHECK(headers["x-byway-provider"] == "byo:keyed");
  CHECK(headers["x-byway-request-id"].size() == 33);
  CHECK(headers["x-byway-latency-ms"] == "4");
  CHECK(headers["x-byway-overhead-us"] == "3500");
  CHECK(headers["x-byway-fallback"] == "true");
  CHECK(headers["x-byway-pii-redacted"] == "0");
  CHECK(headers["x-byway-key-generation"] == "1");
}

}  // namespace

TEST_CASE("a reply tells every header of the table", "[metadata]") {
  MetadataRig rig;
  rig.transport->reply(200, reply_with(30, 70));
  Result<Response> result = rig.begin(rig.mint(MetadataRig::limits())).get();
  REQUIRE(result);
  Headers headers = headers_in(result);
  check_common(headers);
  CHECK(headers["x-byway-model-served"] == "served");
  CHECK(headers["x-byway-attempts"] == "1");
  CHECK(headers["x-byway-ratelimit-remaining-requests"] == "59");
  // By what the server counted, not by the estimate.
  CHECK(headers["x-byway-ratelimit-remaining-tokens"] == "9900");
  CHECK(headers["x-byway-cap-remaining-day"] == "49");
  CHECK(headers["x-byway-cap-remaining-month"] == "899");
  CHECK(headers.size() == 13);
}

TEST_CASE("a streamed reply tells the same", "[metadata]") {
  MetadataRig rig;
  rig.transport->reply_events(testing::hello_events());
  Stream stream =
      rig.router.stream({.body = body, .model = "best", .key = rig.mint(MetadataRig::limits())});
  Headers headers = headers_in(stream.result());
  check_common(headers);
  CHECK(headers["x-byway-model-served"] == "m1");
  CHECK(headers["x-byway-ratelimit-remaining-tokens"] == "9991");
  CHECK(headers.size() == 13);
}

TEST_CASE("a failure of the upstream tells them too, and what had begun to answer", "[metadata]") {
  MetadataRig rig;
  const std::string key = rig.mint(MetadataRig::limits());
  rig.transport->script({SendHead{429, {{"retry-after", "7"}}}, SendBody{"{}"}, Finish{}});
  Headers headers = headers_in(rig.begin(key).get());
  check_common(headers);
  CHECK(headers["x-byway-attempts"] == "1");
  CHECK(headers["x-byway-ratelimit-remaining-requests"] == "59");
  CHECK(headers["x-byway-ratelimit-remaining-tokens"] == "10000");
  CHECK(headers["x-byway-cap-remaining-day"] == "49");
  CHECK(headers["x-byway-cap-remaining-month"] == "899");
  CHECK(headers["Retry-After"] == "7");
  CHECK(headers.size() == 13);

  auto events = testing::hello_events();
  events.resize(3);
  testing::Script cut = testing::stream_script(events, false);
  cut.emplace_back(Fail{});
  rig.transport->script(cut);
  Stream stream = rig.router.stream({.body = body, .model = "best", .key = key});
  headers = headers_in(stream.result());
  check_common(headers);
  CHECK(headers["x-byway-model-served"] == "m1");
  CHECK(headers["x-byway-cap-remaining-day"] == "48");
  CHECK(headers.size() == 13);
}

TEST_CASE("a call that never left says that nothing of its limits is gone", "[metadata]") {
  MetadataRig rig;
  const std::string key = rig.mint(MetadataRig::limits());
  const auto check_untouched = [](Headers headers, const char* attempts) {
    check_common(headers);
    CHECK(headers["x-byway-attempts"] == attempts);
    CHECK(headers["x-byway-ratelimit-remaining-requests"] == "60");
    CHECK(headers["x-byway-ratelimit-remaining-tokens"] == "10000");
    CHECK(headers["x-byway-cap-remaining-day"] == "50");
    CHECK(headers["x-byway-cap-remaining-month"] == "900");
    CHECK(headers.size() == 12);
  };
  check_untouched(headers_in(rig.begin(key, Purpose::judge).get()), "0");
  rig.transport->script({Fail{TransferFault::connect_failed}});
  check_untouched(headers_in(rig.begin(key).get()), "1");
}

TEST_CASE("a refusal by a limit tells what is left and when to come back", "[metadata]") {
  MetadataRig rig;
  CustomerKeySettings rate = MetadataRig::limits();
  rate.rpm = 6;
  rate.rpm_burst = 1;
  rig.transport->reply(200, reply_with(1, 1)).reply(200, reply_with(1, 1));
  const std::string limited = rig.mint(rate);
  REQUIRE(rig.begin(limited).get());
  Headers headers = headers_in(rig.begin(limited).get());
  CHECK(headers["x-byway-provider"] == "byo:keyed");
  CHECK(headers["x-byway-latency-ms"] == "0");
  CHECK(headers["x-byway-overhead-us"] == "0");
  CHECK(headers["x-byway-attempts"] == "0");
  CHECK(headers["x-byway-fallback"] == "true");
  CHECK(headers["x-byway-key-generation"] == "1");
  CHECK(headers["x-byway-ratelimit-remaining-requests"] == "0");
  CHECK(headers["x-byway-cap-remaining-day"] == "49");
  // 10 s but for the 3.5 ms since.
  CHECK(headers["Retry-After"] == "10");
  CHECK(headers.size() == 13);

  CustomerKeySettings cap = MetadataRig::limits();
  cap.cap_day = 1;
  const std::string capped = rig.mint(cap);
  REQUIRE(rig.begin(capped).get());
  headers = headers_in(rig.begin(capped).get());
  CHECK(headers["x-byway-cap-remaining-day"] == "0");
  CHECK(headers["x-byway-cap-remaining-month"] == "899");
  CHECK(std::stoi(headers["Retry-After"]) > 0);
  CHECK(headers.size() == 13);
}

TEST_CASE("a cancelled call tells them", "[metadata]") {
  MetadataRig rig;
  rig.transport->script({SendHead{200, {}}, Hold{}});
  Pending<Response> pending = rig.begin(rig.mint(MetadataRig::limits()));
  while (rig.transport->requests().empty()) std::this_thread::yield();
  pending.cancel();
  Result<Response> result = std::move(pending).get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::request_cancelled);
  Headers headers = headers_in(result);
  check_common(headers);
  CHECK(headers["x-byway-attempts"] == "1");
  CHECK(headers["x-byway-ratelimit-remaining-requests"] == "59");
  CHECK(headers["x-byway-cap-remaining-day"] == "49");
  CHECK(headers.size() == 12);
}

TEST_CASE("a stream cancelled after its head tells the status it had", "[metadata]") {
  MetadataRig rig;
  auto events = testing::hello_events();
  events.resize(2);
  testing::Script held = testing::stream_script(events, false);
  held.emplace_back(Hold{});
  rig.transport->script(held);
  Stream stream = rig.router.stream({.body = body, .model = "best", .key = rig.mint()});
  while (const StreamEvent* event = stream.next()) {
    if (event->kind == StreamEventKind::delta) stream.cancel();
  }
  Result<Response> result = stream.result();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::request_cancelled);
  CHECK(result.error().metadata().status == 200);
  // A router that ends has written its log.
  rig.router = rig.open("local");
  CHECK(must(rig.router.admin_as_owner().audit_tail(1)).back().status == 200);
}

TEST_CASE("a status is that of the last try, when that one is cancelled too", "[metadata]") {
  MetadataRig rig;
  rig.transport->script({SendHead{429, {{"retry-after", "0"}}}, SendBody{"{}"}, Finish{}});
  rig.transport->script({Hold{}});
  Pending<Response> pending = rig.router.call({.body = body,
                                               .model = "best",
                                               .key = rig.mint(MetadataRig::limits()),
                                               .attempts = 2});
  while (rig.transport->requests().size() < 2) {
    rig.clock->advance(microseconds(10));
    std::this_thread::yield();
  }
  pending.cancel();
  Result<Response> result = std::move(pending).get();
  REQUIRE_FALSE(result);
  CHECK(result.error().metadata().status == 0);
}

TEST_CASE("a reply that a hook refuses tells who had answered", "[metadata]") {
  struct Refuses {
    EventVerdict on_event(CallState&, Event& event, Out&) {
      if (event.kind() != EventKind::whole) return Forward();
      return Error(ErrorCode::policy_forbidden, "no");
    }
  };
  AccessRig rig;
  const std::string key = rig.mint();
  Router router = must(Router::open({.store = rig.folder.store(),
                                     .policies = {Refuses()},
                                     .transport = rig.transport,
                                     .clock = rig.clock}));
  rig.transport->reply(200, reply_with(1, 1));
  auto result = router.call({.body = body, .model = "byo:plain/m", .key = key}).get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::policy_forbidden);
  CHECK(result.error().metadata().model_served == "served");
}

TEST_CASE("a refusal at the door has its id, its time and nothing it should not know",
          "[metadata]") {
  MetadataRig rig;
  Headers headers = headers_in(rig.begin("nonsense").get());
  CHECK(headers["x-byway-request-id"].size() == 33);
  CHECK(headers["x-byway-latency-ms"] == "0");
  CHECK(headers["x-byway-overhead-us"] == "0");
  CHECK(headers["x-byway-attempts"] == "0");
  CHECK(headers["x-byway-pii-redacted"] == "0");
  CHECK(headers.size() == 5);
  // An endpoint outside the key's list is not named, one inside it is.
  const std::string key = rig.mint(allowing({"byo:absent/*"}));
  const auto provider_of = [&](std::string_view model) {
    return headers_in(rig.router.call({.body = body, .model = model, .key = key}).get())
        .count("x-byway-provider");
  };
  CHECK(provider_of("byo:keyed/m") == 0);
  CHECK(provider_of("byo:absent/m") == 1);
}

TEST_CASE("a refused call tells the time it took by a clock that runs", "[metadata]") {
  AccessRig rig;
  Router router = must(Router::open({.store = rig.folder.store(), .transport = rig.transport}));
  auto result = router.call({.body = "no json", .key = rig.mint()}).get();
  REQUIRE_FALSE(result);
  CHECK(result.error().metadata().latency.count() > 0);
  CHECK(result.error().metadata().overhead.count() > 0);
  CHECK(result.error().metadata().overhead <= result.error().metadata().latency);
}

TEST_CASE("what an upstream says of itself cannot break a header", "[metadata]") {
  const std::string too_long(2000, 'm');
  for (const std::string& served : {std::string(R"(a\r\nx-evil: 1)"), std::string(R"(a\u0000b)"),
                                    std::string(R"(a\tb)"), std::string("caf\xC3\xA9"), too_long}) {
    CAPTURE(served);
    MetadataRig rig;
    rig.transport->reply(200, R"({"model":")" + served + R"(","choices":[]})");
    Headers headers = headers_in(rig.begin(rig.mint()).get());
    CHECK(headers.count("x-byway-model-served") == 0);
    CHECK(headers.count("x-byway-provider") == 1);
  }
}

TEST_CASE("an error that is no call's leaves a retry time at most", "[metadata]") {
  CHECK(must(headers_of(Error(ErrorCode::store_locked, "later"))).empty());
  ErrorFields fields{.code = ErrorCode::rate_limit_exceeded};
  for (const auto& [wait, seconds] : std::map<int, std::string>{
           {0, "0"}, {1, "1"}, {1000, "1"}, {1001, "2"}, {-5, "0"}}) {
    fields.retry_after = milliseconds(wait);
    CHECK(must(headers_of(Error(fields))) ==
          std::vector<MetadataHeader>{{"Retry-After", seconds}});
  }
}

TEST_CASE("the prefix of headers is a name of one's own, or a clear error", "[metadata]") {
  AccessRig rig;
  const auto open_with = [&](std::string prefix) {
    return code_of(Router::open({.store = rig.folder.store(), .header_prefix = std::move(prefix)}));
  };
  for (const std::string& bad :
       {std::string(), std::string("X-Acme-"), std::string("x acme"), std::string("x:"),
        std::string("x-\r\n-"), std::string("x-\0y-", 5), "x-" + std::string(62, 'x') + "-",
        std::string("x-"), std::string("x--"), std::string("x-acme"), std::string("acme-"),
        std::string("retry-"), std::string("content-")}) {
    CAPTURE(bad);
    CHECK(open_with(bad) == "request_header_invalid");
    const Error error(ErrorCode::store_locked, "later");
    CHECK(code_of(headers_of(error, bad)) == "request_header_invalid");
  }
  CHECK(open_with("x-acme-") == "ok");
  CHECK(open_with("x-" + std::string(61, 'x') + "-") == "ok");
}

TEST_CASE("the customer key and what it is held to are sent to no upstream", "[metadata]") {
  MetadataRig rig;
  const MintedKey minted = must(rig.owner.mint_customer_key(MetadataRig::limits()));
  rig.transport->reply(200, reply_with(1, 1));
  REQUIRE(rig.begin(text_of(minted)).get());
  const testing::SeenRequest seen = rig.transport->requests().at(0);
  std::string sent = seen.url + "\n" + seen.body;
  for (const std::string& line : seen.header_lines) sent += "\n" + line;
  CHECK(seen.has_secret);
  for (const std::string_view never : {"bw_live_", "x-byway", "X-Byway", "bw-req-"}) {
    CHECK(sent.find(never) == std::string::npos);
  }
  CHECK(sent.find(minted.record.id) == std::string::npos);
}

TEST_CASE("headers of our own prefix are sent to no upstream and taken from none", "[metadata]") {
  AccessRig rig;
  const std::string key = rig.mint();
  auto transport = std::make_shared<testing::FakeTransport>();
  Router router = must(Router::open({.store = rig.folder.store(),
                                     .header_prefix = "x-acme-",
                                     .transport = transport,
                                     .clock = rig.clock}));
  transport->script({SendHead{200,
                              {{"content-type", "application/json"},
                               {"x-acme-provider", "byo:other"},
                               {"x-byway-attempts", "9"},
                               {"x-served-by", "gpu-7"}}},
                     SendBody{reply_with(1, 1)},
                     Finish{}});
  const Header given[] = {
      {"X-Acme-User", "u"}, {"x-acme-user", "u"}, {"X-Byway-User", "u"}, {"X-Title", "t"}};
  auto result = router
                    .call({.body = R"({"messages":[]})",
                           .model = "byo:plain/m",
                           .key = key,
                           .headers = given})
                    .get();
  REQUIRE(result);
  std::string sent;
  const testing::SeenRequest seen = transport->requests().at(0);
  for (const std::string& line : seen.header_lines) sent += line + "\n";
  CHECK(sent.find("X-Title: t") != std::string::npos);
  CHECK(sent.find("ser: u") == std::string::npos);
  CHECK(result->header("x-served-by") == "gpu-7");
  CHECK(result->header("x-acme-provider").empty());
  CHECK(result->header("x-byway-attempts").empty());
  CHECK(headers_in(result, "x-acme-")["x-acme-provider"] == "byo:plain");
}

TEST_CASE("a prefix hides nothing by which an answer is judged", "[metadata]") {
  AccessRig rig;
  const std::string key = rig.mint();
  auto transport = std::make_shared<testing::FakeTransport>();
  Router router = must(Router::open({.store = rig.folder.store(),
                                     .header_prefix = "x-ratelimit-",
                                     .transport = transport,
                                     .clock = rig.clock}));
  const auto answer = [&](int status) {
    transport->script(
        {SendHead{status,
                  {{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "7s"}}},
         SendBody{reply_with(1, 1)},
         Finish{}});
    return router.call({.body = body, .model = "byo:plain/m", .key = key}).get();
  };
  auto refused = answer(429);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().retry_after() == milliseconds(7000));
  auto reply = answer(200);
  REQUIRE(reply);
  CHECK(reply->header("x-ratelimit-reset-requests").empty());
}

}  // namespace byway::router
