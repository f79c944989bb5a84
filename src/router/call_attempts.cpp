// A call's attempts: the endpoint's limits, events on their way, the verdict, and whether to try
// again.
#include <algorithm>
#include <utility>

#include "router/call.hpp"
#include "router/core.hpp"

namespace byway::router {
namespace {

constexpr std::chrono::milliseconds hold_time{200};
constexpr std::chrono::milliseconds retry_first{250};
constexpr std::chrono::milliseconds retry_most{8000};
/// A server's longer wish is told to the caller, not slept through (wire.md I13).
constexpr std::chrono::milliseconds wish_most{60'000};

}  // namespace

void Call::try_once() {
  if (!enter_endpoint()) return;
  stage_ = Stage::trying;
  attempt_end_ = {};
  arm_deadline();
  if (hooked_) hooked_->begin_attempt();
  if (auto started = attempt_.start(plan_, *core_->transport, core_->opened_keys, *core_->clock);
      !started) {
    finish(about_this(started.error()), Reply());
  }
}

/// The endpoint's own limits, taken for each attempt. False when the call waits for them, or has
/// ended.
bool Call::enter_endpoint() {
  const policy::LimitList* list = plan_.entry->limits.get();
  if (list == nullptr) return true;
  if (stage_ == Stage::queued) queued_ += core_->clock->now() - parked_at_;
  const auto hold = hold_of(plan_, *list);
  const auto quota = core_->ledger->quota();
  if (!hold || !quota) {
    finish(about_this(hold ? quota.error() : hold.error()), Reply());
    return false;
  }
  policies_.expect();
  const LimitTurn::Answer answer =
      endpoint_turn_.ask(**quota, *list, *hold, label_of(policies_.facts().request_id),
                         [this] { return policies_.take_held_resume(); });
  if (answer == LimitTurn::Answer::admitted) return true;
  if (answer == LimitTurn::Answer::waits) {
    stage_ = Stage::queued;
    arm_deadline();
    wait_for_resume();
  } else {
    const WallTime now = core_->clock->wall_now();
    finish(about_this(refusal_error(answer, endpoint_turn_.refusal(), now)), Reply());
  }
  return false;
}

void Call::leave_endpoint(const UpstreamEnding& ending) noexcept {
  policy::Quota* quota = core_->ledger->open_quota();
  if (quota == nullptr) return;
  endpoint_turn_.leave(*quota);
  policy::Ticket& ticket = endpoint_turn_.ticket();
  if (ticket) router::settle(ticket, ending, {}, plan_.entry->endpoint.settings);
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
  if (stage_ == Stage::admitting || stage_ == Stage::queued) {
    attempt_end_.failure.emplace();
    attempt_end_.failure->upstream_class = UpstreamClass::timeout;
    attempt_end_.failure->cause = "timeout_total";
    return finish(failure(), Reply());
  }
  if (stage_ != Stage::trying && stage_ != Stage::waiting) return;
  if (!deadline_is_total_ && attempt_.has_content()) return arm_deadline();
  const std::string_view cause = deadline_is_total_ ? "timeout_total" : "timeout_first_token";
  attempts_max_ = deadline_is_total_ ? 0 : attempts_max_;
  if (stage_ == Stage::waiting) return finish(failure(), Reply());
  attempt_.time_out(cause);
}

void Call::on_attempt_event(const StreamEvent& event) {
  if (stage_ == Stage::trying && ending_.load(std::memory_order_relaxed) == Ending::open) {
    hand_over(event);
  }
}

/// Hooks may flush when the last byte was read.
void Call::on_hooked_event(const StreamEvent& event) {
  const bool is_open = stage_ == Stage::trying || stage_ == Stage::deciding;
  if (is_streamed_ && is_open && ending_.load() == Ending::open) hand_over(event);
}

void Call::hand_over(const StreamEvent& event) {
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
  stage_ = Stage::deciding;
  // A try that never reached the wire was a try all the same.
  attempts_ += std::max(1, end.wire_copies);
  overhead_ += attempt_.overhead();
  status_ = attempt_.head().status();
  sent_ = std::max(sent_, end.sent);
  attempt_end_ = std::move(end);
  transport::TimerWheel::disarm(deadline_);
  if (!is_draining) return decide();
  // libcurl is on the stack: completions run after it has returned.
  post(reason_decide);
}

void Call::decide() {
  if (ending_.load() != Ending::open) return abandon();
  const bool is_stopped = hooked_ && hooked_->error();
  if (!is_stopped && attempt_end_.failure && (try_with_fresh_token() || try_again())) return;
  if (hooked_) hooked_->end();
  if (!is_committed_ && is_streamed_) release_held();
  if (hooked_ && hooked_->error()) {
    finish(about_this(*hooked_->error()), take_partial());
  } else if (attempt_end_.failure) {
    finish(failure(), take_partial());
  } else {
    finish(respond(), Reply());
  }
}

bool Call::try_again() {
  const wire::UpstreamFailure& failed = *attempt_end_.failure;
  const bool may_repeat = attempt_end_.sent != Sent::maybe || plan_.may_resend;
  if (attempts_ >= attempts_max_ || is_committed_ || !failed.retryable || !may_repeat) return false;
  if (failed.retry_after.value_or(wish_most) > wish_most) return false;
  return wait_until(loop_->turn_time() + retry_delay());
}

/// Once: a token that is refused twice will not get better.
bool Call::try_with_fresh_token() {
  if (plan_.token == nullptr || plan_.is_token_refused || is_committed_) return false;
  if (attempt_end_.failure->http_status != 401) return false;
  plan_.is_token_refused = true;
  return wait_until(loop_->turn_time());
}

/// False when the deadline comes first.
bool Call::wait_until(TimePoint next) {
  const auto total = timeouts_.total.value();
  if (total.count() > 0 && next >= begun_ + total) return false;
  const UpstreamEnding ending{.sent = attempt_end_.sent, .status = status_};
  has_unknown_attempt_ |= charging_of(ending) == Charging::as_held;
  leave_endpoint(ending);
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

}  // namespace byway::router
