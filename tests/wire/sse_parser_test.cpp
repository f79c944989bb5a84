#include <string>
#include <vector>

#include "catch.hpp"
#include "transcripts.hpp"
#include "wire/sse_parser.hpp"

using namespace byway::wire;

namespace {

struct Parsed {
  std::vector<std::string> events;
  SseFault fault = SseFault::none;
  std::size_t work = 0;
};

/// Each event as "type|data|id", an error's with "!" in front.
Parsed parse(const std::vector<std::string_view>& pieces, SseLimits limits = {}) {
  Parsed parsed;
  SseParser parser(limits);
  const auto take = [&](const SseEvent& event) {
    parsed.events.push_back((event.is_error ? "!" : "") + std::string(event.type) + "|" +
                            std::string(event.data) + "|" + std::string(event.id));
    return true;
  };
  for (const std::string_view piece : pieces) {
    const std::string copy(piece);
    parser.feed(copy, take);
  }
  parser.finish(take);
  parsed.fault = parser.fault();
  parsed.work = parser.work();
  return parsed;
}

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("events are parsed as WHATWG says, at every split") {
  struct Row {
    std::string bytes;
    Events events;
  };
  const Row rows[] = {
      {"data: a\n\n", {"|a|"}},
      {"data:a\n\n", {"|a|"}},
      {"data:  a\n\n", {"| a|"}},
      {"data: a\r\n\r\n", {"|a|"}},
      {"data: a\r\r", {"|a|"}},
      {"data: a\n\r\n", {"|a|"}},
      {"data: a\r\n\n", {"|a|"}},
      {"data: a\ndata: b\n\n", {"|a\nb|"}},
      {"data\ndata\n\n", {"|\n|"}},
      {"data:\ndata: {}\n\n", {"|\n{}|"}},
      {"data:\n\n", {}},
      {"data: \n\n", {}},
      {"data\n\n", {}},
      {": comment\n\n", {}},
      {":\n: x\n\nid: 9\n\n", {}},
      {"event: ping\n\ndata: a\n\n", {"|a|"}},
      {"event: ping\ndata: {}\n\ndata: b\n\n", {"ping|{}|", "|b|"}},
      {"id: 7\ndata: a\n\ndata: b\n\n", {"|a|7", "|b|7"}},
      {std::string("id: 7\0\ndata: a\n\n", 16), {"|a|"}},
      {"retry: 1000\nretry: -1\ndata: a\n\n", {"|a|"}},
      {"foo: bar\nno colon\ndata: a\n\n", {"|a|"}},
      {"Data: a\n\n", {}},
      {"data : a\n\n", {}},
      {"\xEF\xBB\xBF"
       "data: a\n\n",
       {"|a|"}},
      {"\xEF\xBB\xBF\xEF\xBB\xBF"
       "data: a\n\n",
       {}},
      {"\xEF\xBB"
       "data: a\n\n",
       {}},
      {"data: a\xE2\x80\xA8"
       "b\xC2\x85"
       "c\n\n",
       {"|a\xE2\x80\xA8"
        "b\xC2\x85"
        "c|"}},
      {std::string("data: a\0b\n\n", 11), {std::string("|a\0b|", 5)}},
      {"data: a\n\ndata: b", {"|a|", "|b|"}},
      {"data: a\n\ndata: b\n", {"|a|", "|b|"}},
      {"error: {\"code\":1}\n\n", {"!|{\"code\":1}|"}},
      {"\n\n\r\r\n\r\ndata: a\n\n\n\n", {"|a|"}},
      {"", {}},
  };
  for (const Row& row : rows) {
    INFO(row.bytes);
    CHECK(parse({row.bytes}).events == row.events);
    std::vector<std::string_view> single;
    for (std::size_t at = 0; at < row.bytes.size(); ++at) {
      single.push_back(std::string_view(row.bytes).substr(at, 1));
    }
    CHECK(parse(single).events == row.events);
    for (std::size_t cut = 0; cut <= row.bytes.size(); ++cut) {
      const std::string_view bytes = row.bytes;
      CHECK(parse({bytes.substr(0, cut), {}, bytes.substr(cut)}).events == row.events);
    }
  }
}

TEST_CASE("an event that lies whole in one piece is a view of it") {
  const std::string bytes = "data: first\n\ndata: second\n\n";
  SseParser parser;
  parser.feed(bytes);
  const SseEvent* event = parser.next();
  REQUIRE(event != nullptr);
  CHECK(event->data.data() == bytes.data() + 6);
  event = parser.next();
  REQUIRE(event != nullptr);
  CHECK(event->data.data() == bytes.data() + 19);
  CHECK(parser.next() == nullptr);
}

TEST_CASE("a reader may stop in the middle and the rest is dropped") {
  SseParser parser;
  int seen = 0;
  const std::string bytes = "data: a\n\ndata: b\n\n";
  parser.feed(bytes, [&](const SseEvent&) { return ++seen < 1; });
  CHECK(seen == 1);
  CHECK(parser.next() == nullptr);
}

TEST_CASE("lines, events and streams are bounded") {
  SseLimits limits;
  limits.line_max = 100;
  limits.event_max = 250;
  limits.stream_max = 1000;
  const std::string line(93, 'x');
  CHECK(parse({"data: " + line + "\n\n"}, limits).fault == SseFault::none);
  const std::string long_line = "data: x" + line + "xxx\n\n";
  CHECK(parse({long_line}, limits).fault == SseFault::line_too_long);
  std::vector<std::string_view> single;
  for (std::size_t at = 0; at < long_line.size(); ++at) {
    single.push_back(std::string_view(long_line).substr(at, 1));
  }
  CHECK(parse(single, limits).fault == SseFault::line_too_long);
  const std::string comment = ":" + std::string(200, 'x');
  CHECK(parse({comment}, limits).fault == SseFault::line_too_long);
  std::string event;
  for (int index = 0; index < 3; ++index) event += "data: " + line + "\n";
  CHECK(parse({event + "\n"}, limits).fault == SseFault::event_too_large);
  std::string stream;
  for (int index = 0; index < 200; ++index) stream += ": ping\n";
  CHECK(parse({stream}, limits).fault == SseFault::stream_too_large);
}

TEST_CASE("after a limit nothing more is given") {
  SseLimits limits;
  limits.line_max = 10;
  const Parsed parsed = parse({"data: a\n\n", "data: 0123456789\n\n", "data: b\n\n"}, limits);
  CHECK(parsed.events == Events{"|a|"});
}

TEST_CASE("the work is linear in the bytes, however they are cut") {
  std::string bytes;
  for (int index = 0; index < 10'000; ++index) bytes += event(content("x"));
  bytes += "data: " + std::string(900'000, 'a') + "\n\n";
  const std::size_t whole = parse({bytes}).work;
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    pieces.push_back(std::string_view(bytes).substr(at, 7));
  }
  const std::size_t cut = parse(pieces).work;
  CHECK(whole < 4 * bytes.size());
  CHECK(cut < 4 * bytes.size());
}
