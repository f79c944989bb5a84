#include "policy/quota/bucket.hpp"

#include <algorithm>

#include "policy/quota/step.hpp"

namespace byway::policy {
namespace {

Moment moment_of(const Counted& counted) noexcept {
  return {counted.count, static_cast<std::uint32_t>(counted.mark >> 32),
          static_cast<std::uint32_t>(counted.mark)};
}

Counted counted_of(const Moment& moment) noexcept {
  return {moment.ns, std::uint64_t{moment.part} << 32 | moment.per_minute};
}

}  // namespace

std::int64_t fill(LiveSlot& slot, std::int64_t now_ns, const Rate& rate, std::int64_t amount,
                  Fill& made) noexcept {
  for (;;) {
    step();
    const Counted found = slot.word.load();
    made.credited = slot.credited.load();
    made.before = moment_of(found);
    made.after = filled(made.before, now_ns, rate, amount);
    made.amount = amount;
    if (const std::int64_t wait = wait_for(made.after, now_ns, rate); wait > 0) return wait;
    step();
    if (slot.word.change(found, counted_of(made.after))) return 0;
  }
}

std::int64_t wait_to_fill(const LiveSlot& slot, std::int64_t now_ns, const Rate& rate,
                          std::int64_t amount) noexcept {
  step();
  return wait_to_fill(moment_of(slot.word.load()), now_ns, rate, amount);
}

void overfill(LiveSlot& slot, std::int64_t now_ns, const Rate& rate, std::int64_t amount) noexcept {
  for (;;) {
    step();
    const Counted found = slot.word.load();
    const Moment after = filled(moment_of(found), now_ns, rate, amount);
    if (slot.word.change(found, counted_of(after))) return;
  }
}

// Let d(s) be the debt of the bucket and let c be what one call put in. Without the call the debt
// would be lower by min(c, the least d since). At any s up to now, d(s) is at least what it was
// after the call, less the time since, less all that was credited since; so is the credit here.
void drain(LiveSlot& slot, std::int64_t now_ns, const Rate& rate, std::int64_t amount,
           const Fill& made) noexcept {
  for (;;) {
    step();
    const Counted found = slot.word.load();
    const std::int64_t credited = slot.credited.load() - made.credited;
    if (credited == 0 && amount == made.amount && found == counted_of(made.after)) {
      if (slot.word.change(found, counted_of(made.before))) return;
      continue;
    }
    const std::int64_t credit = std::min(drain_ns(rate, amount), made.after.ns - now_ns - credited);
    if (credit <= 0) return;
    // Told before it is done: who sees the bucket lowered sees this too.
    slot.credited.fetch_add(credit);
    step();
    if (slot.word.change(found, {found.count - credit, found.mark})) return;
    slot.credited.fetch_sub(credit);
  }
}

std::int64_t room_in(const LiveSlot& slot, std::int64_t now_ns, const Rate& rate) noexcept {
  return room(moment_of(slot.word.load()), now_ns, rate);
}

}  // namespace byway::policy
