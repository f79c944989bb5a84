#include <cstring>
#include <string>

#include "catch.hpp"
#include "wire/body_shape.hpp"
#include "wire/embedding.hpp"
#include "wire/failure.hpp"
#include "wire/whole_reply.hpp"

using namespace byway;
using namespace byway::wire;

namespace {

Reply read(Operation operation, std::string_view body) {
  Reply reply;
  read_whole_reply(operation, body, reply);
  return reply;
}

/// Also: what is told at once of a good answer is what reading all of it tells.
bool is_good(Operation operation, std::string_view body, std::size_t inputs = 0) {
  const WholeAnswer answer{.operation = operation, .status = 200, .body = body, .inputs = inputs};
  AnswerHead head;
  if (judge_whole(answer, Dialect(), &head)) return false;
  const Reply reply = read(operation, body);
  CHECK(head.model_served == reply.model_served);
  CHECK(head.has_usage == reply.has_usage);
  CHECK(head.usage.prompt_tokens == reply.usage.prompt_tokens);
  CHECK(head.usage.completion_tokens == reply.usage.completion_tokens);
  CHECK(head.usage.total_tokens == reply.usage.total_tokens);
  CHECK(head.usage.cached_tokens == reply.usage.cached_tokens);
  CHECK(head.usage.reasoning_tokens == reply.usage.reasoning_tokens);
  return true;
}

const std::string hello =
    R"({"id":"chatcmpl-t","object":"chat.completion","created":1700000000,"model":"m1","choices":[)"
    R"({"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}})";

}  // namespace

TEST_CASE("a chat reply is read") {
  CHECK(is_good(Operation::chat, hello));
  const Reply reply = read(Operation::chat, hello);
  REQUIRE(reply.choices.size() == 1);
  CHECK(reply.choices[0].text == "Hello");
  CHECK(reply.choices[0].finish == "stop");
  CHECK(reply.usage.total_tokens == 9);
  CHECK(reply.has_usage);
  CHECK(reply.id == "chatcmpl-t");
  CHECK(reply.model_served == "m1");
  CHECK(reply.notes.empty());
  CHECK(reply.deltas == 0);
}

TEST_CASE("model and usage are told at once in all their shapes") {
  using namespace std::string_literals;
  const std::string choices = R"("choices":[{"index":0,"message":{"content":"x"}}])";
  for (const std::string& members :
       {R"("usage":null)"s, R"("usage":{"prompt_tokens":0,"completion_tokens":0})"s,
        R"("usage":{"input_tokens":3,"output_tokens":-1})"s, R"("usage":[1])"s,
        R"("usage":{"prompt_tokens":3,"prompt_tokens_details":{"cached_tokens":2}})"s,
        R"("model":"a\nb")"s,
        R"("model":7)"s, R"("model":"","usage":{"total_tokens":9})"s, "\"model\":\"\xFFm\""s,
        R"("usage":{"total_tokens":1},"usage":{"total_tokens":2},"model":"a")"s}) {
    INFO(members);
    CHECK(is_good(Operation::chat, "{" + choices + "," + members + "}"));
    CHECK(is_good(Operation::completions, "{" + members + "," + choices + "}"));
    CHECK(is_good(Operation::responses, R"({"output":[],"status":"completed",)" + members + "}"));
    CHECK(is_good(Operation::embeddings, R"({"data":[{"embedding":[1]}],)" + members + "}"));
    CHECK(is_good(Operation::rerank, R"({"results":[],)" + members + "}"));
  }
  // A row's model is no reply's.
  CHECK(is_good(Operation::rerank,
                R"([{"index":0,"score":1,"model":"m","usage":{"total_tokens":3}}])"));
  CHECK(is_good(Operation::models, R"([{"id":"a","model":"b"}])"));
  CHECK(is_good(Operation::chat, "[{" + choices + R"(,"model":"a","usage":{"total_tokens":1}},{)" +
                                     choices + R"(,"model":"b","usage":{"total_tokens":2}}])"));
}

TEST_CASE("T53: white space before the body is passed over") {
  const std::string padded = std::string(40, ' ') + "\r\n\t" + hello;
  CHECK(is_good(Operation::chat, padded));
  CHECK(read(Operation::chat, padded).choices[0].text == "Hello");
}

TEST_CASE("tool calls, reasoning and parts of a whole reply are read") {
  const Reply reply = read(
      Operation::chat,
      R"({"choices":[{"index":0,"message":{"content":[{"type":"text","text":"a"},{"text":"b"}],)"
      R"("reasoning_content":"think","tool_calls":[)"
      R"({"index":0,"id":"x","function":{"name":"f","arguments":"{\"a\":1}"}},)"
      R"({"index":0,"id":"y","function":{"name":"f","arguments":{"a":2}}},)"
      R"({"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}]})");
  const Choice& choice = reply.choices.at(0);
  CHECK(choice.text == "ab");
  CHECK(choice.reasoning == "think");
  REQUIRE(choice.tools.size() == 3);
  CHECK(choice.tools[0].arguments == R"({"a":1})");
  CHECK(choice.tools[1].arguments == R"({"a":2})");
  CHECK(choice.tools[2].id == "call_0_2");
  CHECK(choice.finish == "tool_calls");
  CHECK(reply.notes == std::vector<std::string>{"tool_id_made"});
}

