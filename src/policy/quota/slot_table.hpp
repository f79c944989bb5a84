// SlotTable: finds the count of a limit in a window.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "policy/quota/limit.hpp"
#include "policy/quota/live_file.hpp"

namespace byway::policy {

/// What a slot counts, and its UTC window: `first_day` is 0 for what has no window.
struct SlotKey {
  static SlotKey of(const Limit& limit, std::int32_t first_day) noexcept;
  std::array<std::uint64_t, 7> words{};
  std::uint64_t subject_hash = 0;
  std::uint64_t hash = 0;

  /// The same of another window.
  SlotKey in_window(std::int32_t first_day) const noexcept;

  LimitKind kind() const noexcept { return static_cast<LimitKind>(words[6] & 0xFF); }
  QuotaUnit unit() const noexcept { return static_cast<QuotaUnit>(words[6] >> 8 & 0xFF); }
  std::int32_t first_day() const noexcept { return static_cast<std::int32_t>(words[6] >> 32); }
  /// Lives as long as the key.
  std::string_view subject() const noexcept;
};

/// A slot, and which of its lives.
struct SlotRef {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

/// Open addressing over the mapping. Finding is *safe from any thread*; what changes the table
/// needs the LiveFile's Guard.
class SlotTable {
 public:
  explicit SlotTable(const LiveFile& file) noexcept : file_(&file) {}

  std::optional<SlotRef> find(const SlotKey& key) const noexcept;
  /// Whether the slot still is what it was. Asked after a journal entry names the slot, it answers
  /// for as long as the entry does.
  bool is_live(const SlotRef& ref) const noexcept;
  /// The same number for the same key, below sizes().slots.
  std::uint32_t line_of(const SlotKey& key) const noexcept;

  /// The key must not be there. Empty when the table is full around its place.
  std::optional<SlotRef> add(const SlotKey& key, const Counted& count,
                             std::int64_t reserved) noexcept;
  /// The key of a slot that is live or retiring; empty for another.
  std::optional<SlotKey> key_of(std::uint32_t slot) const noexcept;
  /// From here on nobody new finds it; journals are looked through next.
  void begin_retiring(std::uint32_t slot) noexcept { set_state(slot, SlotState::retiring, 0); }
  void keep(std::uint32_t slot) noexcept { set_state(slot, SlotState::live, 0); }
  void retire(std::uint32_t slot) noexcept { set_state(slot, SlotState::free, 1); }

 private:
  void set_state(std::uint32_t slot, SlotState state, std::uint32_t lives) noexcept;
  bool has_key(const LiveSlot& slot, const SlotKey& key) const noexcept;
  const LiveFile* file_;
};

}  // namespace byway::policy
