// Calls through Router in this process, over real sockets.
#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <thread>

#include <byway/router.hpp>

#include "cli/call_record.hpp"
#include "wire/player/callers.hpp"

namespace byway::wire_player {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::optional<milliseconds> limit(const CallPlan& plan, std::string_view name) {
  const std::string_view text = plan.value(name);
  if (text.empty()) return {};
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return milliseconds(count);
}

Request request_of(const Run& run, const std::string& model, const std::string& body) {
  const CallPlan& plan = run.call;
  Request request{.operation = operation_of(plan.value("op", "chat")).value_or(Operation::chat),
                  .body = body,
                  .model = model};
  request.timeouts = {.connect = limit(plan, "connect-ms"),
                      .first_byte = limit(plan, "first-byte-ms"),
                      .first_token = limit(plan, "first-token-ms"),
                      .stall = limit(plan, "stall-ms"),
                      .total = limit(plan, "total-ms")};
  const std::string_view attempts = plan.value("attempts", "1");
  std::from_chars(attempts.data(), attempts.data() + attempts.size(), request.attempts);
  request.retry_ambiguous = plan.has("retry-ambiguous");
  return request;
}

/// Gives the first token, and the next one each time one was refused.
auto token_source(const std::vector<std::string>& tokens) {
  const auto next = std::make_shared<std::size_t>(0);
  return [tokens, next](std::string_view, bool is_refused) -> Result<Secret> {
    if (is_refused) *next = std::min(*next + 1, tokens.size() - 1);
    return Secret::copy_of(tokens[*next]);
  };
}

void call_once(Router& router, const Run& run, const Request& request, Called& called) {
  const auto begun = steady_clock::now();
  Reply partial;
  std::optional<Result<Response>> result;
  if (run.call.has("stream")) {
    Stream stream = router.stream(request);
    while (const StreamEvent* event = stream.next()) {
      if (run.call.is_cancelled && event->kind == StreamEventKind::delta) stream.cancel();
    }
    partial = stream.reply();
    result.emplace(stream.result());
  } else {
    result.emplace(router.call(request).get());
  }
  called.time = steady_clock::now() - begun;
  if (*result) called.first_token = (*result)->metadata().first_token;
  called.records.push_back(cli::call_record(request.operation, *result, partial));
}

}  // namespace

Called call_router(const Run& run, Player& player, const std::string& registry_file) {
  Called called;
  RouterOptions options{.registry = registry_file, .require_key = false};
  if (run.call.event_bytes > 0) {
    options.event_bytes_max = static_cast<std::size_t>(run.call.event_bytes);
  }
  if (!run.call.tokens.empty()) options.token = token_source(run.call.tokens);
  auto router = Router::open(std::move(options));
  if (!router) {
    called.problem = router.error().message();
    return called;
  }
  std::string model = "byo:" + run.slug();
  if (run.call.value("op") != "models") model += "/" + run.call.model;
  const std::string body = body_of(run);
  for (int call = 1; call <= run.call.calls; ++call) {
    // A stream is told at its last event; its connection is free at the last byte.
    while (router->health().calls_in_flight > 0) std::this_thread::yield();
    if (call > 1 && run.call.waits_for_close) player.waits_for_idle(std::chrono::seconds(5));
    call_once(*router, run, request_of(run, model, body), called);
  }
  const auto& close_within = run.expected.close_within;
  if (close_within) called.is_closed = player.waits_for_idle(*close_within);
  return called;
}

}  // namespace byway::wire_player
