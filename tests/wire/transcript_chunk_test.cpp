// What chunks hold, wire.md 4.4: invariants I7, I9, I10.
#include <string>

#include "catch.hpp"
#include "transcripts.hpp"

using namespace byway;
using namespace byway::wire;

namespace {

Played play(const std::string& bytes, Operation operation = Operation::chat) {
  return play_all_ways({.bytes = bytes, .operation = operation});
}

std::string tool(const std::string& entries) {
  return event(delta("\"tool_calls\":[" + entries + "]"));
}

/// Folds the tool deltas, each an event of its own, and gives the calls; what was told on the way
/// must come to the same.
std::vector<ToolCall> tools_of(const std::vector<std::string>& deltas,
                               std::vector<std::string>* notes = nullptr) {
  std::string bytes = event(role());
  for (const std::string& entries : deltas) bytes += tool(entries);
  const Played played = play(bytes + event(finish("tool_calls")) + done);
  INFO(describe(played));
  CHECK_FALSE(played.failure);
  const std::vector<ToolCall>& tools = played.reply.choices[0].tools;
  CHECK(played.told_tools.size() == tools.size());
  for (std::size_t slot = 0; slot < std::min(tools.size(), played.told_tools.size()); ++slot) {
    CHECK(played.told_tools[slot].name == tools[slot].name);
    CHECK(played.told_tools[slot].arguments == tools[slot].arguments);
  }
  if (notes != nullptr) *notes = played.reply.notes;
  return tools;
}

}  // namespace

TEST_CASE("T36: Azure's filter chunks") {
  const std::string first = R"({"id":"","object":"","created":0,"model":"","choices":[],)"
                            R"("prompt_filter_results":[{"x":1}]})";
  const std::string filter =
      "{" + base +
      R"(,"choices":[{"index":0,"finish_reason":null,"content_filter_results":{"hate":{}}}]})";
  const Played played = play(event(first) + event(role()) + event(content("Hel")) + event(filter) +
                             event(content("lo")) + ending() + done);
  check_is_hello(played);
  CHECK(played.reply.id == "chatcmpl-t");
  CHECK(played.told_text == "Hel|lo|");
}

TEST_CASE("T37: roles, nulls and absences everywhere") {
  const std::string role_each = R"("role":"assistant","content":)";
  check_is_hello(play(event(delta(role_each + "\"Hel\"")) + event(delta(role_each + "null")) +
                      event("{" + base + R"(,"choices":[{"index":0,"delta":null}]})") +
                      event("{" + base + R"(,"choices":null})") + event("{" + base + "}") +
                      event(delta(role_each + "\"lo\"")) + ending() + done));
}

TEST_CASE("T38: completions of TGI") {
  const auto text = [](const std::string& words, const std::string& finish_reason) {
    return "data:{\"id\":\"\",\"object\":\"text_completion\",\"choices\":[{\"index\":0,\"text\":"
           "\"" +
           words + "\",\"finish_reason\":\"" + finish_reason + "\"}]}\n\n";
  };
  const Played played =
      play(text("Hel", "") + text("lo", "") + text("", "eos_token") + "data:[DONE]\n\n",
           Operation::completions);
  INFO(describe(played));
  CHECK_FALSE(played.failure);
  CHECK(played.reply.choices[0].text == "Hello");
  CHECK(played.reply.choices[0].finish == "stop");
  CHECK(played.reply.choices[0].finish_raw == "eos_token");
  CHECK(played.reply.id.empty());
}

TEST_CASE("T39: reasoning under all its names, never doubled") {
  const Played played =
      play(event(role()) + event(delta(R"("reasoning_content":"a")")) +
           event(delta(R"("reasoning":"b")")) +
           event(delta(R"("reasoning":"c","reasoning_content":"c")")) +
           event(delta(
               R"("reasoning":"d","reasoning_details":[{"type":"reasoning.text","text":"c"}])")) +
           hello() + ending() + done);
  check_is_hello(played);
  CHECK(played.reply.choices[0].reasoning == "abcd");
  CHECK(played.told_reasoning == "abcd");
  const Played details = play(
      event(delta(R"("reasoning_details":[{"type":"reasoning.text","text":"x"},)"
                  R"({"type":"reasoning.summary","summary":"y"},{"type":"reasoning.encrypted",)"
                  R"("data":"z"}])")) +
      hello() + ending() + done);
  CHECK(details.told_reasoning == "xy");
}

