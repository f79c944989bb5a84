#include "base/time_text.hpp"

#include <chrono>
#include <ctime>

namespace byway::base {
namespace {

/// -1 for what is no number of that many digits.
int number(std::string_view text, std::size_t at, std::size_t size) noexcept {
  int value = 0;
  for (const char byte : text.substr(at, size)) {
    if (byte < '0' || byte > '9') return -1;
    value = value * 10 + (byte - '0');
  }
  return value;
}

}  // namespace

std::string rfc3339(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text, size);
}

std::optional<WallTime> parse_rfc3339(std::string_view text) noexcept {
  using namespace std::chrono;
  const bool is_date = text.size() == 10;
  if (!is_date && text.size() != 20) return {};
  if (text[4] != '-' || text[7] != '-') return {};
  const int years = number(text, 0, 4);
  const int months = number(text, 5, 2);
  const int days_of_month = number(text, 8, 2);
  if (years < 1970 || years > 2200 || months < 1 || days_of_month < 1) return {};
  const year_month_day date{year(years), month(static_cast<unsigned>(months)),
                            day(static_cast<unsigned>(days_of_month))};
  if (!date.ok()) return {};
  WallTime time{sys_days(date)};
  if (is_date) return time;
  if (text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z') return {};
  const int hour = number(text, 11, 2);
  const int minute = number(text, 14, 2);
  const int second = number(text, 17, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return {};
  return time + hours(hour) + minutes(minute) + seconds(second);
}

}  // namespace byway::base
