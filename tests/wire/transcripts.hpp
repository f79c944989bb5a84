// The macros of wire.md 4.1, and playing a transcript in every split.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "stream_player.hpp"

namespace byway::wire {

/// Plays whole, byte by byte and in 20 random splits, checks that all come to the same, and gives
/// it.
inline Played play_all_ways(const Play& play) {
  const std::string_view bytes = play.bytes;
  const Played whole = play_pieces(play, {bytes});
  std::vector<std::string_view> single;
  for (std::size_t at = 0; at < bytes.size(); ++at) single.push_back(bytes.substr(at, 1));
  CHECK(describe(play_pieces(play, single)) == describe(whole));
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const Played split = play_pieces(play, random_pieces(bytes, seed));
    CHECK(describe(split) == describe(whole));
    CHECK(split.raw == whole.raw);
  }
  return whole;
}

inline const std::string base =
    R"("id":"chatcmpl-t","object":"chat.completion.chunk","created":1700000000,"model":"m1")";

inline std::string chunk(const std::string& choice) {
  return "{" + base + R"(,"choices":[)" + choice + "]}";
}
/// A choice's delta, as JSON members.
inline std::string delta(const std::string& members, int index = 0,
                         const std::string& finish = "null") {
  return chunk(R"({"index":)" + std::to_string(index) + R"(,"delta":{)" + members +
               R"(},"finish_reason":)" + finish + "}");
}
inline std::string role() {
  return delta(R"("role":"assistant","content":"")");
}
inline std::string content(const std::string& text, int index = 0) {
  return delta(R"("content":")" + text + "\"", index);
}
inline std::string finish(const std::string& reason, int index = 0) {
  return delta("", index, "\"" + reason + "\"");
}
inline std::string usage(int prompt, int completion) {
  return "{" + base + R"(,"choices":[],"usage":{"prompt_tokens":)" + std::to_string(prompt) +
         R"(,"completion_tokens":)" + std::to_string(completion) + R"(,"total_tokens":)" +
         std::to_string(prompt + completion) + "}}";
}
inline std::string event(const std::string& data) {
  return "data: " + data + "\n\n";
}
inline const std::string done = "data: [DONE]\n\n";
inline std::string hello() {
  return event(content("Hel")) + event(content("lo"));
}
inline std::string ending() {
  return event(finish("stop")) + event(usage(7, 2));
}
inline std::string base_stream() {
  return event(role()) + hello() + ending() + done;
}

/// "= T01": ok, text Hello, finish stop, usage 7/2/9, no tools.
inline void check_is_hello(const Played& played, const std::vector<std::string>& notes = {}) {
  INFO(describe(played));
  CHECK_FALSE(played.failure);
  REQUIRE(played.reply.choices.size() == 1);
  const Choice& choice = played.reply.choices[0];
  CHECK(choice.text == "Hello");
  CHECK(choice.finish == "stop");
  CHECK(choice.tools.empty());
  CHECK(played.reply.has_usage);
  CHECK(played.reply.usage.prompt_tokens == 7);
  CHECK(played.reply.usage.completion_tokens == 2);
  CHECK(played.reply.usage.total_tokens == 9);
  CHECK(played.reply.notes == notes);
  CHECK(played.reply.deltas == played.deltas);
}

}  // namespace byway::wire