TEST_CASE("T40: usage is the last that counts, never a sum") {
  const auto with_usage = [](const std::string& text, const std::string& usage_text) {
    return event("{" + base + R"(,"choices":[{"index":0,"delta":{"content":")" + text +
                 R"("}}],"usage":)" + usage_text + "}");
  };
  const std::string one = R"({"prompt_tokens":7,"completion_tokens":1,"total_tokens":8})";
  const std::string zero = R"({"prompt_tokens":0,"completion_tokens":0,"total_tokens":0})";
  check_is_hello(
      play(event(role()) + with_usage("Hel", one) + with_usage("lo", zero) + ending() + done));
  check_is_hello(play(event(role()) + with_usage("Hel", "null") + with_usage("lo", one) + ending() +
                      event("{" + base + R"(,"choices":[],"usage":)" + zero + "}") + done));
  const Played absent = play(event(role()) + hello() + event(finish("stop")) + done);
  CHECK_FALSE(absent.reply.has_usage);
}

TEST_CASE("T41: more reasoning tokens than completion tokens") {
  const std::string last =
      "{" + base +
      R"(,"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,)"
      R"("completion_tokens":2,"total_tokens":9,)"
      R"("completion_tokens_details":{"reasoning_tokens":5},)"
      R"("prompt_tokens_details":{"cached_tokens":3}}})";
  const Played played = play(event(role()) + hello() + event(last) + done);
  check_is_hello(played, {"usage_inconsistent"});
  CHECK(played.reply.usage.reasoning_tokens == 5);
  CHECK(played.reply.usage.cached_tokens == 3);
}

TEST_CASE("T42: two choices, interleaved") {
  const std::string begun = event(delta(R"("role":"assistant")", 0)) +
                            event(delta(R"("role":"assistant")", 1)) + event(content("a", 0)) +
                            event(content("x", 1)) + event(content("y", 1)) +
                            event(finish("length", 1)) + event(content("b", 0));
  const Played played = play(begun + event(finish("stop", 0)) + done);
  CHECK_FALSE(played.failure);
  REQUIRE(played.reply.choices.size() == 2);
  CHECK(played.reply.choices[0].text == "ab");
  CHECK(played.reply.choices[0].finish == "stop");
  CHECK(played.reply.choices[1].text == "xy");
  CHECK(played.reply.choices[1].finish == "length");
  const Played cut = play(begun + done);
  REQUIRE(cut.failure);
  CHECK(cut.failure->upstream_class == UpstreamClass::stream_truncated);
}

TEST_CASE("several choices in one event are a step each, the bytes given once") {
  const std::string both = chunk(R"({"index":1,"delta":{"content":"x"},"finish_reason":"stop"},)"
                                 R"({"index":0,"delta":{"content":"a"},"finish_reason":"stop"})");
  const Played played = play(event(both) + done);
  CHECK(played.deltas == 2);
  CHECK(played.raw == both);
  CHECK(played.reply.choices[0].text == "a");
  CHECK(played.reply.choices[1].text == "x");
}

TEST_CASE("T43: two tool calls, interleaved, cut inside escapes") {
  const auto part = [](int index, const std::string& head, const std::string& arguments) {
    return R"({"index":)" + std::to_string(index) + head + R"("function":{)" +
           (head == "," ? "" : R"("name":"f)" + std::to_string(index) + "\",") +
           R"("arguments":")" + arguments + "\"}}";
  };
  const auto tools = tools_of({
      part(0, R"(,"id":"call_a",)", ""),
      part(1, R"(,"id":"call_b",)", R"({\"q\":\"\\u00)"),
      part(0, ",", R"({\"e\":\"\\ud83d\\u)"),
      part(1, ",", R"(e9\"})"),
      part(0, ",", R"(de00\"})"),
  });
  REQUIRE(tools.size() == 2);
  CHECK(tools[0].arguments == R"({"e":"\ud83d\ude00"})");
  CHECK(tools[0].id == "call_a");
  CHECK(tools[0].name == "f0");
  CHECK(tools[1].arguments == R"({"q":"\u00e9"})");
}

TEST_CASE("T44: Ollama gives all calls index 0") {
  const auto tools = tools_of({
      R"({"index":0,"id":"call_a","function":{"name":"f","arguments":"{\"x\":1}"}})",
      R"({"index":0,"id":"call_b","function":{"name":"f","arguments":"{\"x\":2}"}})",
  });
  REQUIRE(tools.size() == 2);
  CHECK(tools[0].arguments == R"({"x":1})");
  CHECK(tools[1].id == "call_b");
  CHECK(tools[1].arguments == R"({"x":2})");
}

TEST_CASE("T45: no index, empty ids and names later, arguments null") {
  const auto tools = tools_of({
      R"({"id":"call_a","function":{"name":"look_up","arguments":""}})",
      R"({"id":"","function":{"name":"","arguments":"{\"a\""}})",
      R"({"id":"","function":{"name":"","arguments":null}})",
      R"({"id":"","function":{"name":"","arguments":":1}"}})",
  });
  REQUIRE(tools.size() == 1);
  CHECK(tools[0].id == "call_a");
  CHECK(tools[0].name == "look_up");
  CHECK(tools[0].arguments == R"({"a":1})");
}

