#include "policy/quota/replay.hpp"

#include <cstring>

namespace byway::policy {
namespace {

std::string label_of(const LiveEntry& entry) {
  char text[33] = {};
  for (std::size_t at = 0; at < entry.label.size(); ++at) {
    const std::uint64_t word = entry.label[at].load(std::memory_order_relaxed);
    std::memcpy(text + 8 * at, &word, 8);
  }
  return text;
}

void set_outcome(LiveEntry& entry, bool is_charged) noexcept {
  for (std::size_t unit = 0; unit < units; ++unit) {
    const std::int64_t held = entry.amount[unit].load(std::memory_order_relaxed);
    entry.final_amount[unit].store(is_charged ? held : 0, std::memory_order_relaxed);
  }
}

std::int64_t change_of(const LiveFile& file, const Claim& claim, std::size_t leg) noexcept {
  const std::uint64_t kind_and_unit =
      file.slot(claim.leg(leg).slot).key[6].load(std::memory_order_relaxed);
  const auto kind = static_cast<LimitKind>(kind_and_unit & 0xFF);
  if (kind == LimitKind::rate) return 0;
  if (kind == LimitKind::in_flight) return -1;
  const std::size_t unit = kind_and_unit >> 8 & 0xFF;
  return claim.entry().final_amount[unit].load(std::memory_order_relaxed) -
         claim.entry().amount[unit].load(std::memory_order_relaxed);
}

}  // namespace

void finish(const LiveFile& file, Claim claim) noexcept {
  for (std::size_t at = 0; at < claim.legs(); ++at) {
    const std::int64_t change = change_of(file, claim, at);
    if (change != 0 && claim.has_taken(at)) claim.give(at, change);
  }
  claim.set_state(EntryState::free);
}

std::vector<std::string> doubts_of(const LiveFile& file, std::uint32_t owner) {
  std::vector<std::string> doubts;
  for (std::uint32_t at = 0; at < file.sizes().entries; ++at) {
    const Claim claim = Claim::found(file, owner, at);
    if (claim.state() == EntryState::held) doubts.push_back(label_of(claim.entry()));
  }
  return doubts;
}

void replay(const LiveFile& file, std::uint32_t owner) noexcept {
  for (std::uint32_t at = 0; at < file.sizes().entries; ++at) {
    Claim claim = Claim::found(file, owner, at);
    const EntryState state = claim.state();
    if (state == EntryState::free) continue;
    if (state != EntryState::settling) {
      set_outcome(claim.entry(), state == EntryState::held);
      claim.set_state(EntryState::settling);
    }
    finish(file, claim);
  }
}

}  // namespace byway::policy
