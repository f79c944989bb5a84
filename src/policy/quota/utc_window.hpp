// UTC windows: the day and the month that a call belongs to.
#pragma once

#include <cstdint>

#include <byway/clock.hpp>
#include <byway/quota_store.hpp>

namespace byway::policy {

/// The first day of the window that holds `time`, in days since 1970-01-01 UTC.
std::int32_t window_start(QuotaPeriod period, WallTime time) noexcept;
/// The first moment after the window; windows are half-open.
WallTime window_end(QuotaPeriod period, std::int32_t first_day) noexcept;

}  // namespace byway::policy
