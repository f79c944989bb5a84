// How a call ends: its reply or its error, and what its policies are told.
#include <algorithm>
#include <utility>

#include "router/call.hpp"
#include "router/core.hpp"
#include "router/limits_left.hpp"
#include "router/plan.hpp"
#include "router/reply_events.hpp"
#include "router/response_state.hpp"
#include "wire/whole_reply.hpp"

namespace byway::router {

Response Call::respond() {
  auto state = std::make_unique<Response::State>();
  state->operation = plan_.operation;
  if (auto reply = attempt_.take_reply()) {
    if (hooked_) hooked_->finish_reply(*reply);
    state->reply = *std::move(reply);
    state->is_read = true;
  }
  state->body = attempt_.take_body();
  if (!plan_.ignored.empty()) {
    if (!state->is_read) wire::read_whole_reply(state->operation, state->body, state->reply);
    state->is_read = true;
    for (const std::string_view name : plan_.ignored) {
      state->reply.notes.push_back("ignored:" + std::string(name));
    }
  }
  state->metadata = metadata();
  if (const wire::AnswerHead* told = attempt_.answer_head()) {
    state->metadata.model_served = told->model_served;
  }
  state->head = attempt_.take_head();
  state->head.leave_out(core_->options.header_prefix);
  return Response(std::move(state));
}

/// A policy's own answer gets what every result says.
void Call::complete(Response& answer) const {
  answer.state_->operation = policies_.facts().operation;
  answer.state_->metadata = metadata();
}

/// An answer that is not a stream, to a caller who reads one.
void Call::tell_reply(const Response& response) {
  tell_as_events(response.reply(), response.body(),
                 [this](const StreamEvent& event) { sink_->on_event(event); });
}

Metadata Call::metadata() const {
  Metadata metadata;
  metadata.request_id.assign(request_id_.data(), request_id_.size());
  if (core_ == nullptr) return metadata;
  metadata.provider = provider();
  metadata.model = plan_.upstream_model;
  metadata.status = status_;
  metadata.attempts = attempts_;
  metadata.latency = core_->clock->now() - begun_;
  metadata.overhead = overhead_;
  metadata.first_token = first_token_;
  if (plan_.entry) metadata.key_generation = plan_.entry->endpoint.key_generation;
  if (alias_) metadata.alias = alias_->name;
  metadata.is_fallback = is_fallback_;
  return metadata;
}

/// What stands only once the call is settled: what is left of its limits; and of a failed one, who
/// had begun to answer.
void Call::complete_metadata(Result<Response>& result, const Reply& partial) const {
  if (core_ == nullptr) return;
  const policy::Quota* quota = core_->ledger->open_quota();
  const policy::LimitList* own = limits_.get();
  const policy::LimitList* endpoint = plan_.entry ? plan_.entry->limits.get() : nullptr;
  const bool has_limits = quota != nullptr && (own != nullptr || endpoint != nullptr);
  const auto note = [&](Metadata& metadata) {
    if (!has_limits) return;
    if (own != nullptr) note_limits_left(metadata, *quota, *own);
    if (endpoint != nullptr) note_limits_left(metadata, *quota, *endpoint);
  };
  if (result) return note(result->state_->metadata);
  // A whole answer that a hook refused left no partial reply.
  const wire::AnswerHead* told = attempt_.answer_head();
  const std::string_view served = told != nullptr ? told->model_served : partial.model_served;
  if (!has_limits && served.empty()) return;
  ErrorFields fields = result.error().fields();
  fields.metadata.model_served = served;
  note(fields.metadata);
  result = Error(std::move(fields));
}

std::string_view Call::provider() const {
  return plan_.entry ? std::string_view(plan_.entry->provider) : std::string_view();
}

/// The same error with what is known of this call.
Error Call::about_this(Error error) const {
  ErrorFields fields = error.fields();
  if (fields.endpoint.empty()) fields.endpoint = provider();
  fields.sent = sent_;
  fields.metadata = metadata();
  if (fields.metadata.provider.empty()) fields.metadata.provider = fields.endpoint;
  return Error(std::move(fields));
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
  fields.message = describe(failed, provider(), plan_.upstream_model);
  return about_this(Error(std::move(fields)));
}

/// Exactly once, whatever the ending: what was held is charged or given back, and every policy that
/// asked hears of it.
void Call::settle(const Result<Response>& result, const Reply& partial) noexcept {
  Outcome outcome;
  outcome.error = result ? nullptr : &result.error();
  outcome.sent = sent_;
  outcome.attempts = attempts_;
  outcome.has_unknown_attempt = has_unknown_attempt_;
  outcome.status = status_;
  outcome.latency = core_->clock->now() - begun_;
  outcome.overhead = overhead_;
  outcome.queued = queued_;
  outcome.first_token = first_token_;
  // A policy's own answer tells nothing of an upstream.
  const bool is_read = result && result->state_->is_read && sent_ != Sent::no;
  const Reply& reply = is_read ? result->state_->reply : partial;
  outcome.usage = reply.usage;
  outcome.has_usage = reply.has_usage;
  outcome.model_served = reply.model_served;
  if (const wire::AnswerHead* told = attempt_.answer_head()) {
    outcome.usage = told->usage;
    outcome.has_usage = told->has_usage;
    outcome.model_served = told->model_served;
  }
  UpstreamEnding last = UpstreamEnding::of(outcome);
  last.has_unknown_attempt = false;
  last.sent = std::max(attempt_end_.sent, attempt_.sent());
  leave_endpoint(last);
  policies_.settle(outcome);
}

}  // namespace byway::router
