#include <future>
#include <thread>

#include "router/rig.hpp"

using namespace byway;
using namespace byway::testing;
using std::chrono::milliseconds;

TEST_CASE(
    "a call sends the caller's bytes with the upstream's model name and gives back the "
    "upstream's") {
  RouterRig rig;
  rig.transport->reply(200, reply_text("Hi"));
  auto reply = rig.router.call({.body = chat_body}).get();
  REQUIRE(reply);
  CHECK(reply->text() == "Hi");
  CHECK(reply->body() == reply_text("Hi"));
  CHECK(reply->finish_reason() == "stop");
  REQUIRE(reply->usage() != nullptr);
  CHECK(reply->usage()->total_tokens == 9);
  CHECK(reply->metadata().provider == "byo:one");
  CHECK(reply->metadata().model == "m-1");
  CHECK(reply->metadata().model_served == "m-1");
  CHECK(reply->metadata().status == 200);
  CHECK(reply->metadata().attempts == 1);
  CHECK(reply->metadata().request_id.starts_with("bw-req-"));
  CHECK(reply->metadata().request_id.size() == 33);
  const auto seen = rig.transport->requests();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].url == "http://127.0.0.1:9/v1/chat/completions");
  CHECK(seen[0].body ==
        R"({"model":"m-1","messages":[{"role":"user","content":"Hello"}],"stream":false})");
  CHECK(seen[0].has_secret);
}

TEST_CASE("unknown fields, spellings of numbers and the order of fields survive byte for byte") {
  RouterRig rig;
  rig.transport->reply(200, reply_text("x"));
  const std::string body =
      "{ \"zeta\" : 1.0e+02 ,\n\t\"model\":\"byo:one/a/b:c\", \"\\u006dine\": [ -0.0, 1E5, "
      "{\"x\":\"\\u00e9\\ud83d\\ude00 é\"} ],\"stream\" : true , \"messages\":[]}";
  auto reply = rig.router.call({.body = body}).get();
  REQUIRE(reply);
  std::string expected = body;
  expected.replace(expected.find("\"byo:one/a/b:c\""), 15, "\"a/b:c\"");
  expected.replace(expected.find("true"), 4, "false");
  CHECK(rig.transport->requests()[0].body == expected);
}

TEST_CASE("admission refuses in the promised order and sends nothing") {
  RouterRig rig;
  struct Row {
    std::string_view body;
    ErrorCode code;
  };
  const std::string large(std::size_t{33} << 20, ' ');
  const Row rows[] = {
      {large, ErrorCode::request_too_large},
      {"", ErrorCode::request_invalid_json},
      {"[]", ErrorCode::request_invalid_json},
      {R"({"model":"byo:one/m"} x)", ErrorCode::request_invalid_json},
      {R"({"model":"byo:one/m","model":"byo:one/m"})", ErrorCode::request_invalid_json},
      {"{\"model\":\"byo:one/m\",\"a\":\"\xff\"}", ErrorCode::request_invalid_utf8},
      {R"({"messages":[]})", ErrorCode::request_invalid_model},
      {R"({"model":7})", ErrorCode::request_invalid_model},
      {R"({"model":"gpt-4"})", ErrorCode::byo_endpoint_not_found},
      {R"({"model":"GPT/4"})", ErrorCode::request_invalid_model},
      {R"({"model":"byo:One/m"})", ErrorCode::request_invalid_model},
      {R"({"model":"byo:one/"})", ErrorCode::request_invalid_model},
      {R"({"model":"byo:nobody/m"})", ErrorCode::byo_endpoint_not_found},
      {R"({"model":"byo:off/m"})", ErrorCode::byo_endpoint_disabled},
      {R"({"model":"byo:few/bad"})", ErrorCode::byo_model_not_allowed},
  };
  for (const Row& row : rows) {
    auto reply = rig.router.call({.body = row.body}).get();
    REQUIRE_FALSE(reply);
    CHECK(reply.error().name() == name_of(row.code));
    CHECK(reply.error().sent() == Sent::no);
    CHECK(reply.error().request_id().size() == 33);
  }
  CHECK(rig.transport->requests().empty());
}

TEST_CASE("a customer key that is given is checked, and none is needed unless required") {
  RouterRig rig;
  auto reply = rig.router.call({.body = chat_body, .key = "bw_live_nobody"}).get();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code() == ErrorCode::invalid_api_key);
  CHECK(reply.error().message().find("nobody") == std::string::npos);
  CHECK(rig.transport->requests().empty());
}

