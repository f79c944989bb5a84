#include <functional>
#include <thread>

#include "router/event_batch.hpp"
#include "router/rig.hpp"

using namespace byway;
using namespace byway::testing;
using std::chrono::milliseconds;

namespace {

constexpr std::string_view stream_body = R"({"model":"byo:one/m-1","messages":[]})";

std::string read_all(Stream& stream) {
  std::string text;
  while (const StreamEvent* event = stream.next()) text += event->text;
  return text;
}

std::string delta(std::string_view text) {
  return R"({"id":"c","choices":[{"index":0,"delta":{"content":")" + std::string(text) +
         R"("},"finish_reason":null}]})";
}

void wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 2'000'000 && !condition(); ++i) std::this_thread::yield();
  REQUIRE(condition());
}

}  // namespace

TEST_CASE("a stream gives its events, then its folded reply") {
  RouterRig rig;
  rig.transport->reply_events(hello_events());
  auto stream = rig.router.stream({.body = stream_body});
  CHECK(read_all(stream) == "Hello");
  CHECK(stream.error() == nullptr);
  auto reply = stream.result();
  REQUIRE(reply);
  CHECK(reply->text() == "Hello");
  CHECK(reply->finish_reason() == "stop");
  CHECK(reply->reply().deltas == 2);
  CHECK(reply->metadata().provider == "byo:one");
  CHECK(rig.transport->requests()[0].body == R"({"model":"m-1","messages":[],"stream":true})");
  auto again = stream.result();
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == ErrorCode::request_already_taken);
}

TEST_CASE("result alone reads a stream to its end") {
  RouterRig rig;
  rig.transport->reply_events(hello_events());
  auto reply = rig.router.stream({.body = stream_body}).result();
  REQUIRE(reply);
  CHECK(reply->text() == "Hello");
}

TEST_CASE("a cut stream is a failure that keeps what had arrived, never a success") {
  auto events = hello_events();
  events.resize(2);
  for (const bool is_clean : {true, false}) {
    RouterRig rig;
    Script script = stream_script(events, false);
    if (is_clean) {
      script.emplace_back(Finish{});
    } else {
      script.emplace_back(Fail{TransferFault::cut});
    }
    rig.transport->script(script);
    auto stream = rig.router.stream({.body = stream_body, .attempts = 3});
    CHECK(read_all(stream) == "Hel");
    REQUIRE(stream.error() != nullptr);
    CHECK(stream.error()->upstream_class() == UpstreamClass::stream_truncated);
    REQUIRE(stream.reply().choices.size() == 1);
    CHECK(stream.reply().choices[0].text == "Hel");
    CHECK_FALSE(stream.result());
    CHECK(rig.transport->requests().size() == 1);
  }
}

TEST_CASE("an error event fails the stream even when [DONE] follows") {
  RouterRig rig;
  auto events = hello_events();
  events.resize(2);
  events.push_back(R"({"error":{"message":"EngineCore encountered an issue",)"
                   R"("type":"InternalServerError","code":500}})");
  rig.transport->reply_events(events);
  auto stream = rig.router.stream({.body = stream_body});
  CHECK(read_all(stream) == "Hel");
  REQUIRE(stream.error() != nullptr);
  CHECK(stream.error()->upstream_class() == UpstreamClass::stream_error);
}

TEST_CASE("the result comes at [DONE] although the server keeps the connection open") {
  RouterRig rig;
  Script script = stream_script(hello_events());
  script.emplace_back(Hold{});
  rig.transport->script(script);
  auto stream = rig.router.stream({.body = stream_body});
  auto reply = stream.result();
  REQUIRE(reply);
  CHECK(reply->text() == "Hello");
  // Then the connection is closed from here.
  while (rig.transport->cancelled() == 0) {
    rig.clock->advance(milliseconds(100));
    std::this_thread::yield();
  }
}

TEST_CASE("a server that answers a stream with JSON gives one delta and a note") {
  RouterRig rig;
  rig.transport->reply(200, reply_text("Hello"));
  auto stream = rig.router.stream({.body = stream_body});
  CHECK(read_all(stream) == "Hello");
  auto reply = stream.result();
  REQUIRE(reply);
  CHECK(reply->reply().notes == std::vector<std::string>{"stream_not_honoured"});
  CHECK(reply->usage()->total_tokens == 9);
}

TEST_CASE("a server that answers a call with events gives the folded reply and a note") {
  RouterRig rig;
  rig.transport->reply_events(hello_events());
  auto reply = rig.router.call({.body = stream_body}).get();
  REQUIRE(reply);
  CHECK(reply->text() == "Hello");
  CHECK(reply->reply().notes == std::vector<std::string>{"unexpected_stream"});
}

