// Wall time as text: RFC 3339 in UTC, whole seconds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <byway/clock.hpp>

namespace byway::base {

/// "2027-01-31T00:00:00Z".
std::string rfc3339(WallTime time);

/// Reads that form, and a date alone as its midnight. Absent for anything else, for days that no
/// calendar has, and for years outside 1970 to 2200.
std::optional<WallTime> parse_rfc3339(std::string_view text) noexcept;

}  // namespace byway::base
