#include "policy/quota/journal.hpp"

#include <utility>

namespace byway::policy {

bool Journal::add(std::uint32_t owner, FileLock lock) {
  const std::uint32_t at = count_.load(std::memory_order_relaxed);
  if (at == owners_held_max) return false;
  const std::uint32_t entries = file_->sizes().entries;
  held_[at].owner = owner;
  held_[at].lock = std::move(lock);
  held_[at].calls = std::make_unique<InFlightCall[]>(entries);
  file_->header().owner[owner].used.store(1, std::memory_order_seq_cst);
  count_.store(at + 1, std::memory_order_release);
  for (std::uint32_t entry = entries; entry-- > 0;) push(at * entries + entry);
  return true;
}

bool Journal::has(std::uint32_t owner) const noexcept {
  for (std::uint32_t at = 0; at < count_.load(std::memory_order_acquire); ++at) {
    if (held_[at].owner == owner) return true;
  }
  return false;
}

void Journal::leave() noexcept {
  for (std::uint32_t at = 0; at < count_.load(std::memory_order_acquire); ++at) {
    bool is_empty = true;
    for (std::uint32_t entry = 0; entry < file_->sizes().entries; ++entry) {
      const Claim claim = Claim::found(*file_, held_[at].owner, entry);
      is_empty = is_empty && claim.state() == EntryState::free;
    }
    // One that is not empty is replayed like a dead process's.
    if (is_empty) file_->header().owner[held_[at].owner].used.store(0, std::memory_order_release);
  }
}

std::optional<std::uint32_t> Journal::pop() noexcept {
  std::uint64_t top = top_.load(std::memory_order_acquire);
  for (;;) {
    const auto entry = static_cast<std::uint32_t>(top);
    if (entry == 0) return {};
    const std::uint32_t next = call(entry - 1).next.load(std::memory_order_relaxed);
    const std::uint64_t changed = ((top >> 32) + 1) << 32 | next;
    if (top_.compare_exchange_weak(top, changed, std::memory_order_acq_rel)) {
      free_.fetch_sub(1, std::memory_order_relaxed);
      return entry - 1;
    }
  }
}

void Journal::push(std::uint32_t entry) noexcept {
  std::uint64_t top = top_.load(std::memory_order_relaxed);
  for (;;) {
    call(entry).next.store(static_cast<std::uint32_t>(top), std::memory_order_relaxed);
    const std::uint64_t changed = ((top >> 32) + 1) << 32 | (entry + 1);
    if (top_.compare_exchange_weak(top, changed, std::memory_order_acq_rel)) break;
  }
  free_.fetch_add(1, std::memory_order_relaxed);
}

Claim Journal::claim(std::uint32_t entry, std::uint32_t sequence) const noexcept {
  const std::uint32_t entries = file_->sizes().entries;
  return Claim(*file_, {held_[entry / entries].owner, entry % entries, sequence});
}

Claim Journal::next_claim(std::uint32_t entry) const noexcept {
  const std::uint32_t entries = file_->sizes().entries;
  const std::uint32_t owner = held_[entry / entries].owner;
  const std::uint64_t state =
      file_->entry(owner, entry % entries).state.load(std::memory_order_relaxed);
  return Claim(*file_, {owner, entry % entries, static_cast<std::uint32_t>(state >> 32) + 1});
}

}  // namespace byway::policy