TEST_CASE("tool calls are told apart and put together whatever a server leaves out") {
  std::vector<std::string> notes;
  // Two entries of one index in one chunk are one call (openai-python#3201).
  auto tools = tools_of({
      R"({"index":0,"id":"a","function":{"name":"f","arguments":"{"}},{"index":0,)"
      R"("function":{"arguments":"}"}})",
  });
  REQUIRE(tools.size() == 1);
  CHECK(tools[0].arguments == "{}");
  // Neither index nor id: a new name after arguments is a new call (Vertex).
  tools = tools_of({R"({"function":{"name":"f","arguments":"{}"}})",
                    R"({"function":{"name":"g","arguments":"{}"}})"},
                   &notes);
  REQUIRE(tools.size() == 2);
  CHECK(tools[0].id == "call_0_0");
  CHECK(tools[1].id == "call_0_1");
  CHECK(notes == std::vector<std::string>{"tool_id_made"});
  // A name that is repeated is not doubled, and fragments are joined (TGI).
  tools = tools_of({R"({"index":0,"id":"a","function":{"name":"get","arguments":""}})",
                    R"({"index":0,"id":"a","function":{"name":"get","arguments":""}})",
                    R"({"index":0,"id":"a","function":{"name":"_it","arguments":"{"}})",
                    R"({"index":0,"id":"a","function":{"name":"get_it","arguments":"}"}})"});
  REQUIRE(tools.size() == 1);
  CHECK(tools[0].name == "get_it");
  CHECK(tools[0].arguments == "{}");
  // A new id for each piece (lmdeploy), without a name: the same call.
  tools = tools_of({R"({"id":"a1","function":{"name":"f","arguments":"{"}})",
                    R"({"id":"a2","function":{"arguments":"}"}})"});
  REQUIRE(tools.size() == 1);
  CHECK(tools[0].id == "a1");
  // Arguments as an object are written as JSON.
  tools = tools_of({R"({"index":0,"id":"a","function":{"name":"f","arguments":{"x": [1]}}})"});
  CHECK(tools[0].arguments == R"({"x": [1]})");
  // An entry of nothing is nothing.
  CHECK(tools_of({R"({"index":0})", "null", "{}"}).empty());
}

TEST_CASE("the older function_call is a tool call") {
  const Played played = play(event(delta(R"("function_call":{"name":"f","arguments":"{"})")) +
                             event(delta(R"("function_call":{"arguments":"}"})")) +
                             event(finish("function_call")) + done);
  REQUIRE(played.reply.choices[0].tools.size() == 1);
  CHECK(played.reply.choices[0].tools[0].arguments == "{}");
  CHECK(played.reply.choices[0].finish == "function_call");
}

TEST_CASE("a finish of stop with tool calls is tool_calls, and the server's word is kept") {
  const Played played =
      play(tool(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})") +
           event(finish("stop")) + done);
  CHECK(played.reply.choices[0].finish == "tool_calls");
  CHECK(played.reply.choices[0].finish_raw == "stop");
}

TEST_CASE("content as a list of parts is read in order") {
  const Played played = play(
      event(role()) + event(delta(R"("content":[{"type":"text","text":"Hel"},{"type":"image"}])")) +
      event(delta(R"("content":["l",{"type":"text","text":"o"}])")) + ending() + done);
  check_is_hello(played);
  CHECK(played.told_text == "Hel|lo|");
}

TEST_CASE("a growing message beside the delta is passed over") {
  const auto both = [](const std::string& text, const std::string& all) {
    return event(chunk(R"({"index":0,"delta":{"content":")" + text +
                       R"("},"message":{"role":"assistant","content":")" + all +
                       R"("},"finish_reason":null})"));
  };
  check_is_hello(play(event(role()) + both("Hel", "Hel") + both("lo", "Hello") + ending() + done));
}

TEST_CASE("a model that changes in mid-stream is noted") {
  const std::string other =
      R"({"id":"chatcmpl-t","model":"m2","choices":[{"index":0,"delta":{"content":"lo"}}]})";
  check_is_hello(play(event(role()) + event(content("Hel")) + event(other) + ending() + done),
                 {"model_changed"});
}

TEST_CASE("a refusal is text, with a note") {
  const Played played =
      play(event(delta(R"("content":null,"refusal":"No.")")) + event(finish("stop")) + done);
  CHECK(played.reply.choices[0].text == "No.");
  CHECK(played.reply.notes == std::vector<std::string>{"refusal"});
}

