#include "transport/response_head.hpp"

#include <string>

#include "catch.hpp"

using byway::transport::ResponseHead;
using State = ResponseHead::State;

TEST_CASE("names come in lower case, values trimmed, in order") {
  ResponseHead head;
  CHECK(head.feed("HTTP/1.1 200 OK\r\n") == State::more);
  CHECK(head.feed("Content-Type:  text/event-stream \r\n") == State::more);
  CHECK(head.feed("X-A:\r\n") == State::more);
  CHECK(head.feed("\r\n") == State::complete);
  const auto view = head.head();
  CHECK(view.status == 200);
  REQUIRE(view.headers.size() == 2);
  CHECK(view.headers[0].first == "content-type");
  CHECK(view.headers[0].second == "text/event-stream");
  CHECK(view.headers[1].second == "");
}

TEST_CASE("interim answers are forgotten") {
  ResponseHead head;
  head.feed("HTTP/1.1 103 Early Hints\r\n");
  head.feed("Link: </a>\r\n");
  CHECK(head.feed("\r\n") == State::more);
  head.feed("HTTP/1.1 404 Not Found\r\n");
  CHECK(head.feed("\r\n") == State::complete);
  CHECK(head.head().status == 404);
  CHECK(head.head().headers.empty());
}

TEST_CASE("lines after the head are trailers") {
  ResponseHead head;
  head.feed("HTTP/1.1 200 OK\r\n");
  head.feed("\r\n");
  CHECK(head.feed("X-Checksum: 1\r\n") == State::trailer);
}

TEST_CASE("a head is bounded in bytes and in lines, interim answers included") {
  SECTION("bytes") {
    ResponseHead head;
    head.feed("HTTP/1.1 200 OK\r\n");
    CHECK(head.feed("X: " + std::string(std::size_t{65} << 10, 'a')) == State::too_large);
  }
  SECTION("lines") {
    ResponseHead head;
    head.feed("HTTP/1.1 200 OK\r\n");
    State last = State::more;
    for (int i = 0; i < 200 && last == State::more; ++i) last = head.feed("a: b\r\n");
    CHECK(last == State::too_large);
  }
  SECTION("a flood of 1xx") {
    ResponseHead head;
    State last = State::more;
    for (int i = 0; i < 200 && last == State::more; ++i) {
      head.feed("HTTP/1.1 100 Continue\r\n");
      last = head.feed("\r\n");
    }
    CHECK(last == State::too_large);
  }
}

TEST_CASE("a status line that is none is malformed") {
  for (const char* line : {"HTTP/1.1\r\n", "HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 20\r\n"}) {
    ResponseHead head;
    CHECK(head.feed(line) == State::malformed);
  }
}