TEST_CASE("completions are read, and arrays of replies as old llama.cpp gives them") {
  const std::string one = R"({"choices":[{"text":"a","index":0,"finish_reason":"length"}]})";
  CHECK(read(Operation::completions, one).choices[0].text == "a");
  const std::string many = "[" + one + "," + one + "]";
  CHECK(is_good(Operation::completions, many));
  const Reply reply = read(Operation::completions, many);
  REQUIRE(reply.choices.size() == 2);
  CHECK(reply.choices[1].index == 1);
}

TEST_CASE("a Responses reply is read") {
  const std::string body =
      R"({"id":"resp_1","object":"response","status":"completed","error":null,"model":"m1",)"
      R"("output":[)"
      R"({"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},)"
      R"({"type":"message","content":[{"type":"output_text","text":"Hel"},{"type":"output_text",)"
      R"("text":"lo"}]},)"
      R"({"type":"function_call","call_id":"c1","name":"f","arguments":"{}"}],)"
      R"("usage":{"input_tokens":7,"output_tokens":2,"total_tokens":9,)"
      R"("output_tokens_details":{"reasoning_tokens":1}}})";
  CHECK(is_good(Operation::responses, body));
  const Reply reply = read(Operation::responses, body);
  REQUIRE(reply.choices.size() == 1);
  CHECK(reply.choices[0].text == "Hello");
  CHECK(reply.choices[0].reasoning == "hm");
  CHECK(reply.choices[0].tools.at(0).id == "c1");
  CHECK(reply.choices[0].finish == "tool_calls");
  CHECK(reply.choices[0].finish_raw == "completed");
  CHECK(reply.usage.prompt_tokens == 7);
  CHECK(reply.usage.reasoning_tokens == 1);
}

TEST_CASE("T56: embeddings as base64 and as numbers are the same vectors, in input order") {
  const std::string floats =
      R"({"object":"list","data":[{"index":1,"embedding":[1,0,-1]},)"
      R"({"index":0,"embedding":[1e-3,0.5,-2.25]}],"model":"e","usage":{"prompt_tokens":4,)"
      R"("total_tokens":4}})";
  // 1, 0, -1 and 0.001, 0.5, -2.25 as little-endian singles.
  const std::string base64 = R"({"data":[{"index":1,"embedding":"AACAPwAAAAAAAIC\/"},)"
                             R"({"index":0,"embedding":"bxKDOgAAAD8AABDA"}]})";
  for (const std::string& body : {floats, base64}) {
    INFO(body);
    CHECK(is_good(Operation::embeddings, body, 2));
    CHECK_FALSE(is_good(Operation::embeddings, body, 3));
    const Reply reply = read(Operation::embeddings, body);
    CHECK(reply.has_embeddings);
    REQUIRE(reply.embeddings.size() == 2);
    CHECK(reply.embeddings[0] == std::vector<float>{0.001F, 0.5F, -2.25F});
    CHECK(reply.embeddings[1] == std::vector<float>{1, 0, -1});
  }
  CHECK(read(Operation::embeddings, floats).usage.prompt_tokens == 4);
}

TEST_CASE("embeddings that do not fit together are a protocol error") {
  for (const std::string body :
       {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":[]}]})", R"({"data":[{"index":0}]})",
        R"({"data":[{"index":-1,"embedding":[1]}]})", R"({"data":[1]})",
        R"({"data":[{"embedding":null}]})"}) {
    INFO(body);
    const WholeAnswer answer{.operation = Operation::embeddings, .status = 200, .body = body};
    const auto failure = judge_whole(answer, Dialect());
    REQUIRE(failure);
    CHECK(failure->upstream_class == UpstreamClass::protocol_error);
    CHECK(failure->cause == "embedding_rows");
    CHECK_FALSE(read(Operation::embeddings, body).has_embeddings);
  }
}

TEST_CASE("base64 of whole floats decodes and nothing else does") {
  std::vector<float> vector;
  CHECK(append_base64_floats("AACAPw==", vector));
  CHECK(append_base64_floats("AACAPw", vector));
  CHECK(vector == std::vector<float>{1, 1});
  for (const std::string_view bad : {"AACAP", "AACA", "AACAPw*=", "A", "AACAPwA="}) {
    INFO(bad);
    CHECK_FALSE(append_base64_floats(bad, vector));
  }
}

