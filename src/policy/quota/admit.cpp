// Admission: look at every limit, then claim, take, hold.
#include <algorithm>

#include "base/fork_guard.hpp"
#include "policy/quota/quota.hpp"
#include "policy/quota/utc_window.hpp"

namespace byway::policy {
namespace {

std::int64_t amount_of(const Limit& limit, const Amounts& amounts) noexcept {
  if (limit.kind == LimitKind::in_flight) return 1;
  const std::int64_t of_unit[] = {amounts.requests, amounts.tokens, amounts.nano_dollars};
  const std::int64_t amount = of_unit[static_cast<std::size_t>(limit.unit)];
  if (limit.kind != LimitKind::rate) return amount;
  const bool is_tokens = limit.unit == QuotaUnit::tokens;
  return std::min(is_tokens ? amounts.rate_tokens.value_or(amount) : amount, rate_of(limit).burst);
}

QuotaPeriod period_of(LimitKind kind) noexcept {
  return kind == LimitKind::month ? QuotaPeriod::month : QuotaPeriod::day;
}

}  // namespace

/// One admission under way.
struct Quota::Plan {
  std::array<Leg, legs_max> legs;
  std::size_t count = 0;
  Amounts amounts;
  std::int64_t now_ns = 0;
  WallTime now;
  /// Whether the call is the first of its line.
  bool has_turn = false;
  std::uint32_t line = 0;
  Admission admission;

