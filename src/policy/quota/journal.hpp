// Journal: this process's entries, and which of them are free.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "policy/quota/bucket.hpp"
#include "policy/quota/claim.hpp"
#include "policy/quota/file_lock.hpp"

namespace byway::policy {

constexpr std::size_t rates_max = 6;

/// What only the living process needs to know of a call in the journal.
struct InFlightCall {
  std::atomic<std::uint32_t> next;
  std::uint32_t sequence;
  std::array<std::uint32_t, legs_max> line;
  std::array<Fill, rates_max> fill;
  std::array<Rate, rates_max> rate;
};

/// Owners that this process holds, at most 16, and a free list over all their entries. Taking and
/// putting back entries is *safe from any thread*; adding owners is not.
class Journal {
 public:
  static constexpr std::uint32_t owners_held_max = 16;

  explicit Journal(const LiveFile& file) noexcept : file_(&file) {}
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// An owner whose lock is held and whose entries are all free. False when there are 16.
  bool add(std::uint32_t owner, FileLock lock);
  bool has(std::uint32_t owner) const noexcept;
  /// Leaves the owners whose entries are all free to others.
  void leave() noexcept;

  /// A free entry; empty when all are taken.
  std::optional<std::uint32_t> pop() noexcept;
  void push(std::uint32_t entry) noexcept;
  /// About; 0 means that another owner is needed.
  std::uint32_t free_entries() const noexcept { return free_.load(std::memory_order_relaxed); }

  Claim claim(std::uint32_t entry, std::uint32_t sequence) const noexcept;
  /// The claim of an entry's next life.
  Claim next_claim(std::uint32_t entry) const noexcept;
  InFlightCall& call(std::uint32_t entry) const noexcept {
    return held_[entry / file_->sizes().entries].calls[entry % file_->sizes().entries];
  }

 private:
  struct Held {
    std::uint32_t owner = 0;
    FileLock lock;
    std::unique_ptr<InFlightCall[]> calls;
  };
  const LiveFile* file_;
  std::array<Held, owners_held_max> held_;
  std::atomic<std::uint32_t> count_{0};
  /// changes << 32 | entry + 1: a stack whose top is never mistaken for an earlier one.
  alignas(64) std::atomic<std::uint64_t> top_{0};
  std::atomic<std::uint32_t> free_{0};
};

}  // namespace byway::policy
