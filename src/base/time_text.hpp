// Wall time as text, RFC 3339 in UTC, whole seconds; and as a number.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <byway/clock.hpp>

namespace byway::base {

/// "2027-01-31T00:00:00Z".
std::string rfc3339(WallTime time);

/// Microseconds since 1970, as audit records keep them.
inline std::int64_t unix_us(WallTime time) noexcept {
  const auto since = time.time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

/// The time of such a number; what no clock says is its last moment.
inline WallTime wall_time_of(std::int64_t unix_us) noexcept {
  using std::chrono::microseconds;
  // A clock counts in nanoseconds.
  const auto last = std::chrono::floor<microseconds>(WallTime::duration::max());
  return WallTime(std::min(microseconds(unix_us), last));
}

/// Reads that form, and a date alone as its midnight. Absent for anything else, for days that no
/// calendar has, and for years outside 1970 to 2200.
std::optional<WallTime> parse_rfc3339(std::string_view text) noexcept;

}  // namespace byway::base