  bool wait(const Leg& leg) noexcept {
    admission.outcome = Admission::Outcome::wait;
    admission.refusal.limit = leg.limit;
    line = leg.line;
    return false;
  }
  bool refuse(const Leg& leg, std::int64_t used) noexcept {
    admission.outcome = Admission::Outcome::refused;
    admission.refusal.limit = leg.limit;
    admission.refusal.used = used;
    if (is_cap(leg.limit->kind)) {
      admission.refusal.window_end = window_end(period_of(leg.limit->kind), leg.key.first_day());
    }
    return false;
  }
  bool refuse_rate(const Leg& leg, std::int64_t wait_ns, std::int64_t room) noexcept {
    refuse(leg, room);
    admission.refusal.retry_after = std::chrono::nanoseconds(wait_ns);
    return false;
  }
};

bool Quota::has_fork() const noexcept {
  return fork_generation_ != base::fork_generation();
}

Admission Quota::admit(std::span<const Limit> limits, const Amounts& amounts,
                       std::string_view label) noexcept {
  std::uint32_t line = 0;
  return attempt(limits, amounts, label, false, line);
}

bool Quota::park(Waiter& waiter) noexcept {
  std::uint32_t line = 0;
  waiter.admission = attempt(waiter.limits, waiter.amounts, waiter.label, false, line);
  if (waiter.admission.outcome != Admission::Outcome::wait) return false;
  return lines_.park(waiter, line, &Quota::attempt_in_line, this);
}

void Quota::attempt_in_line(void* self, Waiter& waiter, std::uint32_t& line) noexcept {
  auto& quota = *static_cast<Quota*>(self);
  waiter.admission = quota.attempt(waiter.limits, waiter.amounts, waiter.label, true, line);
}

Admission Quota::attempt(std::span<const Limit> limits, const Amounts& amounts,
                         std::string_view label, bool has_turn, std::uint32_t& line) noexcept {
  const bool is_sane = limits.size() <= legs_max && amounts.requests >= 0 && amounts.tokens >= 0 &&
                       amounts.nano_dollars >= 0 && amounts.rate_tokens.value_or(0) >= 0;
  if (!is_sane || has_fork()) return {};
  Plan plan;
  plan.amounts = amounts;
  plan.has_turn = has_turn;
  plan.line = line;
  plan.now_ns = now_ns();
  plan.now = options_.clock->wall_now();
  const bool is_clear = look_up(plan, limits, amounts) && look_ahead(plan);
  line = plan.line;
  if (!is_clear) return std::move(plan.admission);
  const std::optional<std::uint32_t> entry = journal_.pop();
  if (!entry) {
    needs_owner_.store(true, std::memory_order_relaxed);
    wake();
    plan.admission.outcome = Admission::Outcome::wait;
    return std::move(plan.admission);
  }
  InFlightCall& call = journal_.call(*entry);
  Claim claim = journal_.next_claim(*entry);
  std::array<SlotRef, legs_max> refs;
  for (std::size_t at = 0; at < plan.count; ++at) {
    refs[at] = plan.legs[at].ref;
    call.line[at] = plan.legs[at].line;
  }
  claim.begin(refs.data(), plan.count, {amounts.requests, amounts.tokens, amounts.nano_dollars},
              label);
  if (!take_all(plan, claim, call)) {
    claim.set_state(EntryState::free);
    journal_.push(*entry);
    line = plan.line;
    return std::move(plan.admission);
  }
  claim.set_state(EntryState::held);
  call.sequence = claim.ref().sequence;
  plan.admission.outcome = Admission::Outcome::admitted;
  plan.admission.ticket = Ticket(*this, *entry, claim.ref().sequence);
  look_back(plan);
  return std::move(plan.admission);
}

bool Quota::look_up(Plan& plan, std::span<const Limit> limits, const Amounts& amounts) noexcept {
  const std::int32_t day = window_start(QuotaPeriod::day, plan.now);
  const std::int32_t month = window_start(QuotaPeriod::month, plan.now);
  const bool is_anyone_waiting = !lines_.is_empty();
  for (const Limit& limit : limits) {
    Leg& leg = plan.legs[plan.count++];
    leg.limit = &limit;
    leg.amount = amount_of(limit, amounts);
    const std::int32_t of_month = limit.kind == LimitKind::month ? month : 0;
    leg.key = SlotKey::of(limit, limit.kind == LimitKind::day ? day : of_month);
    leg.line = table_.line_of(leg.key);
    const bool is_own_line = plan.has_turn && leg.line == plan.line;
    if (is_anyone_waiting && !is_own_line && !lines_.is_empty(leg.line)) return plan.wait(leg);
  }
  for (std::size_t at = 0; at < plan.count; ++at) {
    const std::optional<SlotRef> found = table_.find(plan.legs[at].key);
    if (!found) {
      ask(plan.legs[at]);
      return plan.wait(plan.legs[at]);
    }
    plan.legs[at].ref = *found;
  }
  return true;
}

/// Says what can be said without touching anything, so that a call that is refused leaves no trace
/// that refuses another.
bool Quota::look_ahead(Plan& plan) noexcept {
  for (std::size_t at = 0; at < plan.count; ++at) {
    const Leg& leg = plan.legs[at];
    const LiveSlot& slot = file_.slot(leg.ref.slot);
    if (leg.limit->kind == LimitKind::rate) {
      const Rate rate = rate_of(*leg.limit);
      const std::int64_t wait_ns = wait_to_fill(slot, plan.now_ns, rate, leg.amount);
      if (wait_ns > 0) return plan.refuse_rate(leg, wait_ns, room_in(slot, plan.now_ns, rate));
      continue;
    }
    const std::int64_t count = slot.word.load().count;
    if (count > leg.limit->limit - leg.amount) {
      return judge(plan, leg, Take::at_limit);
    }
    const bool is_reserved = is_cap(leg.limit->kind);
    if (is_reserved && count > slot.reserved.load(std::memory_order_acquire) - leg.amount) {
      return judge(plan, leg, Take::at_reserved);
    }
  }
  return true;
}

bool Quota::judge(Plan& plan, const Leg& leg, Take take) noexcept {
  if (take == Take::at_reserved) {
    ask(leg);
    return plan.wait(leg);
  }
  if (leg.limit->waits && leg.limit->kind == LimitKind::in_flight) return plan.wait(leg);
  const std::int64_t count = file_.slot(leg.ref.slot).word.load().count;
  // A settled call may have used more than it held, and a limit may have been lowered.
  if (is_cap(leg.limit->kind)) alert_if_due(leg, count);
  return plan.refuse(leg, count);
}

bool Quota::take_all(Plan& plan, Claim& claim, InFlightCall& call) noexcept {
  // The entry names the slots by now: one that is live stays live.
  for (std::size_t at = 0; at < plan.count; ++at) {
    if (table_.is_live(plan.legs[at].ref)) continue;
    ask(plan.legs[at]);
    return plan.wait(plan.legs[at]);
  }
  std::size_t rates = 0;
  for (std::size_t at = 0; at < plan.count; ++at) {
    const bool is_rate = plan.legs[at].limit->kind == LimitKind::rate;
    if (is_rate && rates == rates_max) {
      undo(plan, at, claim, call);
      return false;
    }
    if (is_rate) call.rate[rates] = rate_of(*plan.legs[at].limit);
    if (!take_one(plan, at, claim, call.fill[std::min(rates, rates_max - 1)])) {
      undo(plan, at, claim, call);
      return false;
    }
    rates += is_rate ? 1 : 0;
  }
  return true;
}

bool Quota::take_one(Plan& plan, std::size_t at, Claim& claim, Fill& made) noexcept {
  const Leg& leg = plan.legs[at];
  if (leg.limit->kind == LimitKind::rate) {
    LiveSlot& slot = file_.slot(leg.ref.slot);
    const Rate rate = rate_of(*leg.limit);
    const std::int64_t wait_ns = fill(slot, plan.now_ns, rate, leg.amount, made);
    if (wait_ns == 0) return true;
    return plan.refuse_rate(leg, wait_ns, room_in(slot, plan.now_ns, rate));
  }
  const Take take = claim.take(at, leg.amount, leg.limit->limit, is_cap(leg.limit->kind));
  return take == Take::taken || judge(plan, leg, take);
}

void Quota::undo(Plan& plan, std::size_t taken, Claim& claim, InFlightCall& call) noexcept {
  std::size_t rates = 0;
  for (std::size_t at = 0; at < taken; ++at) {
    const Leg& leg = plan.legs[at];
    if (leg.limit->kind != LimitKind::rate) {
      claim.give(at, -leg.amount);
      continue;
    }
    const Fill& made = call.fill[rates];
    drain(file_.slot(leg.ref.slot), plan.now_ns, call.rate[rates], made.amount, made);
    ++rates;
  }
}

/// After the call is held: is more to be reserved, is an alert due?
void Quota::look_back(const Plan& plan) noexcept {
  for (std::size_t at = 0; at < plan.count; ++at) {
    const Leg& leg = plan.legs[at];
    if (!is_cap(leg.limit->kind)) continue;
    LiveSlot& slot = file_.slot(leg.ref.slot);
    const std::int64_t count = slot.word.load().count;
    const std::int64_t limit = leg.limit->limit;
    const std::int64_t reserved = slot.reserved.load(std::memory_order_relaxed);
    if (reserved < limit && reserved - count < slot.low_water.load(std::memory_order_relaxed)) {
      ask(leg);
    }
    alert_if_due(leg, count);
  }
}

void Quota::alert_if_due(const Leg& leg, std::int64_t count) noexcept {
  if (!options_.on_alert) return;
  const std::int64_t limit = leg.limit->limit;
  const std::int64_t percent = options_.alert_percent;
  const std::int64_t threshold = limit / 100 * percent + (limit % 100 * percent + 99) / 100;
  std::atomic<std::int64_t>& alerted = file_.slot(leg.ref.slot).alerted;
  std::int64_t before = alerted.load(std::memory_order_relaxed);
  if (count < threshold) return;
  // Whose limit is lower was told of as used too: those who do not know of a change yet are silent.
  do {
    if (limit <= before) return;
  } while (!alerted.compare_exchange_weak(before, limit));
  try {
    const std::lock_guard lock(asked_mutex_);
    alerts_.push_back({std::string(leg.limit->subject.text()), leg.limit->unit,
                       period_of(leg.limit->kind), leg.key.first_day(), count, limit});
  } catch (...) {
    // No memory: the next call that looks gives it, unless a higher limit's was given by now.
    std::int64_t own = limit;
    alerted.compare_exchange_strong(own, before);
    return;
  }
  wake();
}

void Quota::ask(const Leg& leg) noexcept {
  if (is_asked_[leg.line].exchange(true)) return;
  {
    const std::lock_guard lock(asked_mutex_);
    asked_.push_back({leg.key, leg.amount, leg.limit->limit, rate_of(*leg.limit)});
  }
  wake();
}

void Quota::wake() const noexcept {
  if (options_.wake) options_.wake();
}

}  // namespace byway::policy
