// Any bytes, however they are cut, parse to the same events, in linear time.
#include <random>
#include <string>
#include <vector>

#include "fuzz_target.hpp"
#include "wire/sse_parser.hpp"

namespace {

using namespace byway::wire;

struct Parsed {
  std::vector<std::string> events;
  SseFault fault = SseFault::none;
  std::size_t work = 0;
};

Parsed parse(std::string_view bytes, unsigned seed) {
  SseLimits limits;
  limits.line_max = 256;
  limits.event_max = 512;
  SseParser parser(limits);
  Parsed parsed;
  const auto take = [&](const SseEvent& event) {
    byway::fuzz::require(!event.data.empty());
    byway::fuzz::require(event.id.find('\0') == std::string_view::npos);
    parsed.events.push_back(std::string(event.type) + "\x1F" + std::string(event.data) + "\x1F" +
                            std::string(event.id) + (event.is_error ? "!" : ""));
    return true;
  };
  std::mt19937 random(seed);
  while (!bytes.empty()) {
    const std::size_t size = seed == 0 ? bytes.size() : 1 + random() % 9;
    const std::string copy(bytes.substr(0, size));
    bytes.remove_prefix(copy.size());
    parser.feed(copy, take);
  }
  parser.finish(take);
  parsed.fault = parser.fault();
  parsed.work = parser.work();
  return parsed;
}

}  // namespace

BYWAY_FUZZ(sse) {
  byway::fuzz::Choices choices(input);
  const unsigned seed = choices.next() + 1;
  const Parsed whole = parse(choices.rest(), 0);
  const Parsed split = parse(choices.rest(), seed);
  byway::fuzz::require(whole.events == split.events);
  byway::fuzz::require(whole.fault == split.fault);
  byway::fuzz::require(split.work <= 4 * input.size() + 16);
}
