#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "wire/extra_body.hpp"
#include "wire/json_merge.hpp"
#include "wire/json_splice.hpp"

using namespace byway;
using wire::RequestEdit;
using wire::UsagePolicy;

namespace {

Result<wire::Splice> spliced(std::string_view body, const RequestEdit& edit) {
  const auto scan = wire::scan_request(body, Operation::chat);
  if (!scan) return scan.error();
  return wire::edit_request(body, *scan, edit);
}

std::string edited(std::string_view body, const RequestEdit& edit) {
  return spliced(body, edit).value().text();
}

using Names = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("model and stream are written in their place and nothing else changes") {
  RequestEdit edit;
  edit.model = "meta/L\"4\\\n";
  edit.stream = true;
  CHECK(edited("{ \"temperature\": 1.0e0, \"model\" :\"byo:a/b\", \"x\":[ 1 ,2] }", edit) ==
        R"({ "temperature": 1.0e0, "model" :"meta/L\"4\\\n", "x":[ 1 ,2],"stream":true })");
  CHECK(edited(R"({"stream":false,"model":"x"})", edit) ==
        R"({"stream":true,"model":"meta/L\"4\\\n"})");
  CHECK(edited(R"({"model":"x","stream":  true })", edit) ==
        R"({"model":"meta/L\"4\\\n","stream":  true })");
  CHECK(edited("{}", edit) == R"({"model":"meta/L\"4\\\n","stream":true})");
  CHECK(edited("{ }", edit) == R"({"model":"meta/L\"4\\\n","stream":true })");
}

TEST_CASE("without an edit the body is one piece of the caller's bytes") {
  const std::string body = R"({"a":1 , "model":"x"} )";
  const auto splice = spliced(body, {}).value();
  REQUIRE(splice.pieces().size() == 1);
  CHECK(splice.pieces()[0].data() == body.data());
  CHECK(splice.size() == body.size());
}

TEST_CASE("a model that stands in the path leaves the body") {
  RequestEdit edit;
  edit.omit_model = true;
  CHECK(edited(R"({"model":"x"})", edit) == "{}");
  CHECK(edited(R"({"model":"x","a":1})", edit) == R"({"a":1})");
  CHECK(edited(R"({"a":1,"model":"x"})", edit) == R"({"a":1})");
  CHECK(edited(R"({"a":1, "model":"x" , "b":2})", edit) == R"({"a":1 , "b":2})");
}

TEST_CASE("usage is asked for, left alone or stripped") {
  RequestEdit edit;
  edit.stream = true;
  edit.usage = UsagePolicy::request;
  CHECK(edited(R"({"stream":true})", edit) ==
        R"({"stream":true,"stream_options":{"include_usage":true}})");
  CHECK(edited(R"({"stream":true,"stream_options":{"include_usage":true }})", edit) ==
        R"({"stream":true,"stream_options":{"include_usage":true }})");
  CHECK(edited(R"({"stream":true,"stream_options":{"x":1,"include_usage":false}})", edit) ==
        R"({"stream":true,"stream_options":{"x":1,"include_usage":true}})");
  CHECK(edited(R"({"stream":true,"stream_options":null})", edit) ==
        R"({"stream":true,"stream_options":{"include_usage":true}})");
  edit.stream = false;
  CHECK(edited(R"({"a":1})", edit) == R"({"a":1,"stream":false})");
  edit.stream = true;
  edit.usage = UsagePolicy::strip;
  CHECK(edited(R"({"stream_options":{"include_usage":true},"stream":true})", edit) ==
        R"({"stream":true})");
  edit.usage = UsagePolicy::as_caller;
  CHECK(edited(R"({"stream_options":{"include_usage":true},"stream":true})", edit) ==
        R"({"stream_options":{"include_usage":true},"stream":true})");
}