TEST_CASE("a character cut between its surrogates comes whole") {
  const Played played =
      play(event(content("a\\ud83c")) + event(content("\\udf0dz\\ud83d")) + event(content("")) +
           event(content("\\ude00")) + event(finish("stop")) + done);
  CHECK(played.reply.choices[0].text == "a\xF0\x9F\x8C\x8Dz\xF0\x9F\x98\x80");
  CHECK(played.told_text == "a|\xF0\x9F\x8C\x8Dz|\xF0\x9F\x98\x80|");
  CHECK(played.reply.notes.empty());
  const Played alone =
      play(event(content("a\\ud83c")) + event(content("z\\ud83d")) + event(finish("stop")) + done);
  CHECK(alone.reply.choices[0].text == "a\xEF\xBF\xBDz\xEF\xBF\xBD");
  CHECK(alone.reply.notes == std::vector<std::string>{"invalid_utf8"});
  const Played escaped =
      play(event(content("a\\\\ud83c")) + event(content("z")) + event(finish("stop")) + done);
  CHECK(escaped.reply.choices[0].text == "a\\ud83cz");
}

TEST_CASE("an event of usage alone says so") {
  Dialect dialect;
  StreamFold fold(Operation::chat, dialect);
  const std::string data = usage(1, 1);
  SseEvent usage_event;
  usage_event.data = data;
  const auto steps = fold.feed(usage_event);
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].is_usage_only);
  CHECK(steps[0].kind == FoldKind::other);
  const std::string text = content("x");
  SseEvent content_event;
  content_event.data = text;
  CHECK_FALSE(fold.feed(content_event)[0].is_usage_only);
}

namespace {

std::string response_event(const std::string& type, const std::string& members) {
  return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + members + "}\n\n";
}

std::string responses_begun() {
  return response_event(
             "response.created",
             R"(,"response":{"id":"resp_1","model":"m1","status":"in_progress","error":null})") +
         response_event("response.output_text.delta", R"(,"output_index":0,"delta":"Hel")") +
         response_event("response.output_text.delta", R"(,"output_index":0,"delta":"lo")");
}

}  // namespace

TEST_CASE("T51: a Responses stream completes, fails or is cut") {
  const std::string completed = response_event(
      "response.completed",
      R"(,"response":{"id":"resp_1","status":"completed","error":null,"usage":{"input_tokens":7,)"
      R"("output_tokens":2,"total_tokens":9}})");
  const Played ok = play(responses_begun() + completed, Operation::responses);
  check_is_hello(ok);
  CHECK(ok.reply.id == "resp_1");
  CHECK(ok.preambles == 1);
  CHECK(ok.deltas == 2);
  CHECK(ok.saw_done);
  const Played failed =
      play(responses_begun() +
               response_event("response.failed",
                              R"(,"response":{"status":"failed","error":{"code":"server_error",)"
                              R"("message":"broken"}})"),
           Operation::responses);
  REQUIRE(failed.failure);
  CHECK(failed.failure->upstream_class == UpstreamClass::stream_error);
  CHECK(failed.failure->detail == "broken");
  CHECK(failed.failure->code == "server_error");
  const Played cut = play(responses_begun(), Operation::responses);
  REQUIRE(cut.failure);
  CHECK(cut.failure->upstream_class == UpstreamClass::stream_truncated);
}

TEST_CASE("a Responses stream carries reasoning, tools and the reason it is incomplete") {
  const std::string item = R"("type":"function_call","id":"fc_1","call_id":"call_1","name":"f")";
  const Played played =
      play(response_event("response.reasoning_summary_text.delta", R"(,"delta":"thinking")") +
               response_event("response.output_item.added",
                              R"(,"output_index":1,"item":{)" + item + R"(,"arguments":""})") +
               response_event("response.function_call_arguments.delta",
                              R"(,"output_index":1,"item_id":"fc_1","delta":"{\"a\":")") +
               response_event("response.function_call_arguments.delta",
                              R"(,"output_index":1,"item_id":"fc_1","delta":"1}")") +
               response_event("response.output_item.done", R"(,"output_index":1,"item":{)" + item +
                                                               R"(,"arguments":"{\"a\":1}"})") +
               response_event("response.incomplete",
                              R"(,"response":{"status":"incomplete",)"
                              R"("incomplete_details":{"reason":"max_output_tokens"}})"),
           Operation::responses);
  INFO(describe(played));
  CHECK_FALSE(played.failure);
  const Choice& choice = played.reply.choices[0];
  CHECK(choice.reasoning == "thinking");
  REQUIRE(choice.tools.size() == 1);
  CHECK(choice.tools[0].id == "call_1");
  CHECK(choice.tools[0].arguments == R"({"a":1})");
  CHECK(choice.finish == "length");
  CHECK(choice.finish_raw == "max_output_tokens");
}
