#include "catch.hpp"

#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <byway/error.hpp>

namespace byway {

TEST_CASE("an error says what it was given") {
  ErrorFields fields;
  fields.code = ErrorCode::upstream_error;
  fields.message = "the upstream refused";
  fields.param = "model";
  fields.reason = "unknown";
  fields.upstream_class = UpstreamClass::not_found_model;
  fields.cause = "http_404";
  fields.http_status = 404;
  fields.detail = "no such model";
  fields.endpoint = "byo:one";
  fields.metadata.request_id = "bw-req-1";
  fields.retryable = true;
  fields.retry_after = std::chrono::seconds(3);
  fields.sent = Sent::yes;
  fields.metadata.attempts = 2;
  const Error error(fields);
  CHECK(error.code() == ErrorCode::upstream_error);
  CHECK(error.name() == "upstream_error");
  CHECK(error.message() == "the upstream refused");
  CHECK(error.param() == "model");
  CHECK(error.reason() == "unknown");
  CHECK(error.upstream_class() == UpstreamClass::not_found_model);
  CHECK(error.cause() == "http_404");
  CHECK(error.http_status() == 404);
  CHECK(error.detail() == "no such model");
  CHECK(error.endpoint() == "byo:one");
  CHECK(error.request_id() == "bw-req-1");
  CHECK(error.retryable());
  CHECK(error.retry_after() == std::chrono::seconds(3));
  CHECK(error.sent() == Sent::yes);
  CHECK(error.attempts() == 2);
}

TEST_CASE("what is not said of an error is absent") {
  const Error error(ErrorCode::store_locked, "later");
  CHECK(error.param().empty());
  CHECK(error.upstream_class() == UpstreamClass::none);
  CHECK(error.http_status() == 0);
  CHECK(!error.retryable());
  CHECK(!error.retry_after());
  CHECK(error.sent() == Sent::no);
  CHECK(error.status() == 503);
  CHECK(error.type() == "api_error");
}

TEST_CASE("copies share one record, and a moved-from error still says it") {
  Error first(ErrorCode::store_locked, "later");
  Error second = first;
  CHECK(&first.fields() == &second.fields());
  Error third = std::move(first);
  CHECK(first.message() == "later");  // NOLINT(bugprone-use-after-move): defined on purpose
  first = Error(ErrorCode::internal_error, "other");
  CHECK(second.message() == "later");
  second = third;
  const Error& itself = third;
  third = itself;
  CHECK(third.message() == "later");
}

TEST_CASE("an error is copied and dropped by many threads") {
  const Error error(ErrorCode::store_locked, "later");
  std::vector<std::thread> threads;
  for (int at = 0; at < 4; ++at) {
    threads.emplace_back([error] {
      for (int turn = 0; turn < 1000; ++turn) {
        Error copy = error;
        copy = Error(ErrorCode::internal_error, "other");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(error.message() == "later");
}

TEST_CASE("the JSON of an error is OpenAI's shape, with every string escaped") {
  const Error error(ErrorCode::request_too_large, "a \"body\"\n\x01 of \xFF");
  CHECK(error.json() ==
        "{\"error\":{\"message\":\"a \\\"body\\\"\\n\\u0001 of \xEF\xBF\xBD\","
        "\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"request_too_large\"}}");
  ErrorFields fields;
  fields.code = ErrorCode::invalid_api_key;
  fields.message = "no";
  fields.param = "key";
  CHECK(Error(fields).json() ==
        R"({"error":{"message":"no","type":"invalid_request_error","param":"key",)"
        R"("code":"invalid_api_key"}})");
}

TEST_CASE("the status of an upstream failure goes by its class") {
  const std::vector<std::pair<UpstreamClass, int>> rows = {
      {UpstreamClass::none, 502},
      {UpstreamClass::auth, 424},
      {UpstreamClass::quota, 424},
      {UpstreamClass::rate_limited, 429},
      {UpstreamClass::overloaded, 503},
      {UpstreamClass::unavailable_starting, 503},
      {UpstreamClass::unavailable, 502},
      {UpstreamClass::invalid_request, 400},
      {UpstreamClass::unsupported, 400},
      {UpstreamClass::context_length, 400},
      {UpstreamClass::payload_too_large, 413},
      {UpstreamClass::content_filter, 400},
      {UpstreamClass::not_found_model, 404},
      {UpstreamClass::not_found_route, 424},
      {UpstreamClass::upstream_error, 502},
      {UpstreamClass::stream_truncated, 502},
      {UpstreamClass::stream_error, 502},
      {UpstreamClass::timeout, 504},
      {UpstreamClass::protocol_error, 502},
      {UpstreamClass::config_error, 424},
      {UpstreamClass::cancelled, 502},
  };
  for (const auto& [upstream_class, status] : rows) {
    CAPTURE(name_of(upstream_class));
    ErrorFields fields;
    fields.code = ErrorCode::upstream_error;
    fields.upstream_class = upstream_class;
    CHECK(Error(fields).status() == status);
    fields.code = ErrorCode::rate_limit_exceeded;
    CHECK(Error(fields).status() == 429);
  }
}

TEST_CASE("a number that is no code is an internal error") {
  const auto unknown = static_cast<ErrorCode>(42);
  CHECK(name_of(unknown) == "internal_error");
  CHECK(Error(unknown, "odd").status() == 500);
}

}  // namespace byway
