#include "router/charge.hpp"

#include <algorithm>
#include <limits>

namespace byway::router {
namespace {

constexpr std::int64_t per_million = 1'000'000;
/// No server counts so many tokens in one call; a number above is a fault, not a bill.
constexpr std::int64_t tokens_max = std::int64_t{1} << 40;
constexpr std::int64_t money_max = std::numeric_limits<std::int64_t>::max() / 4;

__extension__ typedef __int128 Wide;

std::int64_t price_of(std::int64_t tokens, const std::optional<std::int64_t>& price) noexcept {
  const Wide whole = Wide{tokens} * price.value_or(0);
  return static_cast<std::int64_t>(
      std::min<Wide>((whole + per_million - 1) / per_million, money_max));
}

bool has_output(Operation operation) noexcept {
  return operation == Operation::chat || operation == Operation::completions ||
         operation == Operation::responses;
}

/// All choices together; empty when nothing bounds it.
std::optional<std::int64_t> output_of(const AttemptPlan& plan) noexcept {
  if (!has_output(plan.operation)) return 0;
  const std::optional<std::int64_t>& each = plan.scan.output.tokens;
  if (!each) return std::nullopt;
  const std::int64_t choices = std::max<std::int64_t>(plan.scan.choices, 1);
  return *each > tokens_max / choices ? tokens_max : *each * choices;
}

Error too_large(const policy::Limit& limit, std::int64_t output) {
  ErrorFields fields{.code = ErrorCode::policy_request_exceeds_limit};
  fields.message = "the request may use more tokens (" + std::to_string(output) +
                   " of output alone) than the limit of " + std::to_string(limit.limit) +
                   " tokens per minute ever allows: ask for less";
  fields.param = "max_tokens";
  return Error(std::move(fields));
}

Error too_costly(const policy::Limit& limit, std::int64_t cost) {
  ErrorFields fields{.code = ErrorCode::policy_request_exceeds_limit};
  const bool is_money = limit.unit == QuotaUnit::nano_dollars;
  fields.message = "the request may " + std::string(is_money ? "cost" : "use") + " up to " +
                   std::to_string(cost) + (is_money ? " nano-dollars" : " tokens") +
                   ", more than the whole cap of " + std::to_string(limit.limit) +
                   (limit.kind == policy::LimitKind::day ? " a day" : " a month") +
                   ": ask for less";
  fields.param = "max_tokens";
  return Error(std::move(fields));
}

Error bound_unknown() {
  ErrorFields fields{.code = ErrorCode::policy_bound_unknown, .param = "max_tokens"};
  fields.message =
      "the customer key or its org has a cap of tokens or money, and nothing bounds what this "
      "request may use: give max_tokens, max_completion_tokens or max_output_tokens as a positive "
      "number";
  return Error(std::move(fields));
}

/// What no waiting would let through.
Result<void> check_fits(const policy::Limit& limit, const policy::Amounts& amounts,
                        std::int64_t bytes, std::int64_t output) {
  if (limit.unit == QuotaUnit::requests) return {};
  if (limit.kind == policy::LimitKind::rate) {
    if (bytes / 16 + output > policy::rate_of(limit).burst) return too_large(limit, output);
    return {};
  }
  const bool is_money = limit.unit == QuotaUnit::nano_dollars;
  const std::int64_t cost = is_money ? amounts.nano_dollars : amounts.tokens;
  if (cost > limit.limit) return too_costly(limit, cost);
  return {};
}

}  // namespace

std::int64_t price_of(const Tokens& tokens, const EndpointSettings& endpoint) noexcept {
  return std::min(money_max, price_of(tokens.input, endpoint.price_input) +
                                 price_of(tokens.output, endpoint.price_output));
}

Result<policy::Amounts> hold_of(const AttemptPlan& plan, const policy::LimitList& list) {
  policy::Amounts amounts;
  if (!list.counts_tokens && !list.needs_bound) return amounts;
  const auto bytes = static_cast<std::int64_t>(plan.body.size());
  const std::optional<std::int64_t> output = output_of(plan);
  amounts.rate_tokens = (bytes + 3) / 4 + output.value_or(output_unknown);
  if (list.needs_bound) {
    if (!output || plan.scan.output.is_odd) return bound_unknown();
    amounts.tokens = bytes + *output;
    amounts.nano_dollars = price_of({bytes, *output}, plan.entry->endpoint.settings);
  }
  for (const policy::Limit& limit : list.limits) {
    Result<void> fits = check_fits(limit, amounts, bytes, output.value_or(0));
    if (!fits) return fits.error();
  }
  return amounts;
}

Tokens estimate_of(const AttemptPlan& plan) noexcept {
  return {(static_cast<std::int64_t>(plan.body.size()) + 3) / 4, output_of(plan).value_or(0)};
}

Charging charging_of(const UpstreamEnding& ending) noexcept {
  if (ending.sent == Sent::no) return Charging::give_back;
  if (ending.is_success) {
    return tokens_of(ending.usage, ending.has_usage) ? Charging::by_usage : Charging::as_held;
  }
  const bool did_nothing = ending.status >= 400 && !ending.has_unknown_attempt;
  return did_nothing ? Charging::request_only : Charging::as_held;
}

void settle(policy::Ticket& ticket, const UpstreamEnding& ending, const policy::Amounts& held,
            const EndpointSettings& endpoint) noexcept {
  switch (charging_of(ending)) {
    case Charging::give_back: return ticket.give_back();
    case Charging::as_held: return ticket.settle_as_held();
    case Charging::request_only: {
      ticket.settle({});
      return;
    }
    case Charging::by_usage: {
      const Tokens tokens = *tokens_of(ending.usage, ending.has_usage);
      const policy::Amounts before = ending.has_unknown_attempt ? held : policy::Amounts();
      const std::int64_t used = tokens.input + tokens.output;
      ticket.settle({.tokens = used + before.tokens,
                     .nano_dollars = price_of(tokens, endpoint) + before.nano_dollars,
                     .rate_tokens = used + before.rate_tokens.value_or(0)});
      return;
    }
  }
}

std::optional<Tokens> tokens_of(const Usage& usage, bool has_usage) noexcept {
  if (!has_usage) return std::nullopt;
  const auto is_absurd = [](const std::optional<std::int64_t>& count) {
    return count && (*count < 0 || *count > tokens_max);
  };
  if (is_absurd(usage.prompt_tokens) || is_absurd(usage.completion_tokens) ||
      is_absurd(usage.total_tokens)) {
    return std::nullopt;
  }
  // Of a prompt that it is a part of.
  if (usage.cached_tokens.value_or(0) > usage.prompt_tokens.value_or(tokens_max)) {
    return std::nullopt;
  }
  const std::int64_t input = usage.prompt_tokens.value_or(0);
  const std::int64_t output = usage.completion_tokens.value_or(0);
  if (usage.prompt_tokens && usage.completion_tokens) return Tokens{input, output};
  // One part alone says nothing of the other.
  if (!usage.total_tokens) return std::nullopt;
  const std::int64_t rest = std::max<std::int64_t>(0, *usage.total_tokens - input - output);
  if (usage.completion_tokens) return Tokens{input + rest, output};
  return Tokens{input, output + rest};
}

}  // namespace byway::router
