// Any header is judged, any wait is read, and no wait is negative.
#include <array>
#include <string>

#include "fuzz_target.hpp"
#include "wire/http_headers.hpp"
#include "wire/model_id.hpp"
#include "wire/operation_url.hpp"
#include "wire/retry_after.hpp"

namespace {

using namespace byway;
using namespace byway::wire;
using byway::fuzz::require;

void check_wait(const std::optional<std::chrono::milliseconds>& wait) {
  require(!wait || wait->count() >= 0);
}

}  // namespace

BYWAY_FUZZ(headers) {
  byway::fuzz::Choices choices(input);
  const auto unit = static_cast<ResetUnit>(choices.next() % 5);
  const WallTime now = WallTime(std::chrono::seconds(1795341600));
  const std::string_view line = choices.rest();
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  const std::string_view value =
      colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  const auto verdict = check_request_header(name, value);
  if (verdict) {
    require(line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  } else {
    // The message is the same whatever the value is, so it holds none of it.
    const auto message = [&](std::string_view other) {
      const auto judged = check_request_header(name, other);
      return judged ? std::string() : judged.error().message();
    };
    const std::string& told = verdict.error().message();
    require(told == message("") || told == message("\n"));
  }
  check_wait(parse_wait(value, now, unit));
  check_wait(wait_in_prose(line));
  const std::array<std::pair<std::string_view, std::string_view>, 2> pairs = {
      {{name, value}, {"x-ratelimit-reset", value}}};
  check_wait(retry_after(HeadersView::Pairs(pairs), now, Dialect()));
  if (const auto id = parse_model_id(line)) {
    require(is_slug(id->slug) && !id->upstream.empty());
    require("byo:" + std::string(id->slug) + "/" + std::string(id->upstream) == line);
  }
  const StrippedUrl stripped = strip_operation(line);
  require(stripped.base_url.size() <= line.size());
  std::string encoded;
  append_percent_encoded(encoded, line);
  require(encoded.find_first_of("/?#& ") == std::string::npos);
}
