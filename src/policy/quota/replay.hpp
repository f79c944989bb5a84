// Replay: finishes what a dead process had begun.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policy/quota/claim.hpp"

namespace byway::policy {

/// The request ids of calls that were held and have no outcome: they stay charged. They are written
/// down before `replay`, which forgets them. Needs the lock of the owner.
std::vector<std::string> doubts_of(const LiveFile& file, std::uint32_t owner);

/// Finishes each entry of an owner and frees it. A claim was never sent: it is released. A call
/// that was held and has no outcome stays charged and leaves the in-flight count. What was being
/// settled is settled to the end. May be cut short at any instruction and done again. Needs the
/// lock of the owner.
void replay(const LiveFile& file, std::uint32_t owner) noexcept;

/// Gives back what the outcome leaves over, leg by leg, and frees the entry, which is `settling`.
/// Buckets are left to time.
void finish(const LiveFile& file, Claim claim) noexcept;

}  // namespace byway::policy
