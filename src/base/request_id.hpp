// Request ids: "bw-req-" and a ULID.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <byway/clock.hpp>

namespace byway::base {

/// Seven fixed characters and 26 of Crockford base 32: 48 bits of wall time in ms, then 80 random
/// bits.
using RequestId = std::array<char, 33>;

/// Random bits come from a per-thread generator seeded by the system: unique, not secret. *Safe
/// from any thread.*
RequestId make_request_id(WallTime wall) noexcept;
/// 64 random bits of the same generator: for jitter.
std::uint64_t random_bits() noexcept;
/// The 26 characters alone: ids of records.
std::array<char, 26> make_ulid(WallTime wall) noexcept;

}  // namespace byway::base
