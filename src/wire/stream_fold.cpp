#include "wire/stream_fold.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "wire/ascii.hpp"
#include "wire/chunk.hpp"
#include "wire/error_words.hpp"
#include "wire/json_write.hpp"
#include "wire/reply_fold.hpp"
#include "wire/response_event.hpp"
#include "wire/whole_reply.hpp"

namespace byway::wire {
namespace {

bool is_done_word(std::string_view data) noexcept {
  return data.size() == 6 && equals_lower(data, "[done]");
}

/// SGLang's "abort" and OpenRouter's "error" end a stream that failed.
bool is_failed_finish(const JsonString& finish) noexcept {
  return finish == "error" || finish == "abort";
}

bool is_json_object(std::string_view text) {
  JsonCursor cursor(text);
  if (cursor.peek() != JsonKind::object) return false;
  cursor.skip();
  return cursor.finish();
}

template <class F>
void for_each_line(std::string_view text, F visit) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!trimmed(line).empty()) visit(trimmed(line));
  }
}

UpstreamFailure truncated(std::string_view cause, std::string_view detail, bool has_content) {
  UpstreamFailure failure;
  failure.upstream_class = UpstreamClass::stream_truncated;
  failure.cause = cause;
  failure.detail = detail;
  // Nothing was handed over, so the same request may go out again.
  failure.retryable = !has_content;
  return failure;
}

}  // namespace

struct StreamFold::State {
  Operation operation;
  const Dialect* dialect;
  ReplyFold fold = {};
  Chunk chunk = {};
  std::vector<FoldStep> steps = {};
  /// Where the tool pieces of each step lie; spans are made when no more come.
  std::vector<std::pair<std::size_t, std::size_t>> pieces = {};
  std::string repaired = {};
  std::optional<UpstreamFailure> failure = {};
  std::int64_t deltas = 0;
  bool is_done = false;

  bool is_ended() const noexcept { return is_done || failure.has_value(); }
  bool has_content() const noexcept { return deltas > 0; }

  void take(const SseEvent& event);
  void take_text(std::string_view text, const SseEvent& event);
  bool take_lines(std::string_view text, const SseEvent& event);
  bool take_json(std::string_view text, const SseEvent& event);
  bool take_chunk(std::string_view text, std::string_view data);
  bool take_response(std::string_view text, const SseEvent& event);
  void take_response_end(const ResponseEvent& response, std::string_view data);
  void push(const Added& added, FoldKind kind, std::string_view data, bool is_usage_only = false);
  void push_empty(FoldKind kind, std::string_view data, bool is_usage_only = false);
  void finish_steps();
  void end_done();
  void fail(std::string_view error);
  void fail_finish(const JsonString& finish);
  std::optional<UpstreamFailure> verdict(BytesEnd how);
};

void StreamFold::State::take(const SseEvent& event) {
  const std::string_view data = trimmed(event.data);
  fold.begin(data.size());
  if (event.is_error || event.type == "error") return fail(data);
  if (is_done_word(data)) return end_done();
  if (is_utf8(data)) return take_text(data, event);
  repaired.clear();
  append_repaired(repaired, data);
  fold.note("invalid_utf8");
  fold.begin(repaired.size());
  take_text(repaired, event);
}

void StreamFold::State::take_text(std::string_view text, const SseEvent& event) {
  if (take_json(text, event)) return;
  // Google's gateways wrap an error in an array (S8).
  if (text.starts_with('[') && read_error(text).is_outright) return fail(text);
  // A comment that a relay wrapped as data, HTML, a cut last event: nothing to fold.
  if (!take_lines(text, event)) fold.note("junk_event");
}

/// I8: relays that separate complete JSON texts with one line end (SambaNova behind one gateway).
bool StreamFold::State::take_lines(std::string_view text, const SseEvent& event) {
  int lines = 0;
  bool are_events = true;
  for_each_line(text, [&](std::string_view line) {
    ++lines;
    are_events = are_events && (is_done_word(line) || is_json_object(line));
  });
  if (lines < 2 || !are_events) return false;
  fold.note("line_framed");
  for_each_line(text, [&](std::string_view line) {
    if (is_ended()) return;
    if (is_done_word(line)) return end_done();
    SseEvent part = event;
    part.data = line;
    take_json(line, part);
  });
  return true;
}

