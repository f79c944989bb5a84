#include "router/attempt.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "router/reply_events.hpp"
#include "wire/whole_reply.hpp"

namespace byway::router {
namespace {

/// The class of a fault below HTTP (wire.md 3.5). A body that was cut short is never an answer.
UpstreamClass class_of(TransferFault fault) {
  switch (fault) {
    case TransferFault::cut: return UpstreamClass::stream_truncated;
    case TransferFault::connect_timeout:
    case TransferFault::first_byte_timeout:
    case TransferFault::stall_timeout: return UpstreamClass::timeout;
    case TransferFault::protocol:
    case TransferFault::headers_too_large:
    case TransferFault::body_too_large: return UpstreamClass::protocol_error;
    case TransferFault::address_blocked: return UpstreamClass::config_error;
    default: return UpstreamClass::unavailable;
  }
}

/// The key itself in a header line such as "Authorization: Bearer <key>".
std::string_view key_in(std::string_view line) {
  line.remove_prefix(std::min(line.size(), line.find(": ") + 2));
  constexpr std::string_view scheme = "Bearer ";
  if (line.starts_with(scheme)) line.remove_prefix(scheme.size());
  return line;
}

/// Adds the time until its end to a sum.
class Stopwatch {
 public:
  Stopwatch(const Clock& clock, std::chrono::nanoseconds& sum) noexcept
      : clock_(clock), sum_(sum), begun_(clock.now()) {}
  Stopwatch(const Stopwatch&) = delete;
  ~Stopwatch() { sum_ += clock_.now() - begun_; }

