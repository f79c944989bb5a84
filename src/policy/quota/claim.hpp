// Claim: takes from counts and gives back to them such that whoever finds the journal of a dead
// process knows what it had done.
#pragma once

#include <cstdint>
#include <string_view>

#include "policy/quota/live_file.hpp"
#include "policy/quota/slot_table.hpp"

namespace byway::policy {

/// A journal entry, and which of its lives.
struct EntryRef {
  std::uint32_t owner = 0;
  std::uint32_t entry = 0;
  std::uint32_t sequence = 0;
};

enum class Take : std::uint8_t { taken, at_limit, at_reserved };

/// The steps of one journal entry. Each change of a count leaves the mark of entry, leg and
/// direction beside the count, in one instruction; whoever changes the count next first writes that
/// mark into the entry's `done` bits. So a change is known to have happened exactly when its bit is
/// set or its mark is still there, at whichever instruction its process died (a detectable
/// compare-and-swap). *One thread at a time* for an entry; any number for a count.
class Claim {
 public:
  Claim(const LiveFile& file, const EntryRef& entry) noexcept : file_(&file), ref_(entry) {}
  /// The claim of an entry as it stands.
  static Claim found(const LiveFile& file, std::uint32_t owner, std::uint32_t entry) noexcept;

  LiveEntry& entry() const noexcept { return file_->entry(ref_.owner, ref_.entry); }
  const EntryRef& ref() const noexcept { return ref_; }
  EntryState state() const noexcept;
  std::size_t legs() const noexcept;
  SlotRef leg(std::size_t at) const noexcept;

  /// Fills the entry's next life and publishes it; the legs stay where they are from now on.
  void begin(const SlotRef* legs, std::size_t count, const std::int64_t (&amounts)[units],
             std::string_view label) noexcept;
  void set_state(EntryState state) noexcept;

  /// Takes `amount` unless the count would pass `limit` or the reservation; once a leg.
  Take take(std::size_t leg, std::int64_t amount, std::int64_t limit, bool is_reserved) noexcept;
  bool has_taken(std::size_t leg) const noexcept;
  /// Adds `change` (mostly negative) to what the leg took; a second time does nothing.
  void give(std::size_t leg, std::int64_t change) noexcept;

 private:
  std::uint64_t mark(std::size_t leg, bool is_return) const noexcept;
  void help(std::uint64_t mark) const noexcept;
  bool is_done(std::size_t leg, bool is_return, std::uint64_t mark_found) const noexcept;

  const LiveFile* file_;
  EntryRef ref_;
};

}  // namespace byway::policy