TEST_CASE("a slow reader holds the upstream back instead of filling memory") {
  RouterRig rig;
  constexpr int count = 2000;
  std::vector<std::string> events;
  for (int i = 0; i < count; ++i) events.push_back(delta(std::string(1000, 'x')));
  events.push_back(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
  rig.transport->reply_events(events);
  auto stream = rig.router.stream({.body = stream_body});
  std::size_t total = 0;
  int read = 0;
  while (const StreamEvent* event = stream.next()) {
    total += event->text.size();
    if (++read % 100 == 0) std::this_thread::yield();
  }
  CHECK(total == std::size_t{count} * 1000);
  CHECK(stream.result());
}

TEST_CASE("dropping a stream unread closes its connection") {
  RouterRig rig;
  Script script = stream_script({hello_events()[0], hello_events()[1]}, false);
  script.emplace_back(Hold{});
  rig.transport->script(script);
  {
    auto stream = rig.router.stream({.body = stream_body});
    REQUIRE(stream.next() != nullptr);
  }
  wait_until([&] { return rig.transport->cancelled() == 1; });
  wait_until([&] { return rig.router.health().calls_in_flight == 0; });
}

TEST_CASE("a cancelled stream ends with request_cancelled and nothing follows") {
  RouterRig rig;
  Script script = stream_script({hello_events()[0], hello_events()[1]}, false);
  script.emplace_back(Hold{});
  rig.transport->script(script);
  auto stream = rig.router.stream({.body = stream_body});
  while (const StreamEvent* event = stream.next()) {
    if (event->kind == StreamEventKind::delta) stream.cancel();
  }
  REQUIRE(stream.error() != nullptr);
  CHECK(stream.error()->code() == ErrorCode::request_cancelled);
}

TEST_CASE("the first token has a limit of its own, which comments do not move") {
  RouterRig rig;
  Script script{SendHead{200, {{"content-type", "text/event-stream"}}}};
  for (int i = 0; i < 100; ++i) {
    script.emplace_back(SendBody{": ping\n\n"});
    script.emplace_back(Wait{milliseconds(100)});
  }
  rig.transport->script(script);
  Request request{.body = stream_body};
  request.timeouts.first_token = milliseconds(1000);
  auto stream = rig.router.stream(request);
  std::atomic<bool> has_ended{false};
  std::thread time([&] {
    while (!has_ended) {
      rig.clock->advance(milliseconds(50));
      std::this_thread::yield();
    }
  });
  CHECK(stream.next() == nullptr);
  has_ended = true;
  time.join();
  REQUIRE(stream.error() != nullptr);
  CHECK(stream.error()->cause() == "timeout_first_token");
}

TEST_CASE("a preamble is held back, so that a failure before content may be tried again") {
  RouterRig rig;
  Script first = stream_script({hello_events()[0]}, false);
  first.emplace_back(
      SendBody{"data: {\"error\":{\"message\":\"Model is overloaded\",\"code\":503}}\n\n"});
  first.emplace_back(Finish{});
  rig.transport->script(first).reply_events(hello_events());
  Request request{.body = stream_body, .attempts = 2};
  // The time below runs far ahead of the loop: no limit may be reached by it.
  request.timeouts = {milliseconds(0), milliseconds(0), milliseconds(0), milliseconds(0),
                      milliseconds(0)};
  auto stream = rig.router.stream(request);
  std::atomic<bool> has_ended{false};
  std::thread time([&] {
    while (!has_ended) {
      rig.clock->advance(milliseconds(50));
      std::this_thread::yield();
    }
  });
  int preambles = 0;
  std::string text;
  while (const StreamEvent* event = stream.next()) {
    if (event->kind == StreamEventKind::preamble) ++preambles;
    text += event->text;
  }
  has_ended = true;
  time.join();
  CHECK(text == "Hello");
  CHECK(preambles == 1);
  auto reply = stream.result();
  REQUIRE(reply);
  CHECK(reply->metadata().attempts == 2);
}

TEST_CASE("a stream is closed with its router") {
  RouterRig rig;
  Script script = stream_script({hello_events()[0], hello_events()[1]}, false);
  script.emplace_back(Hold{});
  rig.transport->script(script);
  auto stream = rig.router.stream({.body = stream_body});
  REQUIRE(stream.next() != nullptr);
  rig.router.close(milliseconds(0));
  static_cast<void>(read_all(stream));
  REQUIRE(stream.error() != nullptr);
  CHECK(stream.error()->code() == ErrorCode::internal_closed);
}

TEST_CASE("only chat, completions and responses can be streamed") {
  RouterRig rig;
  auto stream = rig.router.stream({.operation = Operation::embeddings, .body = stream_body});
  CHECK(stream.next() == nullptr);
  REQUIRE(stream.error() != nullptr);
  CHECK(stream.error()->code() == ErrorCode::request_invalid);
}

TEST_CASE("an event kept past next is poisoned under address sanitizer") {
#ifdef BYWAY_ASAN
  RouterRig rig;
  rig.transport->reply_events(hello_events());
  auto stream = rig.router.stream({.body = stream_body});
  const StreamEvent* event = stream.next();
  REQUIRE(event != nullptr);
  const char* kept = event->data.data();
  CHECK(__asan_address_is_poisoned(kept) == 0);
  REQUIRE(stream.next() != nullptr);
  CHECK(__asan_address_is_poisoned(kept) == 1);
#else
  SUCCEED("shown by the preset asan");
#endif
}
