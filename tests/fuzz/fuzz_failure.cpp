// Any answer is judged: a failure's words are short, clean and without keys, and any body can be
// read.
#include <array>
#include <string>

#include "fuzz_target.hpp"
#include "wire/body_shape.hpp"
#include "wire/failure.hpp"
#include "wire/json_write.hpp"
#include "wire/whole_reply.hpp"

namespace {

using namespace byway;
using namespace byway::wire;
using byway::fuzz::require;

constexpr std::string_view key = "up-key-0815";

bool is_clean(std::string_view text) {
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F) return false;
  }
  return is_utf8(text);
}

void check(UpstreamFailure failure) {
  require(failure.upstream_class != UpstreamClass::none);
  require(failure.detail.size() <= 512);
  require(is_clean(failure.detail));
  require(is_clean(failure.code));
  require(!failure.retry_after || failure.retry_after->count() >= 0);
  mask(failure, key);
  require(failure.detail.find(key) == std::string::npos);
  require(failure.code.find(key) == std::string::npos);
}

}  // namespace

BYWAY_FUZZ(failure) {
  byway::fuzz::Choices choices(input);
  WholeAnswer answer;
  answer.operation = static_cast<Operation>(choices.next() % 6);
  constexpr std::array statuses = {200, 201, 202, 204, 301, 400, 401, 403, 404, 405, 408, 410,
                                   412, 413, 422, 424, 429, 500, 501, 502, 503, 504, 529, 0};
  answer.status = statuses[choices.next() % statuses.size()];
  answer.inputs = choices.next() % 4;
  answer.body = choices.rest();
  const std::array<std::pair<std::string_view, std::string_view>, 3> headers = {{
      {"retry-after", answer.body.substr(0, 32)},
      {"location", answer.body},
      {"content-type", choices.flag() ? "text/html" : "application/json"},
  }};
  answer.headers = HeadersView::Pairs(headers);
  const Dialect dialect;
  if (auto failure = judge_whole(answer, dialect)) check(*std::move(failure));
  check(failure_of_event(answer.body, 200, dialect));
  body_shape(answer.status, "", answer.body);
  Reply reply;
  read_whole_reply(answer.operation, answer.body, reply);
  for (const Choice& choice : reply.choices) require(is_utf8(choice.text));
}