 private:
  const Clock& clock_;
  std::chrono::nanoseconds& sum_;
  TimePoint begun_;
};

}  // namespace

Result<void> Attempt::start(const AttemptPlan& plan, Transport& transport, OpenedKeys& keys,
                            const Clock& clock) {
  plan_ = &plan;
  transport_ = &transport;
  clock_ = &clock;
  is_decided_ = has_content_ = has_model_ = is_stopped_ = false;
  shape_ = wire::BodyShape::unknown;
  sent_ = Sent::no;
  wire_copies_ = 0;
  head_.clear();
  body_.clear();
  answer_head_.reset();
  parser_.reset();
  fold_.reset();
  reply_.reset();
  overhead_ = {};
  const Stopwatch watch(clock, overhead_);
  auto opened = plan.token == nullptr ? keys.open(*plan.entry)
                                      : token_line(*plan.token, plan.entry->endpoint.settings.slug,
                                                   plan.is_token_refused);
  if (!opened) return opened.error();
  secret_header_ = *std::move(opened);
  TransferRequest request;
  request.target = plan.target;
  request.method = plan.operation == Operation::models ? Method::get : Method::post;
  request.secret_header = secret_header_.get();
  request.header_lines = plan.header_lines;
  request.body = plan.edited.pieces();
  request.limits = plan.limits;
  request.may_resend = plan.may_resend;
  is_running_ = true;
  transfer_ = transport.start(request, *this);
  return {};
}

void Attempt::resume() {
  if (is_running_) transport_->resume(transfer_);
}

void Attempt::cancel() {
  is_decided_ = true;
  // A transfer that was refused has no id, and its end is on its way here.
  if (!is_running_ || transfer_ == 0) return;
  is_running_ = false;
  // Whether the request was written already only its transfer knew.
  if (sent_ == Sent::no) sent_ = Sent::maybe;
  transport_->cancel(transfer_);
  secret_header_.reset();
}

void Attempt::time_out(std::string_view cause) {
  if (is_decided_) return;
  wire::UpstreamFailure failure;
  failure.upstream_class = UpstreamClass::timeout;
  failure.cause = cause;
  failure.http_status = head_.status();
  failure.retryable = wire::is_retryable(UpstreamClass::timeout);
  cancel();
  is_decided_ = false;
  decide(std::move(failure), false);
}

std::unique_ptr<Reply> Attempt::take_reply() {
  if (fold_) {
    reply_ = std::make_unique<Reply>(fold_->take_reply());
    fold_.reset();
  }
  return std::move(reply_);
}

void Attempt::on_head(const TransferHead& head) {
  sent_ = Sent::yes;
  wire_copies_ = std::max(wire_copies_, 1);
  if (!is_decided_) head_.keep(head);
}

Flow Attempt::on_body(std::string_view bytes) {
  if (is_decided_) {
    // Its end was told, and the server still talks: the connection is of no use to anybody (wire.md
    // I4, T15).
    if (bytes.find_first_not_of("\r\n") != std::string_view::npos) cancel();
    return Flow::go;
  }
  const Stopwatch watch(*clock_, overhead_);
  if (shape_ == wire::BodyShape::events) return read_events(bytes);
  body_.append(bytes);
  if (shape_ == wire::BodyShape::unknown) choose_shape();
  if (shape_ != wire::BodyShape::events) return read_whole();
  const std::string first = std::move(body_);
  body_.clear();
  return read_events(first);
}

void Attempt::choose_shape() {
  shape_ = wire::body_shape(head_.status(), head_.value("content-type"), body_);
  if (shape_ != wire::BodyShape::events) return;
  parser_.emplace(wire::SseLimits{.event_max = plan_->event_bytes_max});
  fold_.emplace(plan_->operation, plan_->entry->dialect);
}

Flow Attempt::read_whole() {
  if (body_.size() <= plan_->reply_bytes_max) return Flow::go;
  wire::UpstreamFailure failure;
  failure.upstream_class = UpstreamClass::protocol_error;
  failure.cause = name_of(TransferFault::body_too_large);
  failure.http_status = head_.status();
  cancel();
  is_decided_ = false;
  decide(std::move(failure), true);
  return Flow::go;
}

Flow Attempt::read_events(std::string_view bytes) {
  parser_->feed(bytes, [this](const wire::SseEvent& event) { return read_event(event); });
  const bool is_over_limit = parser_->fault() != wire::SseFault::none;
  if (is_stopped_) {
    stop();
  } else if (fold_->is_ended()) {
    finish_events(wire::BytesEnd::stopped, true);
  } else if (is_over_limit) {
    finish_events(wire::BytesEnd::over_limit, true);
  } else {
    return owner_.on_attempt_pieces_end();
  }
  return Flow::go;
}

/// Whether the stream goes on.
bool Attempt::read_event(const wire::SseEvent& event) {
  bool is_shown = false;
  const std::span<const wire::FoldStep> steps = fold_->feed(event);
  if (!has_model_ && !fold_->model_served().empty()) {
    has_model_ = true;
    mask_key(fold_->model_served());
  }
  for (const wire::FoldStep& step : steps) {
    if (step.kind == wire::FoldKind::done || step.kind == wire::FoldKind::failed) return false;
    if (step.kind == wire::FoldKind::delta) has_content_ = true;
    // The usage event is not for a caller who did not ask for it.
    if (step.is_usage_only && !plan_->scan.asks_usage) continue;
    is_shown = true;
    if (plan_->is_streamed && !plan_->has_event_hooks) owner_.on_attempt_event(step.event);
  }
  if (is_shown && plan_->has_event_hooks) is_stopped_ = !owner_.on_attempt_bytes(event);
  return !is_stopped_;
}

/// The owner has its reason; what was folded stays to be taken.
void Attempt::stop() {
  cancel();
  is_decided_ = false;
  decide(std::nullopt, true);
}

void Attempt::finish_events(wire::BytesEnd how, bool is_inside) {
  auto failure = fold_->finish(how, head_.status());
  Reply reply = fold_->take_reply();
  fold_.reset();
  if (!plan_->is_streamed) reply.notes.emplace_back("unexpected_stream");
  reply_ = std::make_unique<Reply>(std::move(reply));
  if (how == wire::BytesEnd::over_limit) cancel();
  is_decided_ = false;
  decide(std::move(failure), is_inside);
}

void Attempt::on_end(const TransferEnd& end) {
  is_running_ = false;
  if (is_decided_) {
    secret_header_.reset();
    return owner_.on_attempt_drained();
  }
  sent_ = end.sent;
  wire_copies_ = end.wire_copies;
  std::optional<Stopwatch> watch(std::in_place, *clock_, overhead_);
  if (shape_ == wire::BodyShape::events) {
    parser_->finish([this](const wire::SseEvent& event) { return read_event(event); });
    const bool is_limit =
        end.fault == TransferFault::stall_timeout || end.fault == TransferFault::first_byte_timeout;
    watch.reset();
    if (is_stopped_) return decide(std::nullopt, false);
    if (is_limit) return decide(failure_of(end), false);
    const bool is_clean = end.fault == TransferFault::none;
    return finish_events(is_clean ? wire::BytesEnd::clean : wire::BytesEnd::unclean, false);
  }
  watch.reset();
  if (end.fault != TransferFault::none) return decide(failure_of(end), false);
  finish_whole();
}

void Attempt::finish_whole() {
  const TimePoint begun = clock_->now();
  wire::WholeAnswer answer;
  answer.operation = plan_->operation;
  answer.status = head_.status();
  answer.headers = wire::HeadersView(head_);
  answer.body = body_;
  answer.now = clock_->wall_now();
  answer.inputs = plan_->scan.inputs;
  auto failure = wire::judge_whole(answer, plan_->entry->dialect, &answer_head_.emplace());
  if (failure) answer_head_.reset();
  if (answer_head_) mask_key(answer_head_->model_served);
  if (!failure && plan_->has_event_hooks) is_stopped_ = !owner_.on_attempt_whole(body_);
  if (!failure && !is_stopped_ && plan_->is_streamed) deliver_as_event();
  overhead_ += clock_->now() - begun;
  decide(std::move(failure), false);
}

/// The model's name goes into the log: a server that puts the key there is not followed.
void Attempt::mask_key(std::string& text) const {
  if (!secret_header_ || text.empty()) return;
  const std::string_view key = key_in(secret_header_->expose_secret());
  if (!key.empty() && text.find(key) != std::string::npos) text = wire::masked(text, key);
}

/// A server that answers a stream with one JSON text (T48): the text comes as one delta.
void Attempt::deliver_as_event() {
  Reply reply;
  wire::read_whole_reply(plan_->operation, body_, reply);
  reply.notes.emplace_back("stream_not_honoured");
  tell_as_events(reply, body_, [&](const StreamEvent& event) {
    has_content_ = true;
    ++reply.deltas;
    owner_.on_attempt_event(event);
  });
  owner_.on_attempt_pieces_end();
  reply_ = std::make_unique<Reply>(std::move(reply));
}

wire::UpstreamFailure Attempt::failure_of(const TransferEnd& end) const {
  wire::UpstreamFailure failure;
  failure.upstream_class = class_of(end.fault);
  failure.cause = name_of(end.fault);
  failure.http_status = head_.status();
  failure.detail = end.detail;
  failure.retryable = wire::is_retryable(failure.upstream_class);
  return failure;
}

void Attempt::decide(std::optional<wire::UpstreamFailure> failure, bool is_inside) {
  is_decided_ = true;
  if (failure && secret_header_) wire::mask(*failure, key_in(secret_header_->expose_secret()));
  if (failure && !secret_header_) wire::mask(*failure, {});
  if (!is_running_) secret_header_.reset();
  // The owner may end this attempt and itself: nothing of it is touched afterwards.
  owner_.on_attempt_end(AttemptEnd{std::move(failure), sent_, wire_copies_}, is_inside);
}

}  // namespace byway::router
