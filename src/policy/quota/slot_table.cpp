#include "policy/quota/slot_table.hpp"

#include <cstring>

#include "policy/quota/step.hpp"

namespace byway::policy {
namespace {

constexpr std::uint32_t probes_max = 64;

SlotState state_of(std::uint64_t state) noexcept {
  return static_cast<SlotState>(state & 0xFF);
}

std::uint32_t generation_of(std::uint64_t state) noexcept {
  return static_cast<std::uint32_t>(state >> 8);
}

std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * 0xC4CEB9FE1A85EC53;
  return hash ^ hash >> 32;
}

}  // namespace

SlotKey SlotKey::of(const Limit& limit, std::int32_t first_day) noexcept {
  SlotKey key;
  const auto& subject = limit.subject.words();
  for (std::size_t at = 0; at < subject.size(); ++at) key.words[at] = subject[at];
  key.words[6] = static_cast<std::uint64_t>(limit.kind) | static_cast<std::uint64_t>(limit.unit)
                                                              << 8;
  key.subject_hash = limit.subject.hash();
  return key.in_window(first_day);
}

SlotKey SlotKey::in_window(std::int32_t first_day) const noexcept {
  SlotKey key = *this;
  key.words[6] = (words[6] & 0xFFFF'FFFF) |
                 static_cast<std::uint64_t>(static_cast<std::uint32_t>(first_day)) << 32;
  key.hash = mixed(subject_hash, key.words[6]);
  return key;
}

std::string_view SlotKey::subject() const noexcept {
  const char* text = reinterpret_cast<const char*>(words.data());
  return {text, ::strnlen(text, Subject::bytes_max)};
}

std::uint32_t SlotTable::line_of(const SlotKey& key) const noexcept {
  return static_cast<std::uint32_t>(key.hash % file_->sizes().slots);
}

bool SlotTable::has_key(const LiveSlot& slot, const SlotKey& key) const noexcept {
  // The last word differs most often.
  for (std::size_t at = key.words.size(); at-- > 0;) {
    if (slot.key[at].load(std::memory_order_relaxed) != key.words[at]) return false;
  }
  return true;
}

std::optional<SlotRef> SlotTable::find(const SlotKey& key) const noexcept {
  std::uint32_t at = line_of(key);
  for (std::uint32_t probe = 0; probe < probes_max; ++probe) {
    const LiveSlot& slot = file_->slot(at);
    const std::uint64_t state = slot.state.load(std::memory_order_acquire);
    if (state_of(state) == SlotState::empty) return {};
    if (state_of(state) == SlotState::live && has_key(slot, key)) {
      return SlotRef{at, generation_of(state)};
    }
    if (++at == file_->sizes().slots) at = 0;
  }
  return {};
}

bool SlotTable::is_live(const SlotRef& ref) const noexcept {
  step();
  const std::uint64_t state = file_->slot(ref.slot).state.load(std::memory_order_seq_cst);
  return state_of(state) == SlotState::live && generation_of(state) == ref.generation;
}

std::optional<SlotRef> SlotTable::add(const SlotKey& key, const Counted& count,
                                      std::int64_t reserved) noexcept {
  std::uint32_t at = line_of(key);
  for (std::uint32_t probe = 0; probe < probes_max; ++probe) {
    LiveSlot& slot = file_->slot(at);
    const SlotState state = state_of(slot.state.load(std::memory_order_acquire));
    if (state == SlotState::empty || state == SlotState::free) {
      slot.word.reset(count);
      slot.reserved.store(reserved);
      slot.low_water.store(0);
      slot.alerted.store(0);
      slot.credited.store(0);
      slot.limit.store(0);
      slot.settled.store(-1);
      slot.looked_count.store(count.count);
      slot.looked_ns.store(0);
      for (std::size_t word = 0; word < key.words.size(); ++word) {
        slot.key[word].store(key.words[word], std::memory_order_relaxed);
      }
      set_state(at, SlotState::live, 1);
      const std::uint64_t made = slot.state.load(std::memory_order_acquire);
      return SlotRef{at, generation_of(made)};
    }
    if (++at == file_->sizes().slots) at = 0;
  }
  return {};
}

std::optional<SlotKey> SlotTable::key_of(std::uint32_t slot) const noexcept {
  const LiveSlot& found = file_->slot(slot);
  const SlotState state = state_of(found.state.load(std::memory_order_acquire));
  if (state != SlotState::live && state != SlotState::retiring) return {};
  SlotKey key;
  for (std::size_t at = 0; at < key.words.size(); ++at) {
    key.words[at] = found.key[at].load(std::memory_order_relaxed);
  }
  key.subject_hash = Subject::hash_of(key.words.data());
  return key.in_window(key.first_day());
}

void SlotTable::set_state(std::uint32_t slot, SlotState state, std::uint32_t lives) noexcept {
  std::atomic<std::uint64_t>& word = file_->slot(slot).state;
  step();
  const std::uint32_t generation = generation_of(word.load(std::memory_order_acquire)) + lives;
  word.store(std::uint64_t{generation} << 8 | static_cast<std::uint64_t>(state),
             std::memory_order_seq_cst);
}

}  // namespace byway::policy