TEST_CASE("the endpoint's extra body is merged in and wins") {
  RequestEdit edit;
  edit.extra_body = R"({"a":{"k":2},"new":[1],"b":null})";
  CHECK(edited(R"({"a":{"j":1,"k":1},"b":{"c":1},"d":0})", edit) ==
        R"({"a":{"j":1,"k":2},"b":null,"d":0,"new":[1]})");
  edit.extra_body = R"({"stream_options":{"include_usage":false}})";
  edit.usage = UsagePolicy::request;
  edit.stream = true;
  CHECK(edited(R"({"stream":true})", edit) ==
        R"({"stream":true,"stream_options":{"include_usage":false}})");
  CHECK_FALSE(spliced(R"({"stream_options":1,"stream_options":2})", edit));
}

TEST_CASE("the dialect's drop, rename and default come in this order") {
  const Names drop = {"logit_bias", "gone"};
  const Pairs rename = {{"max_completion_tokens", "max_tokens"}, {"documents", "texts"}};
  const Pairs set_default = {{"input_type", "\"query\""}, {"truncate", "true"}};
  RequestEdit edit;
  edit.drop = drop;
  edit.rename = rename;
  edit.set_default = set_default;
  CHECK(edited(R"({"logit_bias":{},"max_completion_tokens" : 5,"truncate":false})", edit) ==
        R"({"max_tokens":5,"truncate":false,"input_type":"query"})");
  CHECK(edited(R"({"max_tokens":4,"max_completion_tokens":5})", edit) ==
        R"({"max_tokens":4,"input_type":"query","truncate":true})");
  edit.extra_body = R"({"max_tokens":9,"input_type":"passage"})";
  CHECK(edited(R"({"max_completion_tokens":5})", edit) ==
        R"({"max_tokens":9,"input_type":"passage","truncate":true})");
}

TEST_CASE("a name that is edited may stand in the body once only") {
  const Names drop = {"gone"};
  RequestEdit edit;
  edit.drop = drop;
  edit.extra_body = R"({"seed":1})";
  for (const std::string body : {R"({"gone":1,"gone":2})", R"({"seed":1,"s\u0065ed":2})"}) {
    const auto splice = spliced(body, edit);
    REQUIRE_FALSE(splice);
    CHECK(splice.error().code() == ErrorCode::request_invalid_json);
  }
  CHECK(spliced(R"({"other":1,"other":2})", edit));
}

TEST_CASE("pieces stay good when the splice is moved") {
  const std::string body = R"({"model":"byo:a/b"})";
  RequestEdit edit;
  edit.model = "m";
  auto splice = spliced(body, edit).value();
  const wire::Splice moved = std::move(splice);
  CHECK(moved.text() == R"({"model":"m"})");
  REQUIRE(moved.pieces().size() == 3);
}

TEST_CASE("an extra body that Byway cannot honour is refused") {
  CHECK(wire::validate_extra_body(""));
  CHECK(wire::validate_extra_body(R"({"top_k":5,"nested":{"model":"ok here"}})"));
  for (const std::string text :
       {"[]", "1", "{", R"({"a":1} x)", R"({"messages":[]})", R"({"model":"x"})",
        R"({"stream":true})", R"({"str\u0065am":true})", R"({"a":{"b":1,"b":2}})",
        "{\"a\":\"\xFF\"}", R"({"a":"\ud800"})"}) {
    INFO(text);
    const auto checked = wire::validate_extra_body(text);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code() == ErrorCode::registry_field_invalid);
  }
}

