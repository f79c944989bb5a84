// Bucket: a rate's slot, filled by calls and drained by time.
#pragma once

#include <cstdint>

#include "policy/quota/gcra.hpp"
#include "policy/quota/live_layout.hpp"

namespace byway::policy {

/// What one call put into a bucket, kept until the call is settled.
struct Fill {
  Moment before;
  Moment after;
  std::int64_t amount = 0;
  /// The bucket's `credited` at that time.
  std::int64_t credited = 0;
};

/// Fills the bucket and returns 0, or the exact wait in nanoseconds until it would fit, with the
/// bucket left as it was. *Safe from any thread*, like the rest.
std::int64_t fill(LiveSlot& slot, std::int64_t now_ns, const Rate& rate, std::int64_t amount,
                  Fill& made) noexcept;
/// What fill would say.
std::int64_t wait_to_fill(const LiveSlot& slot, std::int64_t now_ns, const Rate& rate,
                          std::int64_t amount) noexcept;
/// More than was thought: the bucket may go over its burst, and later calls wait for it.
void overfill(LiveSlot& slot, std::int64_t now_ns, const Rate& rate, std::int64_t amount) noexcept;

/// Takes back up to `amount` of what `made` put in, and never so much that more could pass than if
/// it had never been put in. When nobody filled the bucket since, that is all of it. Otherwise the
/// credit is bounded by debt that was there without a gap: what has drained meanwhile is gone,
/// because whether the bucket would have been empty instead is not known.
void drain(LiveSlot& slot, std::int64_t now_ns, const Rate& rate, std::int64_t amount,
           const Fill& made) noexcept;

/// Whole units that fit now.
std::int64_t room_in(const LiveSlot& slot, std::int64_t now_ns, const Rate& rate) noexcept;

}  // namespace byway::policy
