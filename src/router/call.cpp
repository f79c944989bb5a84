#include "router/call.hpp"

#include <algorithm>
#include <utility>

#include "base/fork_guard.hpp"
#include "router/core.hpp"
#include "router/plan.hpp"

namespace byway::router {
namespace {

/// How long a transfer may take to end after its last event before its connection is closed.
constexpr std::chrono::milliseconds drain_time{50};
/// A completion that holds the loop longer than this is counted.
constexpr std::chrono::milliseconds slow_completion{50};

}  // namespace

void Call::submit(Router::Core& core, const Request& request, bool is_streamed, Sink& sink,
                  Place place) {
  sink_ = &sink;
  begun_ = core.clock->now();
  request_id_ = base::make_request_id(core.clock->wall_now());
  is_streamed_ = is_streamed;
  if (core.fork_generation != base::fork_generation()) {
    return conclude(Error(ErrorCode::internal_used_after_fork,
                          "this router was opened before fork(): open one in the child"));
  }
  // Counted before the look at is_closed: close() either waits for this call or it is refused.
  core_ = &core;
  core.calls_in_flight.fetch_add(1);
  if (core.is_closed.load()) {
    return conclude(Error(ErrorCode::internal_closed, "the router is closed"));
  }
  loop_ = core.loop;
  place_ = std::move(place);
  policies_.begin(core.chain, place_.states);
  Result<void> prepared = prepare(request);
  if (!prepared) {
    overhead_ = core.clock->now() - begun_;
    return conclude(prepared.error());
  }
  admit_here();
}

/// Steps 1 to 8 of the order of enforcement, and what all attempts share.
Result<void> Call::prepare(const Request& request) {
  CallFacts& facts = policies_.edit_facts();
  facts.request_id = std::string_view(request_id_.data(), request_id_.size());
  facts.operation = request.operation;
  facts.is_streamed = is_streamed_;
  facts.purpose = request.purpose;
  Admitted admitted;
  const auto snapshot = core_->catalog->snapshots().current();
  const AdmissionOptions seeded{.request_id = facts.request_id};
  Result<void> good = admit(admitted, core_->options, *snapshot, request, is_streamed_, seeded);
  limits_ = std::move(admitted.limits);
  policies_.limit_by(limits_.get(), plan_);
  // A refusal too is counted to the key and the org that it was found to be of.
  key_ = std::move(admitted.key);
  alias_ = std::move(admitted.alias);
  is_fallback_ = admitted.is_fallback;
  org_ = std::move(admitted.org);
  facts.org = org_;
  if (key_) facts.key_id = key_->key.id;
  if (key_) facts.mode = key_->key.mode;
  if (alias_) facts.alias = alias_->name;
  if (!good) {
    model_asked_ = std::move(admitted.model_id);
    facts.model = model_asked_;
    return good;
  }
  attempts_max_ = std::max(1, request.attempts);
  timeouts_ =
      effective_timeouts(request.timeouts, admitted.entry->timeouts, core_->options.timeouts);
  Result<void> planned =
      plan_attempts(plan_, core_->options, request, std::move(admitted), is_streamed_, timeouts_);
  facts.provider = plan_.entry->provider;
  facts.endpoint_id = plan_.entry->endpoint.id;
  facts.model = plan_.model_id;
  facts.upstream_model = plan_.upstream_model;
  policies_.set_body(plan_.body);
  if (policies_.has_events()) {
    plan_.has_event_hooks = true;
    hooked_ =
        std::make_unique<HookedEvents>(policies_, plan_, static_cast<HookedEventsOwner&>(*this));
  }
  return planned;
}

/// The rest of the order, on the caller's thread up to the first policy that waits.
void Call::admit_here() {
  Verdict verdict = policies_.admit();
  overhead_ = core_->clock->now() - begun_;
  if (Error* refusal = std::get_if<Error>(&verdict)) return conclude(std::move(*refusal));
  if (Response* answer = std::get_if<Response>(&verdict)) return conclude(std::move(*answer));
  if (std::holds_alternative<Proceed>(verdict)) return post(reason_submit);
  stage_ = Stage::admitting;
  parked_at_ = core_->clock->now();
  const std::shared_ptr<void> self = hold();
  post(reason_submit);
  // From here on the loop may run the call.
  if (!policies_.park()) post(reason_admit);
}

/// A result that is known before anything of the call has reached the loop is delivered on the
/// caller's thread.
void Call::conclude(Result<Response> result) {
  if (result) complete(*result);
  if (!result) result = about_this(result.error());
  ending_.store(Ending::settled);
  stage_ = Stage::done;
  if (policies_.has_begun()) settle(result, Reply());
  complete_metadata(result, Reply());
  if (core_ != nullptr) core_->calls_in_flight.fetch_sub(1);
  if (result && is_streamed_) tell_reply(*result);
  sink_->on_done(std::move(result), Reply());
}

void Call::on_resumed() noexcept {
  post(reason_admit);
}

Result<std::string_view> Call::on_new_body(std::string body) {
  Result<void> replaced = replace_body(plan_, std::move(body));
  if (!replaced) return replaced.error();
  return std::string_view(plan_.body);
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
  posted_self_ = hold();
  if (loop_->post(static_cast<base::Task&>(*this))) return;
  // The loop has ended: a submitted call was never seen by it, and every other one was ended by it.
  const std::shared_ptr<void> self = std::move(posted_self_);
  if (reason == reason_submit) {
    conclude(Error(ErrorCode::internal_closed, "the router is closed"));
  }
}

void Call::run() noexcept {
  const std::shared_ptr<void> self = std::move(posted_self_);
  const unsigned reasons = reasons_.exchange(0, std::memory_order_acq_rel);
  if ((reasons & reason_submit) != 0) begin();
  if (stage_ == Stage::done) return;
  if (stage_ == Stage::recording) {
    // The result stands; only its record is waited for.
    if ((reasons & reason_admit) != 0) on_recorded();
    return;
  }
  if ((reasons & reason_cancel) != 0) return abandon();
  if ((reasons & reason_admit) != 0) go_on();
  if ((reasons & reason_decide) != 0 && stage_ == Stage::deciding) decide();
  if ((reasons & reason_resume) != 0) attempt_.resume();
}

void Call::begin() {
  in_flight_self_ = hold();
  previous_in_flight = &core_->first_call;
  next_in_flight = core_->first_call;
  if (next_in_flight != nullptr) next_in_flight->previous_in_flight = &next_in_flight;
  core_->first_call = this;
  if (core_->is_transport_closed) return abandon();
  if (ending_.load() != Ending::open) return;
  if (stage_ == Stage::admitting) return arm_deadline();
  try_once();
}

/// One wake-up ends one wait: what follows may wait again.
void Call::go_on() {
  if (stage_ == Stage::admitting) {
    admit_on_loop();
  } else if (stage_ == Stage::queued) {
    try_once();
  }
}

/// A policy that waited is asked again.
void Call::admit_on_loop() {
  if (ending_.load() != Ending::open) return;
  const TimePoint begun = core_->clock->now();
  queued_ += begun - parked_at_;
  Verdict verdict = policies_.admit();
  overhead_ += core_->clock->now() - begun;
  if (Error* refusal = std::get_if<Error>(&verdict)) {
    return finish(about_this(std::move(*refusal)), Reply());
  }
  if (Response* answer = std::get_if<Response>(&verdict)) {
    complete(*answer);
    if (is_streamed_) tell_reply(*answer);
    return finish(std::move(*answer), Reply());
  }
  if (std::holds_alternative<Proceed>(verdict)) return try_once();
  wait_for_resume();
}

void Call::wait_for_resume() {
  parked_at_ = core_->clock->now();
  if (!policies_.park()) post(reason_admit);
}

Reply Call::take_partial() {
  const std::unique_ptr<Reply> reply = attempt_.take_reply();
  return reply ? std::move(*reply) : Reply();
}

void Call::abandon() {
  const std::shared_ptr<void> self = in_flight_self_;
  if (stage_ == Stage::done) return;
  if (stage_ == Stage::recording) {
    // A cancellation came too late; a router that ends does not wait.
    if (core_->is_transport_closed && told_) on_recorded();
    return;
  }
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
  sent_ = std::max(sent_, attempt_.sent());
  if (was_trying) {
    attempts_ += std::max(1, attempt_.wire_copies());
    overhead_ += attempt_.overhead();
    status_ = attempt_.head().status();
  }
  finish(about_this(Error(std::move(fields))), take_partial());
}

void Call::finish(Result<Response> result, Reply partial) {
  transport::TimerWheel::disarm(deadline_);
  transport::TimerWheel::disarm(pause_);
  transport::TimerWheel::disarm(hold_);
  if (hooked_) hooked_->end();
  if (hooked_) hooked_->finish_reply(partial);
  stage_ = Stage::recording;
  Ending open = Ending::open;
  const bool is_ours = ending_.compare_exchange_strong(open, Ending::settled);
  const bool is_told = !result && result.error().code() == ErrorCode::request_cancelled;
  if (!is_ours && !is_told) {
    // The caller cancelled between the verdict and here, and was told that it came in time.
    result = about_this(Error(ErrorCode::request_cancelled, "the call was cancelled"));
  }
  is_dropped_ = !is_ours && open != Ending::cancelled;
  policies_.expect();
  settle(result, partial);
  complete_metadata(result, partial);
  // Whoever ends the router waits for no disk; the record outlives the process.
  const bool waits = policies_.is_delivery_held() && !core_->is_transport_closed;
  if (!waits) return deliver(std::move(result), std::move(partial));
  told_ = std::make_unique<Told>(Told{std::move(result), std::move(partial)});
  if (!policies_.park()) post(reason_admit);
}

void Call::on_recorded() {
  const std::unique_ptr<Told> told = std::move(told_);
  deliver(std::move(told->result), std::move(told->partial));
}

void Call::deliver(Result<Response> result, Reply partial) {
  stage_ = Stage::draining;
  if (!is_dropped_) {
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

}  // namespace byway::router
