#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "wire/error_words.hpp"
#include "wire/failure.hpp"

using namespace byway;
using namespace byway::wire;
using namespace std::chrono_literals;

namespace {

using Rows = std::vector<std::pair<std::string_view, std::string_view>>;

UpstreamFailure failure(int status, std::string_view body, const Rows& headers = {},
                        Operation operation = Operation::chat, const Dialect& dialect = {}) {
  const HeadersView::Pairs pairs(headers);
  const WholeAnswer answer{
      .operation = operation, .status = status, .headers = pairs, .body = body, .now = {}};
  return judge_whole(answer, dialect).value();
}

const std::string html =
    "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n<h1>x</h1>"
    "<script>evil()</script></body></html>";

}  // namespace

TEST_CASE("T60: errors over HTTP have the class of their status and words") {
  using Class = UpstreamClass;
  struct Row {
    int status;
    std::string body;
    Class upstream_class;
    std::string detail;
  };
  const Row rows[] = {
      {401,
       R"({"error":{"message":"Incorrect key","type":"invalid_request_error","param":null,)"
       R"("code":"invalid_api_key"}})",
       Class::auth, "Incorrect key"},
      {401, R"({"error":"Unauthorized"})", Class::auth, "Unauthorized"},
      {401, "", Class::auth, ""},
      {403, "<html><head><title>403 Forbidden</title></head></html>", Class::auth, "403 Forbidden"},
      {404,
       R"({"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":null,)"
       R"("code":404}})",
       Class::not_found_model, "The model `x` does not exist."},
      {404,
       R"({"error":{"message":"model \"x\" not found, try pulling it first","type":"api_error",)"
       R"("param":null,"code":null}})",
       Class::not_found_model, "model \"x\" not found, try pulling it first"},
      {404, "404 page not found", Class::not_found_route, "404 page not found"},
      {404, R"({"detail":"Not Found"})", Class::not_found_route, "Not Found"},
      {405, R"({"detail":"Method Not Allowed"})", Class::not_found_route, "Method Not Allowed"},
      {400,
       R"({"error":{"message":"too long","type":"invalid_request_error","param":"messages",)"
       R"("code":"context_length_exceeded"}})",
       Class::context_length, "too long"},
      {400,
       R"({"error":{"code":400,"message":"the request exceeds the available context size",)"
       R"("type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":8}})",
       Class::context_length, "the request exceeds the available context size"},
      {400,
       R"({"object":"error","message":"This model's maximum context length is 4096 tokens.",)"
       R"("type":"BadRequestError","param":null,"code":400})",
       Class::context_length, "This model's maximum context length is 4096 tokens."},
      {422, R"({"error":"Input validation error: bad","error_type":"validation"})",
       Class::invalid_request, "Input validation error: bad"},
      {422,
       R"({"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096",)"
       R"("error_type":"validation"})",
       Class::context_length,
       "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096"},
      {422,
       R"({"detail":[{"loc":["body","messages"],"msg":"field required","type":"value_error"}]})",
       Class::invalid_request, "messages: field required"},
      {413, html, Class::payload_too_large, "413 Request Entity Too Large"},
      {429,
       R"({"error":{"message":"You exceeded your quota","type":"insufficient_quota",)"
       R"("code":"insufficient_quota"}})",
       Class::quota, "You exceeded your quota"},
      {429, R"({"error":{"code":"429","message":"Please retry after 20 seconds."}})",
       Class::rate_limited, "Please retry after 20 seconds."},
      {429,
       R"({"error":{"message":"Request too large for model x on tokens per minute",)"
       R"("code":"rate_limit_exceeded"}})",
       Class::payload_too_large, "Request too large for model x on tokens per minute"},
      {429, R"({"error":{"message":"Model context window rate","code":"rate_limit_exceeded"}})",
       Class::rate_limited, "Model context window rate"},
      {500, "Internal Server Error", Class::upstream_error, "Internal Server Error"},
      {502, "<html><head><title>502 Bad Gateway</title></head></html>", Class::unavailable,
       "502 Bad Gateway"},
      {503, R"({"error":{"message":"Loading model","type":"unavailable_error","code":503}})",
       Class::unavailable_starting, "Loading model"},
      {503, "", Class::overloaded, ""},
      {504, "<html></html>", Class::unavailable, ""},
      {402, R"({"error":{"message":"credits"}})", Class::quota, "credits"},
      {403,
       R"({"error":{"code":403,"message":"flagged","metadata":{"reasons":["x"],)"
       R"("flagged_input":"y"}}})",
       Class::content_filter, "flagged"},
      {400,
       R"({"error":{"message":"filtered","code":"content_filter",)"
       R"("innererror":{"code":"ResponsibleAIPolicyViolation"}}})",
       Class::content_filter, "filtered"},
      {408, "", Class::overloaded, ""},
      {410, R"({"error":{"message":"gone"}})", Class::not_found_model, "gone"},
      {412, "", Class::unavailable_starting, ""},
      {424, R"({"error":"Request failed during generation","error_type":"generation"})",
       Class::overloaded, "Request failed during generation"},
      {501, R"({"error":{"message":"not supported","code":501}})", Class::not_found_route,
       "not supported"},
      {529, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
       Class::overloaded, "Overloaded"},
      {500, R"({"error":{"message":"litellm.ContextWindowExceededError: x","code":"500"}})",
       Class::context_length, "litellm.ContextWindowExceededError: x"},
      {400, R"({"error_code":"BAD_REQUEST","message":"wrong"})", Class::invalid_request, "wrong"},
      {404, R"({"fault":{"faultstring":"no route","detail":{"errorcode":"x"}}})",
       Class::not_found_route, "no route"},
      {429,
       R"([{"error":{"code":429,"message":"Resource exhausted","status":"RESOURCE_EXHAUSTED"}}])",
       Class::rate_limited, "Resource exhausted"},
      {500, R"({"status":"failure","message":"Something went wrong"})", Class::upstream_error,
       "Something went wrong"},
      {409, R"({"error":{"message":"conflict"}})", Class::invalid_request, "conflict"},
      {520, "", Class::unavailable, ""},
      {599, "", Class::upstream_error, ""},
      {400, R"("a text in a text: maximum context length")", Class::context_length,
       "a text in a text: maximum context length"},
  };
  for (const Row& row : rows) {
    INFO(row.status << " " << row.body);
    const UpstreamFailure failed = failure(row.status, row.body);
    CHECK(name_of(failed.upstream_class) == name_of(row.upstream_class));
    CHECK(failed.detail == row.detail);
    CHECK(failed.http_status == row.status);
    CHECK(failed.retryable == is_retryable(row.upstream_class));
  }
}

