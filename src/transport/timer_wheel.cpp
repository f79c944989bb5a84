#include "transport/timer_wheel.hpp"

#include <bit>

namespace byway::transport {

std::uint64_t TimerWheel::tick_of(TimePoint time, bool round_up) const noexcept {
  if (time <= start_) return 0;
  const auto since = time - start_;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since);
  const bool has_rest = ms < since;
  return static_cast<std::uint64_t>(ms.count()) + (round_up && has_rest ? 1 : 0);
}

void TimerWheel::arm(Timer& timer, TimePoint deadline) noexcept {
  timer.unlink();
  timer.tick_ = tick_of(deadline, true);
  insert(timer);
}

void TimerWheel::insert(Timer& timer) noexcept {
  // A deadline that has passed waits for the next tick, so that advance() always ends.
  std::uint64_t tick = timer.tick_ > now_ ? timer.tick_ : now_ + 1;
  constexpr std::uint64_t span = std::uint64_t{1} << (slot_bits * levels);
  if (tick - now_ >= span) tick = now_ + span - 1;
  timer.tick_ = timer.tick_ > tick ? timer.tick_ : tick;
  const std::uint64_t differing = (tick ^ now_) | (slots - 1);
  const int level = (63 - std::countl_zero(differing)) / slot_bits;
  const int capped = level < levels ? level : levels - 1;
  const std::uint64_t slot = (tick >> (capped * slot_bits)) & (slots - 1);
  Timer*& head = wheel_[static_cast<std::size_t>(capped)].heads[slot];
  timer.next_ = head;
  timer.previous_ = &head;
  if (head != nullptr) head->previous_ = &timer.next_;
  head = &timer;
  occupied_[static_cast<std::size_t>(capped)] |= std::uint64_t{1} << slot;
}

std::optional<TimerWheel::Due> TimerWheel::next_due() const noexcept {
  for (int level = 0; level < levels; ++level) {
    const auto index = static_cast<std::size_t>(level);
    const int shift = level * slot_bits;
    const std::uint64_t current = (now_ >> shift) & (slots - 1);
    // Slots are looked at in the order of time, beginning behind the current one.
    std::uint64_t rotated = std::rotr(occupied_[index], static_cast<int>((current + 1) % slots));
    while (rotated != 0) {
      const auto steps = static_cast<std::uint64_t>(std::countr_zero(rotated)) + 1;
      const std::uint64_t slot = (current + steps) & (slots - 1);
      if (wheel_[index].heads[slot] ==
          nullptr) {  // emptied by unlink(), which does not know the wheel
        occupied_[index] &= ~(std::uint64_t{1} << slot);
        rotated &= rotated - 1;
        continue;
      }
      return Due{level, slot, ((now_ >> shift) + steps) << shift};
    }
  }
  return std::nullopt;
}

void TimerWheel::advance(TimePoint time) noexcept {
  const std::uint64_t until = tick_of(time, false);
  while (const std::optional<Due> due = next_due()) {
    if (due->tick > until) break;
    now_ = due->tick;
    const auto index = static_cast<std::size_t>(due->level);
    Timer* timers = wheel_[index].heads[due->slot];
    wheel_[index].heads[due->slot] = nullptr;
    occupied_[index] &= ~(std::uint64_t{1} << due->slot);
    if (timers != nullptr)
      timers->previous_ = &timers;  // a local list, so that any of them may still unlink
    while (timers != nullptr) {
      Timer& timer = *timers;
      timer.unlink();
      if (timer.tick_ <= now_) {
        timer.on_timer();
      } else {
        insert(timer);
      }
    }
  }
  if (until > now_) now_ = until;
}

std::optional<TimePoint> TimerWheel::next() const noexcept {
  const std::optional<Due> due = next_due();
  if (!due) return std::nullopt;
  return start_ + std::chrono::milliseconds(due->tick);
}

}  // namespace byway::transport