bool StreamFold::State::take_json(std::string_view text, const SseEvent& event) {
  return operation == Operation::responses ? take_response(text, event)
                                           : take_chunk(text, event.data);
}

bool StreamFold::State::take_chunk(std::string_view text, std::string_view data) {
  if (!read_chunk(text, chunk)) return false;
  if (chunk.is_error) return fail(text), true;
  for (const ChoiceDelta& delta : chunk.choices) {
    if (!delta.error.empty()) return fail(delta.error), true;
    if (is_failed_finish(delta.finish)) return fail_finish(delta.finish), true;
  }
  if (!chunk.has_meaning()) return true;
  fold.take_head(chunk);
  if (chunk.choices.empty()) {
    push_empty(chunk.has_usage ? FoldKind::other : FoldKind::preamble, data, chunk.has_usage);
  }
  for (const ChoiceDelta& delta : chunk.choices) {
    const Added added = fold.take_choice(delta, chunk);
    const bool is_last = !delta.finish.raw.empty() || chunk.has_usage;
    const FoldKind kind = added.has_content() ? FoldKind::delta
                          : is_last           ? FoldKind::other
                                              : FoldKind::preamble;
    push(added, kind, data);
    data = {};
  }
  return true;
}

bool StreamFold::State::take_response(std::string_view text, const SseEvent& event) {
  ResponseEvent response;
  if (!read_response_event(text, event.type, response)) return false;
  if (response.is_error) return fail(text), true;
  Added added;
  switch (response.kind) {
    case ResponseEventKind::refusal: fold.note("refusal"); [[fallthrough]];
    case ResponseEventKind::text: added.text = fold.take_text(response.delta); break;
    case ResponseEventKind::reasoning: added.reasoning = fold.take_reasoning(response.delta); break;
    case ResponseEventKind::tool_begin:
    case ResponseEventKind::tool_arguments:
    case ResponseEventKind::tool_end:
      added.pieces_begin = fold.pieces().size();
      // Arguments that came piece by piece come whole at the end once more.
      if (response.kind != ResponseEventKind::tool_end ||
          !fold.has_arguments(0, response.tool.index)) {
        fold.take_tool(0, response.tool);
      }
      added.pieces_end = fold.pieces().size();
      break;
    case ResponseEventKind::head: {
      const ResponseHead head = read_response_head(response.response);
      fold.take_id(head.id);
      fold.take_model(head.model);
      break;
    }
    case ResponseEventKind::completed: take_response_end(response, event.data); return true;
    case ResponseEventKind::failed: {
      const ResponseHead head = read_response_head(response.response);
      fail(head.error.empty() ? text : head.error);
      return true;
    }
    case ResponseEventKind::other: break;
  }
  const FoldKind quiet = has_content() ? FoldKind::other : FoldKind::preamble;
  push(added, added.has_content() ? FoldKind::delta : quiet, event.data);
  return true;
}

void StreamFold::State::take_response_end(const ResponseEvent& response, std::string_view data) {
  const ResponseHead head = read_response_head(response.response);
  if (!head.error.empty()) return fail(head.error);
  fold.take_id(head.id);
  fold.take_model(head.model);
  if (head.has_usage) fold.take_usage(head.usage);
  if (!has_content()) {
    Reply whole;
    read_whole_reply(Operation::responses, response.response, whole);
    if (!whole.choices.empty()) fold.choice(0) = std::move(whole.choices.front());
  }
  std::string finish;
  finish_of(head).append_to(finish);
  fold.finish_choice(0, finish);
  push_empty(FoldKind::other, data);
  end_done();
}

void StreamFold::State::push(const Added& added, FoldKind kind, std::string_view data,
                             bool is_usage_only) {
  FoldStep& step = steps.emplace_back();
  step.kind = kind;
  step.is_usage_only = is_usage_only;
  step.event.kind = kind == FoldKind::delta      ? StreamEventKind::delta
                    : kind == FoldKind::preamble ? StreamEventKind::preamble
                                                 : StreamEventKind::other;
  step.event.choice = added.choice;
  step.event.text = added.text;
  step.event.reasoning = added.reasoning;
  step.event.data = data;
  pieces.emplace_back(added.pieces_begin, added.pieces_end);
  if (kind == FoldKind::delta) ++deltas;
}