TEST_CASE("T60: the wait comes from the headers, else from the prose") {
  const std::string azure =
      R"({"error":{"code":"429","message":"Please retry after 20 seconds."}})";
  CHECK(failure(429, azure).retry_after == 20s);
  CHECK(failure(429, azure, {{"retry-after", "3"}}).retry_after == 3s);
  CHECK(failure(503, "", {{"retry-after-ms", "250"}}).retry_after == 250ms);
  CHECK_FALSE(failure(400, "x", {{"retry-after", "3"}}).retry_after);
  CHECK_FALSE(failure(429, "").retry_after);
}

TEST_CASE("T55: an error inside a 200") {
  const UpstreamFailure limited =
      failure(200, R"({"error":{"code":429,"message":"Rate limited upstream",)"
                   R"("metadata":{"provider_name":"X"}}})");
  CHECK(limited.upstream_class == UpstreamClass::rate_limited);
  CHECK(limited.http_status == 429);
  CHECK(limited.retryable);
  const UpstreamFailure route =
      failure(200, R"-({"error":"Unexpected endpoint or method. (POST /v1/rerank)"})-", {},
              Operation::rerank);
  CHECK(route.upstream_class == UpstreamClass::not_found_route);
  const UpstreamFailure cause =
      failure(200, R"({"error":{"code":502,"message":"Provider returned error",)"
                   R"("metadata":{"raw":"upstream died","provider_name":"X"}}})");
  CHECK(cause.detail == "Provider returned error (X: upstream died)");
  const UpstreamFailure in_choice = failure(
      200,
      R"({"choices":[{"finish_reason":"error","error":{"code":503,"message":"no provider"}}]})");
  CHECK(in_choice.upstream_class == UpstreamClass::overloaded);
  CHECK(in_choice.detail == "no provider");
  CHECK(failure(200, R"({"status":"failure","message":"Something went wrong"})").upstream_class ==
        UpstreamClass::upstream_error);
  const UpstreamFailure response =
      failure(200,
              R"({"object":"response","status":"failed","error":{"code":"server_error",)"
              R"("message":"broken"},"output":[]})",
              {}, Operation::responses);
  CHECK(response.detail == "broken");
}

TEST_CASE("T75: 202 is pending, its id kept") {
  const UpstreamFailure pending = failure(202, "", {{"nvcf-reqid", "r1"}});
  CHECK(pending.upstream_class == UpstreamClass::unavailable);
  CHECK(pending.cause == "pending");
  CHECK(pending.code == "r1");
}