TEST_CASE("headers that only Byway may set are refused, and its own are stripped") {
  RouterRig rig;
  for (const char* name :
       {"Host", "content-length", "Authorization", "Transfer-Encoding", "api-key"}) {
    const Header headers[] = {{name, "x"}};
    auto reply = rig.router.call({.body = chat_body, .headers = headers}).get();
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code() == ErrorCode::request_header_reserved);
  }
  for (const Header bad : {Header{"a b", "x"}, Header{"a:", "x"}, Header{"a", "x\r\ny: z"},
                           Header{"", "x"}, Header{"a", std::string_view("\0", 1)}}) {
    const Header headers[] = {bad};
    auto reply = rig.router.call({.body = chat_body, .headers = headers}).get();
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code() == ErrorCode::request_header_invalid);
  }
  rig.transport->reply(200, reply_text("x"));
  const Header headers[] = {{"X-Byway-Trace", "1"}, {"X-Mine", "2"}};
  REQUIRE(rig.router.call({.body = chat_body, .headers = headers}).get());
  const auto lines = rig.transport->requests()[0].header_lines;
  CHECK(std::find(lines.begin(), lines.end(), "X-Mine: 2") != lines.end());
  for (const auto& line : lines) CHECK(line.find("yway-Trace") == std::string::npos);
}

TEST_CASE("a failed upstream is an upstream_error with class, cause and status, and leaks no key") {
  RouterRig rig;
  rig.transport->reply(401, R"({"error":{"message":"bad key )" + std::string(canary_key) +
                                R"(","type":"invalid_request_error","code":"invalid_api_key"}})");
  auto reply = rig.router.call({.body = chat_body}).get();
  REQUIRE_FALSE(reply);
  const Error& error = reply.error();
  CHECK(error.code() == ErrorCode::upstream_error);
  CHECK(error.upstream_class() == UpstreamClass::auth);
  CHECK(error.http_status() == 401);
  CHECK(error.status() == 424);
  CHECK(error.endpoint() == "byo:one");
  CHECK(error.sent() == Sent::yes);
  CHECK(error.attempts() == 1);
  for (const std::string& text : {error.message(), error.detail(), error.json()}) {
    CHECK(text.find(canary_key) == std::string::npos);
  }
}

TEST_CASE("each fault of the wire has its class, cause and whether it was sent") {
  struct Row {
    Script script;
    UpstreamClass upstream_class;
    std::string_view cause;
    Sent sent;
  };
  const Row rows[] = {
      {{Fail{TransferFault::connect_failed}},
       UpstreamClass::unavailable,
       "net_connect_failed",
       Sent::no},
      {{Fail{TransferFault::dns_failed}}, UpstreamClass::unavailable, "net_dns_failed", Sent::no},
      {{Fail{TransferFault::tls_failed}}, UpstreamClass::unavailable, "net_tls_failed", Sent::no},
      {{Fail{TransferFault::closed_early}},
       UpstreamClass::unavailable,
       "net_closed_early",
       Sent::maybe},
      {{SendHead{200, {{"content-type", "application/json"}}}, SendBody{"{"},
        Fail{TransferFault::cut}},
       UpstreamClass::stream_truncated,
       "net_cut",
       Sent::yes},
      {{SendHead{200, {{"content-type", "text/html"}}}, SendBody{"<html>login</html>"}, Finish{}},
       UpstreamClass::protocol_error,
       "",
       Sent::yes},
      {{SendHead{302, {{"location", "http://elsewhere.example/x"}}}, Finish{}},
       UpstreamClass::config_error,
       "",
       Sent::yes},
  };
  for (const Row& row : rows) {
    RouterRig rig;
    rig.transport->script(row.script);
    auto reply = rig.router.call({.body = chat_body}).get();
    REQUIRE_FALSE(reply);
    INFO(reply.error().message());
    CHECK(reply.error().code() == ErrorCode::upstream_error);
    CHECK(name_of(reply.error().upstream_class()) == name_of(row.upstream_class));
    if (!row.cause.empty()) CHECK(reply.error().cause() == row.cause);
    CHECK(reply.error().sent() == row.sent);
  }
}