void StreamFold::State::push_empty(FoldKind kind, std::string_view data, bool is_usage_only) {
  push(Added(), kind, data, is_usage_only);
}

void StreamFold::State::finish_steps() {
  const std::span<const ToolPiece> all = fold.pieces();
  for (std::size_t index = 0; index < steps.size(); ++index) {
    const auto [begin, end] = pieces[index];
    if (begin != end) steps[index].event.tools = all.subspan(begin, end - begin);
  }
}

void StreamFold::State::end_done() {
  is_done = true;
  push_empty(FoldKind::done, {});
}

void StreamFold::State::fail(std::string_view error) {
  failure = failure_of_event(error, 0, *dialect);
  push_empty(FoldKind::failed, {});
}

void StreamFold::State::fail_finish(const JsonString& finish) {
  failure.emplace();
  failure->upstream_class = UpstreamClass::upstream_error;
  failure->retryable = is_retryable(failure->upstream_class);
  failure->cause = finish == "abort" ? "aborted" : "finish_error";
  failure->code = finish.raw;
  failure->detail = "the server ended the stream with finish_reason \"" + failure->code + "\"";
  push_empty(FoldKind::failed, {});
}

/// I1, in its order.
std::optional<UpstreamFailure> StreamFold::State::verdict(BytesEnd how) {
  if (failure) {
    if (has_content()) {
      if (failure->cause.empty()) failure->cause = name_of(failure->upstream_class);
      failure->upstream_class = UpstreamClass::stream_error;
      failure->retryable = false;
    }
    return std::exchange(failure, std::nullopt);
  }
  if (how == BytesEnd::over_limit) {
    UpstreamFailure limit;
    limit.upstream_class = UpstreamClass::protocol_error;
    limit.cause = "limit";
    limit.detail = "a line, an event or the stream is longer than Byway takes";
    return limit;
  }
  if (operation == Operation::responses) {
    if (is_done && fold.are_choices_finished()) return std::nullopt;
  } else if (fold.are_choices_finished()) {
    if (is_done) return std::nullopt;
    if (dialect->stream.needs_done) {
      return truncated("no_done", "the stream ended without [DONE]", has_content());
    }
    fold.note("no_done");
    if (how == BytesEnd::unclean) fold.note("unclean_end");
    return std::nullopt;
  }
  if (is_done && !dialect->stream.needs_finish && fold.has_choices()) return std::nullopt;
  if (is_done) {
    return truncated("done_without_finish", "[DONE] came before a finish_reason", has_content());
  }
  return truncated(how == BytesEnd::unclean ? "net_cut" : "no_finish",
                   "the stream ended before its finish_reason", has_content());
}

StreamFold::StreamFold(Operation operation, const Dialect& dialect)
    : state_(new State{operation, &dialect}) {}
StreamFold::StreamFold(StreamFold&&) noexcept = default;
StreamFold& StreamFold::operator=(StreamFold&&) noexcept = default;
StreamFold::~StreamFold() = default;

std::span<const FoldStep> StreamFold::feed(const SseEvent& event) {
  state_->steps.clear();
  state_->pieces.clear();
  if (state_->is_ended()) return {};
  state_->take(event);
  state_->finish_steps();
  return state_->steps;
}

std::optional<UpstreamFailure> StreamFold::finish(BytesEnd how, int http_status) {
  auto failure = state_->verdict(how);
  if (failure && failure->http_status == 0) failure->http_status = http_status;
  return failure;
}

Reply StreamFold::take_reply() {
  Reply reply = state_->fold.take();
  reply.deltas = state_->deltas;
  return reply;
}

std::string& StreamFold::model_served() noexcept {
  return state_->fold.model_served();
}

bool StreamFold::has_content() const noexcept {
  return state_->has_content();
}

bool StreamFold::is_ended() const noexcept {
  return state_->is_ended();
}

}  // namespace byway::wire
