#include "router/call.hpp"

#include <algorithm>
#include <utility>

#include "base/fork_guard.hpp"
#include "router/core.hpp"
#include "router/plan.hpp"
#include "router/response_state.hpp"

namespace byway::router {
namespace {

constexpr unsigned reason_submit = 1;
constexpr unsigned reason_cancel = 2;
constexpr unsigned reason_resume = 4;
constexpr unsigned reason_decide = 8;

/// How long a transfer may take to end after its last event before its connection is closed.
constexpr std::chrono::milliseconds drain_time{50};
constexpr std::chrono::milliseconds hold_time{200};
constexpr std::chrono::milliseconds retry_first{250};
constexpr std::chrono::milliseconds retry_most{8000};
/// A server's longer wish is told to the caller, not slept through (wire.md I13).
constexpr std::chrono::milliseconds wish_most{60'000};
/// A completion that holds the loop longer than this is counted.
constexpr std::chrono::milliseconds slow_completion{50};

}  // namespace

void Call::submit(Router::Core& core, const Request& request, bool is_streamed, Sink& sink,
                  std::weak_ptr<void> self) {
  sink_ = &sink;
  begun_ = core.clock->now();
  request_id_ = base::make_request_id(core.clock->wall_now());
  is_streamed_ = is_streamed;
  if (core.fork_generation != base::fork_generation()) {
    return refuse(Error(ErrorCode::internal_used_after_fork,
                        "this router was opened before fork(): open one in the child"));
  }
  // Counted before the look at is_closed: close() either waits for this call or it is refused.
  core_ = &core;
  core.calls_in_flight.fetch_add(1);
  if (core.is_closed.load()) {
    return refuse(Error(ErrorCode::internal_closed, "the router is closed"));
  }
  const auto snapshot = core.catalog->snapshots().current();
  Result<Admitted> admitted = admit(core.options, *snapshot, request, is_streamed);
  if (!admitted) return refuse(admitted.error());
  loop_ = core.loop;
  around_ = std::move(self);
  attempts_max_ = std::max(1, request.attempts);
  timeouts_ =
      effective_timeouts(request.timeouts, admitted->entry->timeouts, core.options.timeouts);
  auto planned =
      plan_attempts(plan_, core.options, request, *std::move(admitted), is_streamed, timeouts_);
  if (!planned) return refuse(planned.error());
  overhead_ = core.clock->now() - begun_;
  post(reason_submit);
}

/// A refusal is delivered on the caller's thread: nothing of the call has reached the loop.
void Call::refuse(Error error) {
  ErrorFields fields = error.fields();
  fields.request_id.assign(request_id_.data(), request_id_.size());
  ending_.store(Ending::settled);
  stage_ = Stage::done;
  if (core_ != nullptr) core_->calls_in_flight.fetch_sub(1);
  sink_->on_done(Error(std::move(fields)), Reply());
}

Call::Cancelled Call::cancel(bool deliver) noexcept {
  Ending open = Ending::open;
  const Ending wanted = deliver ? Ending::cancelled : Ending::dropped;
  if (!ending_.compare_exchange_strong(open, wanted)) return Cancelled::too_late;
  post(reason_cancel);
  return Cancelled::now;
}

void Call::resume() noexcept {
  post(reason_resume);
}

void Call::post(unsigned reason) noexcept {
  if (reasons_.fetch_or(reason, std::memory_order_acq_rel) != 0) return;
  // Whoever posts the first reason lends the node its life until run().
  posted_self_ = around_.lock();
  if (loop_->post(static_cast<base::Task&>(*this))) return;
  // The loop has ended: a submitted call was never seen by it, and every other one was ended by it.
  const std::shared_ptr<void> self = std::move(posted_self_);
  if (reason == reason_submit) {
    refuse(Error(ErrorCode::internal_closed, "the router is closed"));
  }
}

void Call::run() noexcept {
  const std::shared_ptr<void> self = std::move(posted_self_);
  const unsigned reasons = reasons_.exchange(0, std::memory_order_acq_rel);
  if ((reasons & reason_submit) != 0) begin();
  if (stage_ == Stage::done) return;
  if ((reasons & reason_cancel) != 0) return abandon();
  if ((reasons & reason_decide) != 0 && stage_ == Stage::deciding) decide();
  if ((reasons & reason_resume) != 0) attempt_.resume();
}

void Call::begin() {
  in_flight_self_ = around_.lock();
  previous_in_flight = &core_->first_call;
  next_in_flight = core_->first_call;
  if (next_in_flight != nullptr) next_in_flight->previous_in_flight = &next_in_flight;
  core_->first_call = this;
  if (core_->is_transport_closed) return abandon();
  if (ending_.load() == Ending::open) try_once();
}

void Call::try_once() {
  stage_ = Stage::trying;
  arm_deadline();
  if (auto started = attempt_.start(plan_, *core_->transport, core_->opened_keys, *core_->clock);
      !started) {
    ErrorFields fields = started.error().fields();
    fields.endpoint = provider();
    fields.sent = sent_;
    fields.attempts = attempts_;
    fields.request_id.assign(request_id_.data(), request_id_.size());
    finish(Error(std::move(fields)), Reply());
  }
}

/// One timer for two limits: the whole call, and the first content event of a stream.
void Call::arm_deadline() {
  const auto total = timeouts_.total.value();
  const auto first = is_streamed_ && stage_ == Stage::trying && !attempt_.has_content()
                         ? timeouts_.first_token.value()
                         : total.zero();
  const TimePoint now = loop_->turn_time();
  std::optional<TimePoint> deadline;
  if (total.count() > 0) deadline = begun_ + total;
  if (first.count() > 0) deadline = std::min(deadline.value_or(TimePoint::max()), now + first);
  deadline_is_total_ = total.count() > 0 && deadline == begun_ + total;
  if (deadline) loop_->timers().arm(deadline_, *deadline);
}

void Call::on_deadline() {
  if (stage_ != Stage::trying && stage_ != Stage::waiting) return;
  if (!deadline_is_total_ && attempt_.has_content()) return arm_deadline();
  const std::string_view cause = deadline_is_total_ ? "timeout_total" : "timeout_first_token";
  attempts_max_ = deadline_is_total_ ? 0 : attempts_max_;
  if (stage_ == Stage::waiting) return finish(failure(), Reply());
  attempt_.time_out(cause);
}

void Call::on_attempt_event(const StreamEvent& event) {
  if (stage_ != Stage::trying || ending_.load(std::memory_order_relaxed) != Ending::open) return;
  if (event.kind == StreamEventKind::delta && first_token_.count() == 0) {
    first_token_ = core_->clock->now() - begun_;
  }
  if (is_committed_) return sink_->on_event(event);
  if (event.kind != StreamEventKind::preamble || held_.is_full()) {
    release_held();
    return sink_->on_event(event);
  }
  if (held_.is_empty()) loop_->timers().arm(hold_, loop_->turn_time() + hold_time);
  held_.hold(event);
}

Flow Call::on_attempt_pieces_end() {
  if (ending_.load(std::memory_order_relaxed) != Ending::open) return Flow::go;
  return sink_->on_events_end();
}

void Call::release_held() {
  is_committed_ = true;
  transport::TimerWheel::disarm(hold_);
  held_.release([this](const StreamEvent& event) { sink_->on_event(event); });
}

void Call::on_hold_over() {
  if (stage_ != Stage::trying || is_committed_) return;
  release_held();
  sink_->on_events_end();
}

void Call::on_attempt_end(AttemptEnd end, bool is_draining) {
  // A try that never reached the wire was a try all the same.
  attempts_ += std::max(1, end.wire_copies);
  overhead_ += attempt_.overhead();
  sent_ = std::max(sent_, end.sent);
  attempt_end_ = std::move(end);
  transport::TimerWheel::disarm(deadline_);
  if (!is_draining) return decide();
  // libcurl is on the stack: completions run after it has returned.
  stage_ = Stage::deciding;
  post(reason_decide);
}

void Call::decide() {
  if (ending_.load() != Ending::open) return abandon();
  if (attempt_end_.failure && try_again()) return;
  if (!is_committed_ && is_streamed_) release_held();
  if (attempt_end_.failure) {
    finish(failure(), take_partial());
  } else {
    finish(respond(), Reply());
  }
}

Reply Call::take_partial() {
  const std::unique_ptr<Reply> reply = attempt_.take_reply();
  return reply ? std::move(*reply) : Reply();
}

bool Call::try_again() {
  const wire::UpstreamFailure& failed = *attempt_end_.failure;
  const bool may_repeat = attempt_end_.sent != Sent::maybe || plan_.may_resend;
  if (attempts_ >= attempts_max_ || is_committed_ || !failed.retryable || !may_repeat) return false;
  if (failed.retry_after.value_or(wish_most) > wish_most) return false;
  const TimePoint next = loop_->turn_time() + retry_delay();
  const auto total = timeouts_.total.value();
  if (total.count() > 0 && next >= begun_ + total) return false;
  attempt_.cancel();
  held_.clear();
  transport::TimerWheel::disarm(hold_);
  stage_ = Stage::waiting;
  arm_deadline();
  loop_->timers().arm(pause_, next);
  return true;
}

/// The server's own wish, else full jitter over a doubling span.
std::chrono::milliseconds Call::retry_delay() {
  if (attempt_end_.failure->retry_after) return *attempt_end_.failure->retry_after;
  const int doublings = std::min(attempts_ - 1, 5);
  const auto span = std::min(retry_first * (1 << std::max(0, doublings)), retry_most);
  const auto random = static_cast<std::int64_t>(base::random_bits() >> 1);
  return std::chrono::milliseconds(random % (span.count() + 1));
}

void Call::on_pause_over() {
  if (stage_ == Stage::waiting) return try_once();
  if (stage_ != Stage::draining) return;
  attempt_.cancel();
  if (!attempt_.is_running()) leave();
}

void Call::on_attempt_drained() {
  if (stage_ == Stage::draining) leave();
}

void Call::abandon() {
  const std::shared_ptr<void> self = in_flight_self_;
  if (stage_ == Stage::done) return;
  const bool was_trying = stage_ == Stage::trying;
  attempt_.cancel();
  if (stage_ == Stage::draining) {
    if (!attempt_.is_running()) leave();
    return;
  }
  ErrorFields fields{.code = ErrorCode::request_cancelled, .message = "the call was cancelled"};
  if (ending_.load() == Ending::open) {
    fields = {.code = ErrorCode::internal_closed,
              .message = "the router was closed during the call"};
  }
  fields.upstream_class = UpstreamClass::cancelled;
  fields.cause = "cancelled";
  fields.endpoint = provider();
  fields.request_id.assign(request_id_.data(), request_id_.size());
  fields.sent = std::max(sent_, attempt_.sent());
  fields.attempts = attempts_ + (was_trying ? std::max(1, attempt_.wire_copies()) : 0);
  finish(Error(std::move(fields)), take_partial());
}

void Call::finish(Result<Response> result, Reply partial) {
  transport::TimerWheel::disarm(deadline_);
  transport::TimerWheel::disarm(pause_);
  transport::TimerWheel::disarm(hold_);
  stage_ = Stage::draining;
  Ending open = Ending::open;
  const bool is_ours = ending_.compare_exchange_strong(open, Ending::settled);
  const bool is_told = !result && result.error().code() == ErrorCode::request_cancelled;
  if (!is_ours && !is_told) {
    // The caller cancelled between the verdict and here, and was told that it came in time.
    result = Error(ErrorCode::request_cancelled, "the call was cancelled");
  }
  if (is_ours || open == Ending::cancelled) {
    const TimePoint before = core_->clock->now();
    sink_->on_done(std::move(result), std::move(partial));
    if (core_->clock->now() - before > slow_completion) {
      core_->slow_completions.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (!attempt_.is_running()) return leave();
  loop_->timers().arm(pause_, loop_->turn_time() + drain_time);
}

void Call::leave() {
  stage_ = Stage::done;
  transport::TimerWheel::disarm(pause_);
  *previous_in_flight = next_in_flight;
  if (next_in_flight != nullptr) next_in_flight->previous_in_flight = previous_in_flight;
  core_->calls_in_flight.fetch_sub(1);
  // The last owner may be this one: nothing follows.
  const std::shared_ptr<void> self = std::move(in_flight_self_);
}

Response Call::respond() {
  auto state = std::make_unique<Response::State>();
  state->operation = plan_.operation;
  if (auto reply = attempt_.take_reply()) {
    state->reply = *std::move(reply);
    state->is_read = true;
  }
  state->body = attempt_.take_body();
  state->metadata = metadata();
  state->head = attempt_.take_head();
  return Response(std::move(state));
}

Metadata Call::metadata() const {
  Metadata metadata;
  metadata.provider = provider();
  metadata.model = plan_.upstream_model;
  metadata.request_id.assign(request_id_.data(), request_id_.size());
  metadata.status = attempt_.head().status();
  metadata.attempts = attempts_;
  metadata.latency = core_->clock->now() - begun_;
  metadata.overhead = overhead_;
  metadata.first_token = first_token_;
  metadata.key_generation = plan_.entry->endpoint.key_generation;
  return metadata;
}

std::string Call::provider() const {
  return "byo:" + plan_.entry->endpoint.settings.slug;
}

Error Call::failure() const {
  const wire::UpstreamFailure& failed = *attempt_end_.failure;
  ErrorFields fields;
  fields.code =
      failed.cause == "net_ssrf_blocked" ? ErrorCode::net_ssrf_blocked : ErrorCode::upstream_error;
  fields.upstream_class = failed.upstream_class;
  fields.cause = failed.cause;
  fields.http_status = failed.http_status;
  fields.detail = failed.detail;
  fields.retryable = failed.retryable;
  fields.retry_after = failed.retry_after;
  fields.sent = sent_;
  fields.attempts = attempts_;
  fields.endpoint = provider();
  fields.request_id.assign(request_id_.data(), request_id_.size());
  fields.message = describe(failed, fields.endpoint, plan_.upstream_model);
  return Error(std::move(fields));
}

}  // namespace byway::router
