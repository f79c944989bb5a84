#include <string>

#include "catch.hpp"
#include "wire/json_scan.hpp"

using namespace byway;

namespace {

ErrorCode code_of(std::string_view body) {
  const auto scan = wire::scan_request(body, Operation::chat);
  return scan ? ErrorCode::internal_error : scan.error().code();
}

}  // namespace

TEST_CASE("a body that is not one valid JSON object is refused with its code") {
  struct Row {
    std::string body;
    ErrorCode code;
  };
  const Row rows[] = {
      {"", ErrorCode::request_invalid_json},
      {"   ", ErrorCode::request_invalid_json},
      {"[]", ErrorCode::request_invalid_json},
      {"\"x\"", ErrorCode::request_invalid_json},
      {"null", ErrorCode::request_invalid_json},
      {R"({"model":"m"} x)", ErrorCode::request_invalid_json},
      {R"({"model":"m"}{})", ErrorCode::request_invalid_json},
      {R"({"temperature":NaN})", ErrorCode::request_invalid_json},
      {R"({"temperature":Infinity})", ErrorCode::request_invalid_json},
      {R"({"a":"\ud800"})", ErrorCode::request_invalid_json},
      {R"({"a":"\udc00\ud800"})", ErrorCode::request_invalid_json},
      {R"({"a":"\ud800\u0041"})", ErrorCode::request_invalid_json},
      {R"({"a":1,})", ErrorCode::request_invalid_json},
      {R"({"a" 1})", ErrorCode::request_invalid_json},
      {R"({'a':1})", ErrorCode::request_invalid_json},
      {R"({"a":01})", ErrorCode::request_invalid_json},
      {"{\"a\":\"\x01\"}", ErrorCode::request_invalid_json},
      {std::string("{\"a\":\"x\0\"}", 10), ErrorCode::request_invalid_json},
      {R"({"a":)", ErrorCode::request_invalid_json},
      {R"({"a":"x)", ErrorCode::request_invalid_json},
      {"\xEF\xBB\xBF{}", ErrorCode::request_invalid_json},
      {"{\"a\":\"\xC3\"}", ErrorCode::request_invalid_utf8},
      {"{\"a\":\"\xED\xA0\x80\"}", ErrorCode::request_invalid_utf8},
      {"{\"a\":" + std::string(64, '[') + std::string(64, ']') + "}", ErrorCode::request_too_deep},
      {"{\"a\":" + std::string(100'000, '['), ErrorCode::request_too_deep},
      {std::string(100'000, '['), ErrorCode::request_too_deep},
      {std::string(100'000, '{'), ErrorCode::request_invalid_json},
      {R"({"n":1025})", ErrorCode::request_param_out_of_range},
      {R"({"n":1e6})", ErrorCode::request_param_out_of_range},
      {R"({"n":1e308})", ErrorCode::request_param_out_of_range},
      {R"({"model":"a","model":"b"})", ErrorCode::request_invalid_json},
      {R"({"model":"a","mod\u0065l":"b"})", ErrorCode::request_invalid_json},
      {R"({"messages":[],"messages":[]})", ErrorCode::request_invalid_json},
      {R"({"stream_options":{"include_usage":true,"include_usage":false}})",
       ErrorCode::request_invalid_json},
  };
  for (const Row& row : rows) {
    INFO(row.body.substr(0, 80));
    CHECK(code_of(row.body) == row.code);
  }
}

TEST_CASE("what no limit needs is let through") {
  for (const std::string body :
       {R"({"max_tokens":-1})", R"({"max_tokens":0})", R"({"max_tokens":2147483648})",
        R"({"max_tokens":1e308})", R"({"max_tokens":"12"})", R"({"max_tokens":null})",
        R"({"n":-1})", R"({"n":"many"})", R"({"n":1024})", R"({"seed":1e999999})",
        R"({"seed":123456789012345678901234567890})", R"({"temperature":1,"temperature":2})",
        R"({"stream":"yes"})", R"({"model":7})"}) {
    INFO(body);
    CHECK(wire::scan_request(body, Operation::chat));
  }
}

TEST_CASE("64 levels pass") {
  const std::string body = "{\"a\":" + std::string(63, '[') + std::string(63, ']') + "}";
  CHECK(wire::scan_request(body, Operation::chat));
}

TEST_CASE("the scan says where the members are that Byway reads or writes") {
  const std::string body =
      R"( {"messages" : [{"role":"user","content":"x"}],"mod\u0065l": "byo:a\/b" ,"stream":true,)"
      R"("stream_options":{"include_usage":true},"tools":[{}],"n":3,"max_tokens":5,)"
      R"("max_completion_tokens":9} )";
  const auto scan = wire::scan_request(body, Operation::chat);
  REQUIRE(scan);
  std::string scratch;
  CHECK(scan->model_text->text(scratch) == "byo:a/b");
  CHECK(scan->model.whole.of(body) == R"("mod\u0065l": "byo:a\/b")");
  CHECK(scan->model.value.of(body) == R"("byo:a\/b")");
  CHECK(scan->messages.value.of(body) == R"([{"role":"user","content":"x"}])");
  CHECK(scan->longest.value.of(body) == scan->messages.value.of(body));
  CHECK(scan->stream_value == true);
  CHECK(scan->asks_usage);
  CHECK(scan->has_tools);
  CHECK(scan->choices == 3);
  CHECK(scan->output.tokens == 9);
  CHECK_FALSE(scan->output.is_odd);
  CHECK(scan->members == 8);
  CHECK(body.substr(scan->members_end) == "} ");
}

TEST_CASE("a bound of output is the largest that is one, and odd values are told") {
  const auto bound = [](std::string_view body) {
    return wire::scan_request(body, Operation::chat).value().output;
  };
  CHECK_FALSE(bound("{}").tokens);
  CHECK_FALSE(bound("{}").is_odd);
  for (const std::string body : {R"({"max_tokens":-1})", R"({"max_tokens":0})",
                                 R"({"max_tokens":1e308})", R"({"max_tokens":"12"})"}) {
    CHECK_FALSE(bound(body).tokens);
    CHECK(bound(body).is_odd);
  }
  CHECK(bound(R"({"max_tokens":-1,"max_completion_tokens":7})").tokens == 7);
  CHECK(bound(R"({"max_tokens":2147483648})").tokens == 2147483648);
  // Another operation's name bounds nothing.
  CHECK_FALSE(bound(R"({"max_output_tokens":7})").tokens);
  CHECK(bound(R"({"max_tokens":7,"n":"5"})").is_odd);
}

TEST_CASE("the number of embeddings asked for is counted") {
  const auto inputs = [](std::string_view input) {
    const std::string body = "{\"input\":" + std::string(input) + "}";
    return wire::scan_request(body, Operation::embeddings).value().inputs;
  };
  CHECK(inputs("\"one\"") == 1);
  CHECK(inputs(R"(["one","two"])") == 2);
  CHECK(inputs("[1,2,3]") == 1);
  CHECK(inputs("[[1],[2],[3]]") == 3);
  CHECK(inputs("null") == 0);
  CHECK(inputs("[]") == 0);
}

TEST_CASE("errors name the place, the parameter and no value") {
  const auto bad = wire::scan_request(R"({"prompt":"secret", x})", Operation::chat);
  CHECK(bad.error().message().find("byte 20") != std::string::npos);
  CHECK(bad.error().message().find("secret") == std::string::npos);
  CHECK(wire::scan_request(R"({"n":1025})", Operation::chat).error().param() == "n");
  CHECK(wire::scan_request(R"({"n":1,"n":1})", Operation::chat).error().param() == "n");
}