namespace {

std::string random_space(std::mt19937& random) {
  static const char* const spaces[] = {"", "", "", " ", "\n  ", "\t"};
  return spaces[random() % std::size(spaces)];
}

std::string random_value(std::mt19937& random, int depth) {
  static const char* const scalars[] = {
      "1", "-0.50e+2", "null", "true", "\"\"", "\"a\\u00e9\\\"\"", "12345678901234567890"};
  if (depth == 0 || random() % 3 != 0) return scalars[random() % std::size(scalars)];
  const bool is_object = random() % 2 == 0;
  std::string text = is_object ? "{" : "[";
  const auto count = random() % 4;
  for (std::size_t index = 0; index < count; ++index) {
    if (index > 0) text += "," + random_space(random);
    if (is_object) text += "\"k" + std::to_string(index) + "\":";
    text += random_value(random, depth - 1);
  }
  return text + (is_object ? "}" : "]");
}

struct RandomBody {
  std::string text;
  /// Members that no edit touches, each as its bytes.
  std::vector<std::string> untouched;
};

RandomBody random_body(std::mt19937& random) {
  const std::vector<std::string> touched = {"\"model\"",    "\"stream\"", "\"stream_options\"",
                                            "\"old\"",      "\"gone\"",   "\"extra\"",
                                            "\"defaulted\""};
  std::vector<std::string> members;
  RandomBody body;
  for (const std::string& name : touched) {
    if (random() % 2 == 0) continue;
    members.push_back(name + random_space(random) + ":" + random_value(random, 2));
  }
  for (auto count = random() % 4; count > 0; --count) {
    const std::string member = "\"free" + std::to_string(count) + "\"" + random_space(random) +
                               ":" + random_space(random) + random_value(random, 3);
    members.push_back(member);
    body.untouched.push_back(member);
  }
  std::shuffle(members.begin(), members.end(), random);
  body.text = random_space(random) + "{" + random_space(random);
  for (std::size_t index = 0; index < members.size(); ++index) {
    if (index > 0) body.text += random_space(random) + "," + random_space(random);
    body.text += members[index];
  }
  body.text += random_space(random) + "}" + random_space(random);
  return body;
}

}  // namespace

TEST_CASE("an edited body parses, says what was asked, and keeps every other byte") {
  std::mt19937 random(7);
  const Names drop = {"gone"};
  const Pairs rename = {{"old", "renamed"}};
  const Pairs set_default = {{"defaulted", "[1]"}};
  for (int round = 0; round < 5000; ++round) {
    const RandomBody body = random_body(random);
    RequestEdit edit;
    if (random() % 2) edit.model = "up/stream";
    if (random() % 4 == 0) edit.omit_model = true;
    if (random() % 2) edit.stream = random() % 2 == 0;
    edit.usage = static_cast<UsagePolicy>(random() % 3);
    if (random() % 2) edit.extra_body = R"({"extra":{"k0":{"z":1}}})";
    if (random() % 2) edit.drop = drop;
    if (random() % 2) edit.rename = rename;
    if (random() % 2) edit.set_default = set_default;
    INFO(body.text);
    const auto splice = spliced(body.text, edit);
    REQUIRE(splice);
    const std::string text = splice->text();
    INFO(text);
    REQUIRE(wire::scan_request(text, Operation::chat));
    CHECK(text.size() == splice->size());
    CHECK_FALSE(wire::name_given_twice(text));
    // A name to look for makes it walk over all members instead of using the places of the scan.
    const Names absent = {"nowhere"};
    RequestEdit walked = edit;
    if (edit.drop.empty()) walked.drop = absent;
    CHECK(edited(body.text, walked) == text);
    for (const std::string& member : body.untouched) {
      CHECK(text.find(member) != std::string::npos);
    }
    if (edit.omit_model) CHECK(wire::member_of(text, "model").empty());
    if (edit.model && !edit.omit_model) CHECK(wire::member_of(text, "model") == "\"up/stream\"");
    if (edit.stream) CHECK(wire::member_of(text, "stream") == (*edit.stream ? "true" : "false"));
    if (!edit.drop.empty()) CHECK(wire::member_of(text, "gone").empty());
    if (!edit.rename.empty()) CHECK(wire::member_of(text, "old").empty());
    if (!edit.set_default.empty()) CHECK_FALSE(wire::member_of(text, "defaulted").empty());
  }
}
