// Charge: what a call holds of token and money limits before it is sent, and what it came to.
#pragma once

#include <cstdint>
#include <optional>

#include <byway/endpoint.hpp>
#include <byway/policy.hpp>
#include <byway/result.hpp>

#include "policy/limit_list.hpp"
#include "policy/quota/ticket.hpp"
#include "router/attempt.hpp"

namespace byway::router {

/// Whole tokens, prompt and output apart.
struct Tokens {
  std::int64_t input = 0;
  std::int64_t output = 0;
};

/// Nano-dollars, each part rounded up; what is more than fits is the most that fits.
std::int64_t price_of(const Tokens& tokens, const EndpointSettings& endpoint) noexcept;

/// What a call takes of `list` when it is admitted (decisions section 2). Rates: a token for four
/// bytes of the body, and the output that it allows, else `output_unknown`; a rate never takes more
/// than its burst. Caps of tokens and money: a token for each byte, and the output that it allows.
/// Codes: policy_request_exceeds_limit when output and a token for 16 bytes are more than a token
/// rate's burst ever holds, or tokens or cost more than a whole cap; policy_bound_unknown under a
/// cap of these when nothing bounds the output.
Result<policy::Amounts> hold_of(const AttemptPlan& plan, const policy::LimitList& list);

/// Charged for the output of a request that names no bound, and given back as far as it was not
/// used.
constexpr std::int64_t output_unknown = 4096;

/// What a call may use that says nothing of it: a token for four bytes of the body, and the output
/// that it allows when it says so.
Tokens estimate_of(const AttemptPlan& plan) noexcept;

/// How much of what an ended call held is charged. This is the one place that decides it
/// (docs/governance.md has the same as a table).
enum class Charging : std::uint8_t {
  /// It never left, or an answer of Byway's own came instead.
  give_back,
  /// The request counts and no token: the server refused it with a status of its own.
  request_only,
  /// The request counts, and what usage says.
  by_usage,
  /// Nobody knows what it used, so it is charged what it held.
  as_held,
};

/// How a call or one of its attempts ended.
struct UpstreamEnding {
  bool is_success = false;
  Sent sent = Sent::no;
  /// The upstream's status, 0 for none.
  int status = 0;
  Usage usage = {};
  bool has_usage = false;
  /// Of a call: an earlier attempt may have used all that was held.
  bool has_unknown_attempt = false;

  static UpstreamEnding of(const Outcome& outcome) noexcept {
    return {outcome.error == nullptr, outcome.sent,
            outcome.status,           outcome.usage,
            outcome.has_usage,        outcome.has_unknown_attempt};
  }
};
Charging charging_of(const UpstreamEnding& ending) noexcept;
/// Charges what a ticket holds accordingly; `held` is added to what usage says when an earlier
/// attempt is unknown.
void settle(policy::Ticket& ticket, const UpstreamEnding& ending, const policy::Amounts& held,
            const EndpointSettings& endpoint) noexcept;
/// What usage says, when it says all and can be true: both parts or the sum, no absurd number, and
/// no more cached tokens than the prompt has.
std::optional<Tokens> tokens_of(const Usage& usage, bool has_usage) noexcept;

}  // namespace byway::router