TEST_CASE("attempts are tried by class, within the deadline, and counted") {
  RouterRig rig;
  const std::string loading =
      R"({"error":{"message":"Loading model","type":"unavailable_error","code":503}})";
  SECTION("until one succeeds") {
    rig.transport->reply(503, loading).reply(503, loading).reply(200, reply_text("up"));
    Request request{.body = chat_body, .attempts = 5};
    // The time below runs far ahead of the loop: no limit may be reached by it.
    request.timeouts = {milliseconds(0), milliseconds(0), milliseconds(0), milliseconds(0),
                        milliseconds(0)};
    auto pending = rig.router.call(request);
    while (!pending.is_ready()) {
      rig.clock->advance(milliseconds(500));
      std::this_thread::yield();
    }
    auto reply = std::move(pending).get();
    REQUIRE(reply);
    CHECK(reply->metadata().attempts == 3);
  }
  SECTION("not by default") {
    rig.transport->reply(503, loading).reply(200, reply_text("up"));
    auto reply = rig.router.call({.body = chat_body}).get();
    REQUIRE_FALSE(reply);
    CHECK(reply.error().upstream_class() == UpstreamClass::unavailable_starting);
  }
  SECTION("not for a caller's mistake") {
    rig.transport->reply(400, R"({"error":{"message":"no","type":"invalid_request_error"}})");
    rig.transport->reply(200, reply_text("up"));
    CHECK_FALSE(rig.router.call({.body = chat_body, .attempts = 3}).get());
    CHECK(rig.transport->requests().size() == 1);
  }
  SECTION("not when the request may have been received") {
    rig.transport->script({Fail{TransferFault::closed_early}}).reply(200, reply_text("up"));
    CHECK_FALSE(rig.router.call({.body = chat_body, .attempts = 3}).get());
    CHECK(rig.transport->requests().size() == 1);
  }
}

TEST_CASE("limits end a call with the word for the one that was reached") {
  RouterRig rig;
  const auto expect_cause = [&](Script script, Request request, milliseconds pass,
                                std::string_view cause) {
    rig.transport->script(std::move(script));
    const std::size_t before = rig.transport->requests().size();
    auto pending = rig.router.call(request);
    while (rig.transport->requests().size() == before) std::this_thread::yield();
    while (!pending.is_ready()) {
      rig.clock->advance(pass);
      std::this_thread::yield();
    }
    auto reply = std::move(pending).get();
    REQUIRE_FALSE(reply);
    CHECK(reply.error().upstream_class() == UpstreamClass::timeout);
    CHECK(reply.error().cause() == cause);
    CHECK(reply.error().status() == 504);
  };
  Request request{.body = chat_body};
  request.timeouts.connect = milliseconds(1000);
  request.timeouts.first_byte = milliseconds(5000);
  request.timeouts.stall = milliseconds(3000);
  request.timeouts.total = milliseconds(60000);
  expect_cause({NeverConnect{}}, request, milliseconds(100), "net_connect_timeout");
  expect_cause({Hold{}}, request, milliseconds(100), "timeout_first_byte");
  expect_cause({SendHead{}, SendBody{" "}, Hold{}}, request, milliseconds(100), "timeout_stall");
  request.timeouts.total = milliseconds(2000);
  expect_cause({Hold{}}, request, milliseconds(100), "timeout_total");
}

TEST_CASE("what a kind of server refuses is not sent, and what it forgets is noted") {
  RouterRig rig;
  rig.folder.write("own.toml", R"([[endpoint]]
slug = "own"
base_url = "http://127.0.0.1:9/v1"
dialect = { extends = "generic", body = { ignored = ["user", "seed"], refused = ["suffix"] } }
)");
  auto transport = std::make_shared<FakeTransport>();
  auto opened = Router::open({.registry = rig.folder.file("own.toml"),
                              .require_key = false,
                              .transport = transport,
                              .clock = rig.clock});
  REQUIRE(opened);
  auto refused =
      opened->call({.body = R"({"model":"byo:own/m","messages":[],"suffix":"x"})"}).get();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::request_unsupported);
  CHECK(refused.error().param() == "suffix");
  CHECK(transport->requests().empty());
  transport->reply(200, reply_text("Hello"));
  auto noted = opened->call({.body = R"({"model":"byo:own/m","messages":[],"user":"u"})"}).get();
  REQUIRE(noted);
  CHECK(noted->reply().notes == std::vector<std::string>{"ignored:user"});
  CHECK(noted->text() == "Hello");
}

TEST_CASE("every call that ends leaves nothing in flight") {
  RouterRig rig;
  for (int i = 0; i < 50; ++i) rig.transport->reply(200, reply_text("x"));
  std::vector<Pending<Response>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(rig.router.call({.body = chat_body}));
  for (auto& call : calls) static_cast<void>(std::move(call).get());
  while (rig.router.health().calls_in_flight > 0) std::this_thread::yield();
  CHECK(rig.router.health().calls_in_flight == 0);
}
