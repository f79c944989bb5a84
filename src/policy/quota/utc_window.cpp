#include "policy/quota/utc_window.hpp"

#include <chrono>

namespace byway::policy {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month_day;

std::int32_t window_start(QuotaPeriod period, WallTime time) noexcept {
  const sys_days day = floor<days>(time);
  if (period == QuotaPeriod::day) return static_cast<std::int32_t>(day.time_since_epoch().count());
  const year_month_day date(day);
  const sys_days first = date.year() / date.month() / 1;
  return static_cast<std::int32_t>(first.time_since_epoch().count());
}

WallTime window_end(QuotaPeriod period, std::int32_t first_day) noexcept {
  const sys_days first{days(first_day)};
  if (period == QuotaPeriod::day) return first + days(1);
  return sys_days(year_month_day(first) + months(1));
}

}  // namespace byway::policy
