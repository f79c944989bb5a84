// The endings of wire.md 4.3: invariant I1.
#include <string>

#include "catch.hpp"
#include "transcripts.hpp"

using namespace byway;
using namespace byway::wire;

namespace {

void check_fails(const Played& played, UpstreamClass upstream_class, const std::string& cause,
                 const std::string& text) {
  INFO(describe(played));
  REQUIRE(played.failure);
  CHECK(played.failure->upstream_class == upstream_class);
  CHECK(played.failure->cause == cause);
  const std::string partial =
      played.reply.choices.empty() ? std::string() : played.reply.choices[0].text;
  CHECK(partial == text);
}

std::string begun() {
  return event(role()) + event(content("Hel"));
}

}  // namespace

TEST_CASE("T21: no done, every choice finished: a success with a note") {
  const std::string bytes = event(role()) + hello() + ending();
  check_is_hello(play_all_ways({.bytes = bytes}), {"no_done"});
  check_is_hello(play_all_ways({.bytes = bytes, .end = BytesEnd::unclean}),
                 {"no_done", "unclean_end"});
  Dialect strict;
  strict.stream.needs_done = true;
  check_fails(play_all_ways({.bytes = bytes, .dialect = strict}), UpstreamClass::stream_truncated,
              "no_done", "Hello");
}

TEST_CASE("T22 and T24: a stream that stops before its finish is truncated") {
  const Played clean = play_all_ways({.bytes = begun()});
  check_fails(clean, UpstreamClass::stream_truncated, "no_finish", "Hel");
  CHECK_FALSE(clean.failure->retryable);
  CHECK(clean.reply.deltas == 1);
  check_fails(play_all_ways({.bytes = begun(), .end = BytesEnd::unclean}),
              UpstreamClass::stream_truncated, "net_cut", "Hel");
}

TEST_CASE("T23: done without finish is truncated unless the dialect says otherwise") {
  check_fails(play_all_ways({.bytes = begun() + done}), UpstreamClass::stream_truncated,
              "done_without_finish", "Hel");
  Dialect lenient;
  lenient.stream.needs_finish = false;
  const Played played = play_all_ways({.bytes = begun() + done, .dialect = lenient});
  CHECK_FALSE(played.failure);
  CHECK(played.reply.choices[0].finish.empty());
}

TEST_CASE("T25: an unclean end after done is none") {
  check_is_hello(play_all_ways({.bytes = base_stream(), .end = BytesEnd::unclean}));
}

TEST_CASE("T27 and T30: an error event after a delta") {
  const std::string vllm =
      event(R"({"error":{"message":"EngineCore encountered an issue","type":"InternalServerError",)"
            R"("param":null,"code":500}})");
  const Played played = play_all_ways({.bytes = begun() + vllm + done});
  check_fails(played, UpstreamClass::stream_error, "upstream_error", "Hel");
  CHECK(played.failure->http_status == 500);
  CHECK(played.failure->detail == "EngineCore encountered an issue");
  CHECK_FALSE(played.failure->retryable);
  const std::string llamacpp =
      event(R"({"error":{"code":500,"message":"slot failed","type":"server_error"}})");
  const Played without_done = play_all_ways({.bytes = begun() + llamacpp});
  check_fails(without_done, UpstreamClass::stream_error, "upstream_error", "Hel");
  CHECK(without_done.failure->http_status == 500);
}

TEST_CASE("T28: an error event before any delta has its own class and may be retried") {
  const Played played = play_all_ways(
      {.bytes =
           "data:{\"error\":{\"message\":\"Model is overloaded\",\"http_status_code\":422}}\n\n"
           "data:[DONE]\n\n"});
  check_fails(played, UpstreamClass::overloaded, "", "");
  CHECK(played.failure->retryable);
  CHECK(played.failure->http_status == 422);
}

TEST_CASE("T29: a field named error") {
  const Played played = play_all_ways(
      {.bytes = "error: {\"code\":400,\"message\":\"the request exceeds the available context "
                "size\",\"type\":\"invalid_request_error\"}\n\n" +
                done});
  check_fails(played, UpstreamClass::context_length, "", "");
  CHECK_FALSE(played.failure->retryable);
  CHECK(played.failure->http_status == 400);
}

TEST_CASE("T33: a finish that says abort or error") {
  const Played aborted = play_all_ways({.bytes = begun() + event(finish("abort")) + done});
  check_fails(aborted, UpstreamClass::stream_error, "aborted", "Hel");
  const Played failed = play_all_ways({.bytes = event(role()) + event(finish("error")) + done});
  check_fails(failed, UpstreamClass::upstream_error, "finish_error", "");
  CHECK(failed.failure->retryable);
}

TEST_CASE("T34: a finish that comes twice counts once") {
  const std::string second =
      "{" + base +
      R"(,"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,)"
      R"("completion_tokens":2,"total_tokens":9}})";
  check_is_hello(play_all_ways({.bytes = event(role()) + hello() + event(finish("stop")) +
                                         event(second) + event(content("")) + done}));
}

TEST_CASE("an error event wins over everything, in each of its forms") {
  for (const std::string& error : {
           std::string("event: error\ndata: {\"message\":\"broken\"}\n\n"),
           event(R"({"object":"error","message":"broken","code":500})"),
           event(R"({"error":"broken"})"),
           event(
               R"({"id":"x","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error",)"
               R"("error":{"code":502,"message":"broken"}}]})"),
           event(R"([{"error":{"code":500,"message":"broken","status":"INTERNAL"}}])"),
       }) {
    INFO(error);
    const Played played = play_all_ways({.bytes = begun() + error + event(finish("stop")) + done});
    REQUIRE(played.failure);
    CHECK(played.failure->upstream_class == UpstreamClass::stream_error);
    CHECK(played.failure->detail == "broken");
  }
}

TEST_CASE("an empty stream is truncated, and nothing was handed over") {
  const Played played = play_all_ways({.bytes = ""});
  check_fails(played, UpstreamClass::stream_truncated, "no_finish", "");
  CHECK(played.failure->retryable);
  check_fails(play_all_ways({.bytes = done}), UpstreamClass::stream_truncated,
              "done_without_finish", "");
  // Ollama's way to fail: a chunk of nothing, then the end.
  check_fails(play_all_ways({.bytes = event(R"({"id":"","model":"","choices":[]})")}),
              UpstreamClass::stream_truncated, "no_finish", "");
}

TEST_CASE("an error of null, false or nothing is none") {
  for (const std::string none : {"null", "false", "\"\""}) {
    const std::string chunk_text = "{" + base + ",\"error\":" + none +
                                   R"(,"choices":[{"index":0,"delta":{"content":"Hel"}}]})";
    check_is_hello(play_all_ways(
        {.bytes = event(role()) + event(chunk_text) + event(content("lo")) + ending() + done}));
  }
}

TEST_CASE("a last event that was cut is junk and the stream is truncated") {
  const std::string cut = "data: " + content("lo").substr(0, 60);
  const Played played = play_all_ways({.bytes = begun() + cut});
  check_fails(played, UpstreamClass::stream_truncated, "no_finish", "Hel");
}

TEST_CASE("a last event without a blank line is folded when it is whole") {
  const std::string bytes =
      event(role()) + hello() + event(usage(7, 2)) + "data: " + finish("stop");
  check_is_hello(play_all_ways({.bytes = bytes}), {"no_done"});
}