TEST_CASE("T77: HTML, nothing, or anything that is no answer is a protocol error") {
  struct Row {
    std::string body;
    std::string type;
    std::string cause;
  };
  const Row rows[] = {
      {"<html>login</html>", "text/html", "html"},
      {"<!DOCTYPE html><p>x", "", "html"},
      {"{}", "text/html; charset=utf-8", "html"},
      {"", "application/json", "empty"},
      {"   \n ", "application/json", "empty"},
      {"{\"choices\":[", "application/json", "not_json"},
      {"hello", "text/plain", "not_json"},
      {"{}", "application/json", "no_key"},
      {R"({"choices":null})", "application/json", "no_key"},
      {R"({"data":[]})", "application/json", "no_key"},
      {"[]", "application/json", "no_key"},
      {"null", "application/json", "no_key"},
      {"{\"choices\":" + std::string(100'000, '['), "application/json", "not_json"},
  };
  for (const Row& row : rows) {
    INFO(row.body.substr(0, 60));
    const UpstreamFailure failed = failure(200, row.body, {{"content-type", row.type}});
    CHECK(failed.upstream_class == UpstreamClass::protocol_error);
    CHECK(failed.cause == row.cause);
    CHECK(failed.detail.size() <= 64);
    CHECK(failed.detail.find('<') == std::string::npos);
    CHECK(failed.detail.find("choices") == std::string::npos);
  }
  CHECK(failure(200, R"({"choices":[{"message":{"content":"a secret)").detail ==
        "43 bytes that begin with {");
  CHECK(failure(200, "\xEF\xBB\xBF {\"choices\":[{\"message\":{\"content\":\"a secret").detail ==
        "43 bytes that begin with {");
  CHECK(failure(200, "no healthy upstream").detail == "no healthy upstream");
  for (const int status : {0, 99, 600}) {
    CHECK(failure(status, "").upstream_class == UpstreamClass::protocol_error);
  }
}

TEST_CASE("I11: a redirect shows the target's origin and no more") {
  const UpstreamFailure failed =
      failure(307, "", {{"location", "https://user:pw@other.example:8443/x?token=secret"}});
  CHECK(failed.upstream_class == UpstreamClass::config_error);
  CHECK(failed.cause == "redirect");
  CHECK(failed.detail.find("other.example:8443") != std::string::npos);
  CHECK(failed.detail.find("secret") == std::string::npos);
  CHECK(failed.detail.find("pw") == std::string::npos);
}

TEST_CASE("I16: an error status with a stream as its body is read as an error") {
  const UpstreamFailure failed =
      failure(400, "data: {\"error\":{\"message\":\"bad\",\"code\":400}}\n\ndata: [DONE]\n\n",
              {{"content-type", "text/event-stream"}});
  CHECK(failed.upstream_class == UpstreamClass::invalid_request);
  CHECK(failed.detail == "bad");
}

TEST_CASE("what a server says is cut, repaired and put on one line") {
  const std::string long_text =
      "a\r\n\t b\x01\x7F"
      "c \xC2\x85"
      "d " +
      std::string(2000, 'x');
  const UpstreamFailure failed = failure(500, long_text);
  CHECK(failed.detail.starts_with("a b c d xxx"));
  CHECK(failed.detail.size() == 512);
  CHECK(failure(500, "a\xFFz").detail == "a\xEF\xBF\xBDz");
  std::string wide = std::string(511, 'a') + "\xC3\xA9";
  CHECK(failure(500, wide).detail == std::string(511, 'a'));
  CHECK(failure(500, html).detail == "413 Request Entity Too Large");
  CHECK(scrubbed("<html><body><style>a{}</style><p>Hi <b>you</b></p></body></html>", 512) ==
        "Hi you");
  CHECK(scrubbed(html + std::string(5000, 'x'), 512).size() <= 64);
}

TEST_CASE("I15: keys are masked wherever they are echoed") {
  const std::string key = "my+upstream/key==0815";
  UpstreamFailure failed =
      failure(401, R"-({"error":{"message":"Incorrect API key provided: my+upstream\/key==0815)-"
                   R"-( (my+upstream/key==0815)","code":"my+upstream/key==0815"}})-");
  mask(failed, key);
  CHECK(failed.detail == "Incorrect API key provided: *** (***)");
  CHECK(failed.code == "***");
  struct Row {
    std::string text, masked;
  };
  const Row rows[] = {
      {"got Bearer abc123def456", "got ***"},
      {"key sk-proj-abcdef123456 is wrong", "key *** is wrong"},
      {"sk-abc***********************xyz", "***"},
      {"Bearer authentication failed", "Bearer authentication failed"},
      {"task-force and risk-averse", "task-force and risk-averse"},
      {"hf_abcdefgh12345678", "***"},
      {"nothing here", "nothing here"},
      {"", ""},
  };
  for (const Row& row : rows) CHECK(masked(row.text, "") == row.masked);
  // A key that the 512 bytes cut through.
  CHECK(masked("the key is my+upstr", key) == "the key is ***");
  CHECK(masked("abc", "abc") == "abc");
}

TEST_CASE("a dialect's rules come first") {
  Dialect dialect;
  dialect.errors.push_back(
      {.status = 503, .text_has = {"busy"}, .upstream_class = UpstreamClass::quota});
  dialect.errors.push_back({.code_in = {"Odd"}, .upstream_class = UpstreamClass::not_found_model});
  CHECK(failure(503, "Very BUSY", {}, Operation::chat, dialect).upstream_class ==
        UpstreamClass::quota);
  CHECK(failure(503, "other", {}, Operation::chat, dialect).upstream_class ==
        UpstreamClass::overloaded);
  CHECK(failure(400, R"({"error":{"code":"Odd","message":"x"}})", {}, Operation::chat, dialect)
            .upstream_class == UpstreamClass::not_found_model);
}

TEST_CASE("an error of null beside an answer is none") {
  const WholeAnswer answer{
      .operation = Operation::chat, .status = 200, .body = R"({"error":null,"choices":[]})"};
  CHECK_FALSE(judge_whole(answer, Dialect()));
}
