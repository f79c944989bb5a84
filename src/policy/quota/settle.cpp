// Settlement: exactly once for each ticket, whatever the ending.
#include "policy/quota/quota.hpp"
#include "policy/quota/replay.hpp"

namespace byway::policy {

Ticket::~Ticket() {
  if (quota_ != nullptr) quota_->settle(entry_, sequence_, nullptr, is_sent_);
}

bool Ticket::settle(const Amounts& actual) noexcept {
  Quota* quota = std::exchange(quota_, nullptr);
  return quota != nullptr && quota->settle(entry_, sequence_, &actual, true);
}

void Ticket::settle_as_held() noexcept {
  Quota* quota = std::exchange(quota_, nullptr);
  if (quota != nullptr) quota->settle(entry_, sequence_, nullptr, true);
}

void Ticket::give_back() noexcept {
  Quota* quota = std::exchange(quota_, nullptr);
  if (quota != nullptr) quota->settle(entry_, sequence_, nullptr, false);
}

bool Quota::settle(std::uint32_t entry_at, std::uint32_t sequence, const Amounts* actual,
                   bool was_sent) noexcept {
  if (has_fork()) return false;
  Claim claim = journal_.claim(entry_at, sequence);
  InFlightCall& call = journal_.call(entry_at);
  LiveEntry& entry = claim.entry();
  const auto held = [&](QuotaUnit unit) {
    return entry.amount[static_cast<std::size_t>(unit)].load(std::memory_order_relaxed);
  };
  Amounts final_amounts;
  if (was_sent) {
    final_amounts = {held(QuotaUnit::requests), held(QuotaUnit::tokens),
                     held(QuotaUnit::nano_dollars)};
  } else {
    final_amounts.requests = 0;
  }
  // A negative count from an upstream opens no gate.
  if (actual != nullptr) {
    final_amounts.tokens = std::max<std::int64_t>(actual->tokens, 0);
    final_amounts.nano_dollars = std::max<std::int64_t>(actual->nano_dollars, 0);
  }
  const bool is_over = final_amounts.tokens > held(QuotaUnit::tokens) ||
                       final_amounts.nano_dollars > held(QuotaUnit::nano_dollars);
  entry.final_amount[0].store(final_amounts.requests, std::memory_order_relaxed);
  entry.final_amount[1].store(final_amounts.tokens, std::memory_order_relaxed);
  entry.final_amount[2].store(final_amounts.nano_dollars, std::memory_order_relaxed);
  claim.set_state(EntryState::settling);

  std::array<std::uint32_t, legs_max> lines = call.line;
  const std::size_t legs = claim.legs();
  true_up_rates(claim, call, actual, was_sent);
  finish(file_, claim);
  journal_.push(entry_at);
  if (lines_.is_empty()) return is_over;
  for (std::size_t at = 0; at < legs; ++at) {
    if (!lines_.is_empty(lines[at])) lines_.serve(lines[at], &Quota::attempt_in_line, this);
  }
  return is_over;
}

void Quota::true_up_rates(const Claim& claim, const InFlightCall& call, const Amounts* actual,
                          bool was_sent) noexcept {
  std::size_t rates = 0;
  for (std::size_t at = 0; at < claim.legs(); ++at) {
    LiveSlot& slot = file_.slot(claim.leg(at).slot);
    const std::uint64_t kind_and_unit = slot.key[6].load(std::memory_order_relaxed);
    if (static_cast<LimitKind>(kind_and_unit & 0xFF) != LimitKind::rate) continue;
    const Fill& made = call.fill[rates];
    const Rate rate = call.rate[rates++];
    std::int64_t kept = was_sent ? made.amount : 0;
    const bool is_tokens = static_cast<QuotaUnit>(kind_and_unit >> 8 & 0xFF) == QuotaUnit::tokens;
    if (is_tokens && actual != nullptr) {
      kept = std::max<std::int64_t>(actual->rate_tokens.value_or(actual->tokens), 0);
    }
    if (kept > made.amount) overfill(slot, now_ns(), rate, kept - made.amount);
    if (kept < made.amount) drain(slot, now_ns(), rate, made.amount - kept, made);
  }
}

}  // namespace byway::policy
