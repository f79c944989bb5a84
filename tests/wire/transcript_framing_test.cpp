// The framing transcripts of wire.md 4.2, as bytes; sockets and time are the player's.
#include <string>

#include "catch.hpp"
#include "transcripts.hpp"

using namespace byway;
using namespace byway::wire;

namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

Played play(const std::string& bytes) {
  return play_all_ways({.bytes = bytes});
}

}  // namespace

TEST_CASE("T01: a plain stream") {
  const Played played = play(base_stream());
  check_is_hello(played);
  CHECK(played.told_text == "Hel|lo|");
  CHECK(played.preambles == 1);
  CHECK(played.deltas == 2);
  CHECK(played.others == 2);
  CHECK(played.saw_done);
  CHECK(played.reply.id == "chatcmpl-t");
  CHECK(played.reply.model_served == "m1");
  CHECK(played.raw == role() + content("Hel") + content("lo") + finish("stop") + usage(7, 2));
}

TEST_CASE("T02: CRLF line ends") {
  check_is_hello(play(replaced(base_stream(), "\n", "\r\n")));
}

TEST_CASE("T04: no space after the colon") {
  check_is_hello(play(replaced(base_stream(), "data: ", "data:")));
}

TEST_CASE("T05: comments are no deltas") {
  const std::string comments =
      ": OPENROUTER PROCESSING\n\n: ping - 2026-11-22 10:00:00\r\n\r\n:\n: x\n";
  const Played played =
      play(comments + comments + event(role()) + comments + event(content("Hel")) + comments +
           event(content("lo")) + ending() + comments + done);
  check_is_hello(played);
  CHECK(played.deltas == 2);
}

TEST_CASE("T06: characters cut anywhere come whole") {
  const Played played = play(event(role()) + event(content("na\xC3\xAFve ")) +
                             event(content("\xE6\x9D\xB1\xE4\xBA\xAC")) +
                             event(content("\xF0\x9F\x8C\x8D")) + ending() + done);
  CHECK_FALSE(played.failure);
  CHECK(played.reply.choices[0].text == "na\xC3\xAFve \xE6\x9D\xB1\xE4\xBA\xAC\xF0\x9F\x8C\x8D");
  CHECK(played.told_text == "na\xC3\xAFve |\xE6\x9D\xB1\xE4\xBA\xAC|\xF0\x9F\x8C\x8D|");
  CHECK(played.reply.notes.empty());
}

TEST_CASE("T07: one JSON text over several data lines") {
  const std::string several =
      "data: {\"id\":\"chatcmpl-t\",\"model\":\"m1\",\n"
      "data: \"choices\":[{\"index\":0,\n"
      "data: \"delta\":{\"content\":\"Hel\"}}]}\n\n";
  const std::string empty_first = "data:\ndata: " + content("lo") + "\n\n";
  check_is_hello(play(event(role()) + several + empty_first + ending() + done));
}

TEST_CASE("T09: byte order mark, ids, retries, unknown fields") {
  const std::string fields = "event: message\nid: 7\nretry: 1000\nfoo: bar\nnocolon\n";
  const std::string stream = event(role()) + hello() + ending() + done;
  check_is_hello(play("\xEF\xBB\xBF" + replaced(stream, "data: ", fields + "data: ")));
}

TEST_CASE("T10: empty data, pings and ids alone are nothing") {
  const std::string noise = "data:\n\ndata: \n\nevent: ping\ndata: {}\n\nid: 9\n\n: p\n\n";
  const Played played =
      play(noise + event(role()) + noise + hello() + noise + ending() + noise + done);
  check_is_hello(played);
  CHECK(played.preambles == 1);
  CHECK(played.deltas == 2);
}

TEST_CASE("T12: the last line has no end") {
  check_is_hello(play(event(role()) + hello() + ending() + "data: [DONE]"));
}

TEST_CASE("T14: done in any spelling") {
  for (const std::string word : {"data:[DONE]", "data: [DONE] \n", "data: [done]\n"}) {
    INFO(word);
    check_is_hello(play(event(role()) + hello() + ending() + word));
    check_is_hello(play(event(role()) + hello() + ending() + word + "\n\n"));
  }
}

TEST_CASE("T15: what follows done is not read") {
  check_is_hello(play(base_stream() + ": ping\n\n" + done + event(content("zzz"))));
}

TEST_CASE("T18: 300 KiB of tool arguments in one event") {
  const std::string arguments = R"({\"x\":\")" + std::string(300 << 10, 'a') + R"(\"})";
  const std::string big = event(
      delta(R"("tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f",)"
            R"("arguments":")" +
            arguments + R"("}}])"));
  Play play{.bytes = event(role()) + big + event(finish("tool_calls")) + done};
  const Played whole = play_pieces(play, {play.bytes});
  CHECK_FALSE(whole.failure);
  CHECK(whole.reply.choices[0].tools[0].arguments.size() == (300 << 10) + 8);
  const Played split = play_pieces(play, random_pieces(play.bytes, 3));
  CHECK(split == whole);
  play.limits.event_max = 64 << 10;
  const Played limited = play_pieces(play, {play.bytes});
  REQUIRE(limited.failure);
  CHECK(limited.failure->upstream_class == UpstreamClass::protocol_error);
  CHECK(limited.failure->cause == "limit");
}

TEST_CASE("T20: a comment wrapped as data is junk and no more") {
  check_is_hello(play("data: : OPENROUTER PROCESSING\n\n" + base_stream()), {"junk_event"});
}

TEST_CASE("complete JSON texts on single lines are an event each") {
  const std::string lines = "data: " + role() + "\ndata: " + content("Hel") +
                            "\ndata: " + content("lo") + "\ndata: " + finish("stop") +
                            "\ndata: " + usage(7, 2) + "\ndata: [DONE]\n\n";
  const Played played = play(lines);
  check_is_hello(played, {"line_framed"});
  CHECK(played.deltas == 2);
}

TEST_CASE("bytes that are no UTF-8 become U+FFFD, with a note") {
  const Played played =
      play(event(role()) + event(content("a\xC3z")) + event(finish("stop")) + done);
  CHECK_FALSE(played.failure);
  CHECK(played.reply.choices[0].text == "a\xEF\xBF\xBDz");
  CHECK(played.reply.notes == std::vector<std::string>{"invalid_utf8"});
}

TEST_CASE("a stream of 10,000 events folds into one text") {
  std::string bytes = event(role());
  for (int index = 0; index < 10'000; ++index) bytes += event(content("ab"));
  bytes += event(finish("stop")) + done;
  const Played played = play_pieces({.bytes = bytes}, {bytes});
  CHECK(played.reply.choices[0].text.size() == 20'000);
  CHECK(played.reply.deltas == 10'000);
}