TEST_CASE("T58: a rerank answer in four shapes, best first") {
  for (const std::string body :
       {R"({"results":[{"index":2,"relevance_score":0.9,"document":{"text":"c"}},{"index":0,)"
        R"("relevance_score":0.5},{"index":1,"relevance_score":0.1}]})",
        R"([{"index":2,"score":0.9},{"index":0,"score":0.5},{"index":1,"score":0.1}])",
        R"({"rankings":[{"index":2,"logit":9},{"index":0,"logit":5},{"index":1,"logit":-1}]})",
        R"({"results":[{"index":0,"relevance_score":0.5},{"index":1,"relevance_score":0.1},)"
        R"({"index":2,"relevance_score":0.9}],"id":"r"})"}) {
    INFO(body);
    CHECK(is_good(Operation::rerank, body));
    const Reply reply = read(Operation::rerank, body);
    CHECK(reply.has_items);
    REQUIRE(reply.items.size() == 3);
    CHECK(reply.items[0].index == 2);
    CHECK(reply.items[1].index == 0);
    CHECK(reply.items[2].index == 1);
    CHECK(reply.items[0].score > reply.items[1].score);
  }
}

TEST_CASE("T59: a list of models in its shapes") {
  struct Row {
    std::string body;
    std::vector<std::string> ids;
  };
  const Row rows[] = {
      {R"({"object":"list","data":[{"id":"a","object":"model"},{"id":"b"}]})", {"a", "b"}},
      {R"({"object":"list","data":null})", {}},
      {R"([{"id":"a"},{"id":"b"},{"id":"c"}])", {"a", "b", "c"}},
      {R"({"models":[{"name":"x","model":"x"}]})", {"x"}},
      {R"({"models":["x","y"]})", {"x", "y"}},
  };
  for (const Row& row : rows) {
    INFO(row.body);
    CHECK(is_good(Operation::models, row.body));
    const Reply reply = read(Operation::models, row.body);
    std::vector<std::string> ids;
    for (const Item& item : reply.items) ids.push_back(item.id);
    CHECK(ids == row.ids);
    CHECK(reply.has_items);
  }
}

TEST_CASE("a reply with bytes that are no UTF-8 is repaired, with a note") {
  const Reply reply =
      read(Operation::chat, "{\"choices\":[{\"message\":{\"content\":\"a\xFFz\"}}]}");
  CHECK(reply.choices[0].text == "a\xEF\xBF\xBDz");
  CHECK(reply.notes == std::vector<std::string>{"invalid_utf8"});
}

TEST_CASE("anything at all can be read without harm") {
  for (const auto operation : {Operation::chat, Operation::completions, Operation::embeddings,
                               Operation::responses, Operation::rerank, Operation::models}) {
    for (const std::string body : {"", "{", "[]", "null", "{}", "[[[", R"({"choices":[null,1,{}]})",
                                   R"({"data":[null,"x",{}]})", R"({"output":[{}]})"}) {
      INFO(body);
      read(operation, body);
      is_good(operation, body);
    }
  }
}

TEST_CASE("finish reasons are put into OpenAI's words") {
  const auto finish = [](const std::string& word) {
    return read(Operation::chat,
                R"({"choices":[{"message":{"content":"x"},"finish_reason":")" + word + "\"}]}")
        .choices[0]
        .finish;
  };
  CHECK(finish("eos") == "stop");
  CHECK(finish("eos_token") == "stop");
  CHECK(finish("stop_sequence") == "stop");
  CHECK(finish("max_tokens") == "length");
  CHECK(finish("content_filter") == "content_filter");
  CHECK(finish("something_new") == "something_new");
}

TEST_CASE("the shape of a body is told by its first bytes, then by its content type") {
  struct Row {
    int status;
    std::string type;
    std::string bytes;
    BodyShape shape;
  };
  const Row rows[] = {
      {200, "application/json", "{\"a\"", BodyShape::whole},
      {200, "text/event-stream", "{\"a\"", BodyShape::whole},
      {200, "application/json", "data: {", BodyShape::events},
      {200, "", "data:{", BodyShape::events},
      {200, "", ": ping", BodyShape::events},
      {200, "", "event: x", BodyShape::events},
      {200, "", "error: {", BodyShape::events},
      {200, "", "da", BodyShape::events},
      {200, "",
       "\xEF\xBB\xBF"
       "data: x",
       BodyShape::events},
      {200, "text/event-stream; charset=utf-8", "foo: bar", BodyShape::events},
      {200, "application/json", "   ", BodyShape::unknown},
      {200, "text/event-stream", "", BodyShape::unknown},
      {200, "text/html", "<html>", BodyShape::whole},
      {500, "text/event-stream", "data: {", BodyShape::whole},
      {200, "", "  [", BodyShape::whole},
  };
  for (const Row& row : rows) {
    INFO(row.type << " " << row.bytes);
    CHECK(body_shape(row.status, row.type, row.bytes) == row.shape);
  }
}
