#include "policy/quota/claim.hpp"

#include <cstring>
#include <limits>

#include "policy/quota/step.hpp"

namespace byway::policy {
namespace {

constexpr std::uint64_t is_mark = std::uint64_t{1} << 63;

std::uint64_t bit_of(std::size_t leg, bool is_return) noexcept {
  return std::uint64_t{1} << (leg + (is_return ? legs_max : 0));
}

std::uint32_t sequence_of(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word >> 32);
}

}  // namespace

Claim Claim::found(const LiveFile& file, std::uint32_t owner, std::uint32_t entry) noexcept {
  const std::uint64_t state = file.entry(owner, entry).state.load(std::memory_order_acquire);
  return Claim(file, {owner, entry, sequence_of(state)});
}

EntryState Claim::state() const noexcept {
  return static_cast<EntryState>(entry().state.load(std::memory_order_acquire) & 0xFF);
}

std::size_t Claim::legs() const noexcept {
  return entry().state.load(std::memory_order_acquire) >> 8 & 0xFF;
}

SlotRef Claim::leg(std::size_t at) const noexcept {
  const std::uint64_t word = entry().legs[at].load(std::memory_order_relaxed);
  return {static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32)};
}

void Claim::begin(const SlotRef* legs, std::size_t count, const std::int64_t (&amounts)[units],
                  std::string_view label) noexcept {
  LiveEntry& made = entry();
  // Bits of the last life go before anything of this one can be seen.
  made.done.store(std::uint64_t{ref_.sequence} << 32, std::memory_order_relaxed);
  for (std::size_t at = 0; at < count; ++at) {
    made.legs[at].store(std::uint64_t{legs[at].generation} << 32 | legs[at].slot,
                        std::memory_order_relaxed);
  }
  for (std::size_t unit = 0; unit < units; ++unit) {
    made.amount[unit].store(amounts[unit], std::memory_order_relaxed);
  }
  char text[32] = {};
  label.substr(0, sizeof text).copy(text, sizeof text);
  for (std::size_t at = 0; at < made.label.size(); ++at) {
    std::uint64_t word = 0;
    std::memcpy(&word, text + 8 * at, 8);
    made.label[at].store(word, std::memory_order_relaxed);
  }
  step();
  made.state.store(std::uint64_t{ref_.sequence} << 32 | count << 8 |
                       static_cast<std::uint64_t>(EntryState::claim),
                   std::memory_order_seq_cst);
}

void Claim::set_state(EntryState state) noexcept {
  step();
  const std::uint64_t now = entry().state.load(std::memory_order_relaxed);
  entry().state.store((now & ~std::uint64_t{0xFF}) | static_cast<std::uint64_t>(state),
                      std::memory_order_release);
}

std::uint64_t Claim::mark(std::size_t leg, bool is_return) const noexcept {
  return is_mark | std::uint64_t{is_return} << 58 | std::uint64_t{leg} << 54 |
         std::uint64_t{ref_.owner} << 44 | std::uint64_t{ref_.entry} << 32 | ref_.sequence;
}

void Claim::help(std::uint64_t mark) const noexcept {
  if (mark == 0) return;
  const auto owner = static_cast<std::uint32_t>(mark >> 44 & 0x3FF);
  const auto at = static_cast<std::uint32_t>(mark >> 32 & 0xFFF);
  const std::uint64_t bit = bit_of(mark >> 54 & 0xF, (mark >> 58 & 1) != 0);
  std::atomic<std::uint64_t>& done = file_->entry(owner, at).done;
  step();
  std::uint64_t now = done.load(std::memory_order_acquire);
  // A later life of the entry means that its owner knows.
  while (sequence_of(now) == static_cast<std::uint32_t>(mark) && (now & bit) == 0) {
    if (done.compare_exchange_weak(now, now | bit)) return;
  }
}

// The mark is to be read before the bit: a mark is overwritten only after its bit is set.
bool Claim::is_done(std::size_t leg, bool is_return, std::uint64_t mark_found) const noexcept {
  if (mark_found == mark(leg, is_return)) return true;
  step();
  return (entry().done.load(std::memory_order_seq_cst) & bit_of(leg, is_return)) != 0;
}

Take Claim::take(std::size_t leg_at, std::int64_t amount, std::int64_t limit,
                 bool is_reserved) noexcept {
  LiveSlot& slot = file_->slot(leg(leg_at).slot);
  for (;;) {
    step();
    const Counted now = slot.word.load();
    if (now.count > limit - amount) return Take::at_limit;
    if (is_reserved && now.count > slot.reserved.load(std::memory_order_acquire) - amount) {
      return Take::at_reserved;
    }
    help(now.mark);
    step();
    if (slot.word.change(now, {now.count + amount, mark(leg_at, false)})) break;
  }
  step();
  entry().done.fetch_or(bit_of(leg_at, false));
  return Take::taken;
}

bool Claim::has_taken(std::size_t leg_at) const noexcept {
  const Counted now = file_->slot(leg(leg_at).slot).word.load();
  return is_done(leg_at, false, now.mark);
}

void Claim::give(std::size_t leg_at, std::int64_t change) noexcept {
  LiveSlot& slot = file_->slot(leg(leg_at).slot);
  for (;;) {
    step();
    const Counted now = slot.word.load();
    if (is_done(leg_at, true, now.mark)) break;
    help(now.mark);
    step();
    if (slot.word.change(now, {now.count + change, mark(leg_at, true)})) break;
  }
  step();
  entry().done.fetch_or(bit_of(leg_at, true));
}

}  // namespace byway::policy
