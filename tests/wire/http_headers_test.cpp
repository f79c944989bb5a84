#include <array>
#include <string>

#include "catch.hpp"
#include "wire/http_headers.hpp"

using namespace byway;
using wire::check_request_header;
using wire::HeaderVerdict;

TEST_CASE("header names are tokens and values are visible ASCII") {
  struct Row {
    std::string name, value;
  };
  const Row refused[] = {
      {"", "v"},
      {"a b", "v"},
      {"a:", "v"},
      {"a\r\n", "v"},
      {"a\xC3\xA9", "v"},
      {"(a)", "v"},
      {"a", "x\r\ny: z"},
      {"a", "x\n"},
      {"a", "x\ry"},
      {"a", std::string("x\0y", 3)},
      {"a", "caf\xC3\xA9"},
      {"a", "\x7F"},
      {"a", "\x01"},
      {std::string("a\0", 2), "v"},
  };
  for (const Row& row : refused) {
    const auto verdict = check_request_header(row.name, row.value);
    REQUIRE_FALSE(verdict);
    CHECK(verdict.error().code() == ErrorCode::request_header_invalid);
  }
  CHECK(check_request_header("X-Title", "a b\tc ~").value() == HeaderVerdict::send);
  CHECK(check_request_header("x-empty", "").value() == HeaderVerdict::send);
}

TEST_CASE("the message of a refused header never holds its value") {
  const auto verdict = check_request_header("x-secret", "hunter2\n");
  CHECK(verdict.error().message().find("hunter2") == std::string::npos);
  CHECK(verdict.error().message().find("x-secret") != std::string::npos);
  const auto reserved = check_request_header("Authorization", "Bearer hunter2");
  CHECK(reserved.error().message().find("hunter2") == std::string::npos);
}

TEST_CASE("what only Byway may set is refused in any case of letters") {
  for (const std::string name :
       {"Host", "content-length", "Transfer-Encoding", "AUTHORIZATION", "api-key", "X-Api-Key",
        "Connection", "Expect", "TE", "Trailer", "Upgrade", "Proxy-Authorization", "proxy-anything",
        "Content-Type", "Accept", "Accept-Encoding", "Cookie", "Keep-Alive"}) {
    INFO(name);
    const auto verdict = check_request_header(name, "x");
    REQUIRE_FALSE(verdict);
    CHECK(verdict.error().code() == ErrorCode::request_header_reserved);
  }
}

TEST_CASE("x-byway headers are stripped") {
  CHECK(check_request_header("X-Byway-Anything", "x").value() == HeaderVerdict::strip);
  CHECK(wire::is_byway_header("x-byway-request-id"));
  CHECK_FALSE(wire::is_byway_header("x-bywayish"));
}

TEST_CASE("a view reads headers by their lower-case name") {
  const std::array<std::pair<std::string_view, std::string_view>, 3> pairs = {
      {{"a", "1"}, {"b", "2"}, {"a", "3"}}};
  const wire::HeadersView view(pairs);
  CHECK(view.value("a") == "1");
  CHECK(view.value("c").empty());
  struct Head {
    std::string_view value(std::string_view name) const { return name == "x" ? "y" : ""; }
  } head;
  CHECK(wire::HeadersView(head).value("x") == "y");
  CHECK(wire::HeadersView().value("x").empty());
}
