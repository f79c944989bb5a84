// The layout of `<store>-live`: what the processes of a host share about quota.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "policy/quota/wide_word.hpp"

namespace byway::policy {

// Every field is either written before others may look or an atomic; a file of another size or
// version is never read.
constexpr std::uint64_t live_magic = 0x4154'4F55'5157'5942;  // "BYWQUOTA"
constexpr std::uint32_t live_version = 1;
constexpr std::size_t legs_max = 16;
constexpr std::size_t units = 3;
constexpr std::size_t owners_max = 64;

struct LiveSizes {
  std::uint32_t slots = 8192;
  /// Journals; a process takes one, and more when it has more calls in flight than entries.
  std::uint32_t owners = owners_max;
  /// Entries of a journal, at most 4,096.
  std::uint32_t entries = 512;
  bool operator==(const LiveSizes&) const = default;
};

struct alignas(64) LiveOwner {
  /// 1 from the time a process takes the journal until it leaves it with nothing in it.
  std::atomic<std::uint32_t> used;
};

struct alignas(64) LiveHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t slot_bytes;
  LiveSizes sizes;
  /// The host's boot; counts of an earlier boot are not trusted.
  std::array<char, 40> boot_id;
  /// When the mapping was wiped for a reboot; buckets start as full at that moment. 0: never.
  std::int64_t cold_ns;
  /// 1 when all of the above is written.
  std::atomic<std::uint32_t> complete;
  std::array<LiveOwner, owners_max> owner;
};

/// What a slot is; the generation beside it goes up by one at each change.
enum class SlotState : std::uint8_t { empty, live, retiring, free };

/// One count: a limit subject, what is counted, and the window. A slot of a bucket keeps a Moment
/// in `word`: the nanoseconds as count, part and per_minute as mark.
struct alignas(64) LiveSlot {
  WideWord word;
  /// The host may use so much: raised only after it is durable. Caps only.
  std::atomic<std::int64_t> reserved;
  /// generation << 8 | SlotState
  std::atomic<std::uint64_t> state;
  /// The store thread is asked for more when less than this is left of the reservation.
  std::atomic<std::int64_t> low_water;
  /// The highest limit for which the alert was given.
  std::atomic<std::int64_t> alerted;
  /// Buckets: nanoseconds given back so far.
  std::atomic<std::int64_t> credited;
  /// The limit when more was reserved last.
  std::atomic<std::int64_t> limit;
  /// What the ledger says is used.
  std::atomic<std::int64_t> settled;
  /// What was used at the last look, and when that was: the use of a second.
  std::atomic<std::int64_t> looked_count;
  std::atomic<std::int64_t> looked_ns;
  /// The key: six words of the subject, then kind, unit and first day.
  std::array<std::atomic<std::uint64_t>, 7> key;
};

enum class EntryState : std::uint8_t { free, claim, held, settling };

/// One call in the journal. A leg is a slot that the call takes from, in order.
struct alignas(64) LiveEntry {
  /// sequence << 32 | doubt << 16 | legs << 8 | EntryState
  std::atomic<std::uint64_t> state;
  /// sequence << 32 | one bit a leg that is returned << 16 | one bit a leg that is taken
  std::atomic<std::uint64_t> done;
  /// What was taken, by unit, and what it came to.
  std::array<std::atomic<std::int64_t>, units> amount;
  std::array<std::atomic<std::int64_t>, units> final_amount;
  /// generation << 32 | slot
  std::array<std::atomic<std::uint64_t>, legs_max> legs;
  /// The request id, zero-padded.
  std::array<std::atomic<std::uint64_t>, 4> label;
};

static_assert(std::atomic<std::int64_t>::is_always_lock_free);
static_assert(sizeof(LiveEntry) == 256 && sizeof(LiveSlot) == 192);

}  // namespace byway::policy
