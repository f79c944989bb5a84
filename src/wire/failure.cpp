#include "wire/failure.hpp"

#include <string>
#include <utility>

#include "wire/answer_check.hpp"
#include "wire/ascii.hpp"
#include "wire/classify.hpp"
#include "wire/error_words.hpp"
#include "wire/json_cursor.hpp"
#include "wire/json_write.hpp"
#include "wire/reply_words.hpp"
#include "wire/retry_after.hpp"

namespace byway::wire {
namespace {

constexpr std::size_t detail_max = 512;
constexpr std::size_t origin_max = 256;
constexpr std::size_t snippet_max = 64;
constexpr std::size_t code_max = 64;

bool may_tell_wait(UpstreamClass upstream_class) noexcept {
  switch (upstream_class) {
    case UpstreamClass::quota:
    case UpstreamClass::rate_limited:
    case UpstreamClass::overloaded:
    case UpstreamClass::unavailable:
    case UpstreamClass::unavailable_starting: return true;
    default: return false;
  }
}

UpstreamFailure make(UpstreamClass upstream_class, std::string_view cause, int status) {
  UpstreamFailure failure;
  failure.upstream_class = upstream_class;
  failure.cause = cause;
  failure.http_status = status;
  failure.retryable = is_retryable(upstream_class);
  return failure;
}

UpstreamFailure failure_of_words(const ErrorWords& words, int status, int counted_status,
                                 const Dialect& dialect) {
  UpstreamFailure failure = make(classify(counted_status, words, dialect), "", status);
  failure.code = scrubbed(words.code.empty() ? words.type : words.code, code_max);
  failure.detail = scrubbed(words.message, detail_max);
  if (may_tell_wait(failure.upstream_class)) failure.retry_after = wait_in_prose(failure.detail);
  return failure;
}

/// "https://host:port" of a redirect's target: its path and query may hold secrets.
std::string origin_of(std::string_view location) {
  const std::size_t scheme = location.find("://");
  if (scheme == std::string_view::npos) return "a path on the same host";
  const std::size_t end = location.find_first_of("/?#", scheme + 3);
  std::string_view origin = location.substr(0, end);
  const std::size_t user = origin.rfind('@');
  if (user != std::string_view::npos) origin.remove_prefix(user + 1);
  return scrubbed(origin, origin_max);
}

UpstreamFailure redirect(const WholeAnswer& answer) {
  UpstreamFailure failure = make(UpstreamClass::config_error, "redirect", answer.status);
  failure.detail =
      "redirects to " + origin_of(answer.headers.value("location")) + "; Byway never follows";
  return failure;
}

/// A page or a line of text is quoted, since it says who answered. What has a reply's shape may be
/// a model's words, and errors are logged: of that only its size and beginning are told.
std::string hint_of(std::string_view body) {
  body = trimmed(body);
  if (body.starts_with("\xEF\xBB\xBF")) body = trimmed(body.substr(3));
  for (const std::string_view shape : {"{", "[", "\"", "data:"}) {
    if (!body.starts_with(shape)) continue;
    return std::to_string(body.size()) + " bytes that begin with " + std::string(shape);
  }
  return scrubbed(body, snippet_max);
}

UpstreamFailure protocol_error(const WholeAnswer& answer, std::string_view cause) {
  UpstreamFailure failure = make(UpstreamClass::protocol_error, cause, answer.status);
  failure.detail = hint_of(answer.body);
  return failure;
}

UpstreamFailure http_error(const WholeAnswer& answer, const Dialect& dialect) {
  const ErrorWords words = read_error(answer.body);
  UpstreamFailure failure = failure_of_words(words, answer.status, answer.status, dialect);
  if (!may_tell_wait(failure.upstream_class)) return failure;
  const auto wait = retry_after(answer.headers, answer.now, dialect);
  if (wait) failure.retry_after = wait;
  return failure;
}

/// A 2xx that says that it failed: its own code counts, when it has one that means something.
UpstreamFailure told_error(const WholeAnswer& answer, std::string_view text,
                           const Dialect& dialect) {
  const ErrorWords words = read_error(text);
  const int status = words.status != 0 ? words.status : answer.status;
  return failure_of_words(words, status, status, dialect);
}

void read_head(const AnswerCheck& check, AnswerHead& head) {
  JsonCursor model(check.model);
  if (const auto name = model.string_or_skip()) name->append_to(head.model_served);
  if (std::string repaired; !is_utf8(head.model_served)) {
    append_repaired(repaired, head.model_served);
    head.model_served = std::move(repaired);
  }
  JsonCursor usage(check.usage);
  const UsageReading reading = read_usage(usage);
  head.has_usage = reading.is_counted;
  if (head.has_usage) head.usage = reading.usage;
}

}  // namespace

bool is_retryable(UpstreamClass upstream_class) noexcept {
  switch (upstream_class) {
    case UpstreamClass::rate_limited:
    case UpstreamClass::overloaded:
    case UpstreamClass::unavailable_starting:
    case UpstreamClass::unavailable:
    case UpstreamClass::upstream_error: return true;
    default: return false;
  }
}

std::optional<UpstreamFailure> judge_whole(const WholeAnswer& answer, const Dialect& dialect,
                                           AnswerHead* head) {
  const int status = answer.status;
  if (status < 200 || status > 599) return protocol_error(answer, "status");
  if (status >= 400) return http_error(answer, dialect);
  if (status >= 300) return redirect(answer);
  if (status == 202) {
    // NVIDIA's hosted NIM queues: the answer would have to be polled for.
    UpstreamFailure failure = make(UpstreamClass::unavailable, "pending", status);
    failure.code = scrubbed(answer.headers.value("nvcf-reqid"), code_max);
    return failure;
  }
  const std::string_view body = trimmed(answer.body);
  if (body.empty()) return protocol_error(answer, "empty");
  if (begins_with_lower(answer.headers.value("content-type"), "text/html") || body.front() == '<') {
    return protocol_error(answer, "html");
  }
  const AnswerCheck check = check_answer(answer.operation, body, answer.inputs);
  switch (check.fault) {
    case AnswerFault::none:
      if (head != nullptr) read_head(check, *head);
      return std::nullopt;
    case AnswerFault::error: return told_error(answer, check.error, dialect);
    case AnswerFault::bad_rows: return protocol_error(answer, "embedding_rows");
    case AnswerFault::no_key:
      if (read_error(body).is_error) return told_error(answer, body, dialect);
      return protocol_error(answer, "no_key");
    case AnswerFault::not_json: break;
  }
  return protocol_error(answer, "not_json");
}

UpstreamFailure failure_of_event(std::string_view data, int status, const Dialect& dialect) {
  const ErrorWords words = read_error(data);
  const int told = words.status != 0 ? words.status : status;
  return failure_of_words(words, told, words.status, dialect);
}

}  // namespace byway::wire
