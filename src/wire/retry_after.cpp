#include "wire/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "wire/ascii.hpp"

namespace byway::wire {
namespace {

using std::chrono::milliseconds;
using Wait = std::optional<milliseconds>;

/// Ten years: whatever is longer means "never", and must not overflow.
constexpr double wait_max_ms = 10.0 * 366 * 86400 * 1000;

milliseconds clamped(double wait_ms) noexcept {
  return milliseconds(static_cast<std::int64_t>(std::clamp(wait_ms, 0.0, wait_max_ms)));
}

milliseconds until(WallTime when, WallTime now) noexcept {
  return clamped(std::chrono::duration<double, std::milli>(when - now).count());
}

/// A plain decimal number at the front of `text`, which is then consumed.
std::optional<double> take_number(std::string_view& text) noexcept {
  double value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// Milliseconds in the unit at the front of `text`, which is then consumed; 0 for none.
double take_unit(std::string_view& text) noexcept {
  struct Unit {
    std::string_view word;
    double ms;
  };
  // Longer words first where one begins another.
  static constexpr Unit units[] = {
      {"milliseconds", 1}, {"millisecond", 1}, {"ms", 1},       {"us", 1e-3},  {"\xC2\xB5s", 1e-3},
      {"ns", 1e-6},        {"seconds", 1e3},   {"second", 1e3}, {"secs", 1e3}, {"sec", 1e3},
      {"s", 1e3},          {"minutes", 6e4},   {"minute", 6e4}, {"mins", 6e4}, {"min", 6e4},
      {"m", 6e4},          {"hours", 3.6e6},   {"hour", 3.6e6}, {"h", 3.6e6},  {"days", 8.64e7},
      {"day", 8.64e7},     {"d", 8.64e7},
  };
  for (const Unit& unit : units) {
    if (!begins_with_lower(text, unit.word)) continue;
    text.remove_prefix(unit.word.size());
    return unit.ms;
  }
  return 0;
}

/// "6m0s", "17ms", "1h 2m 3.5s" at the front of `text`; a bare number is seconds.
Wait take_duration(std::string_view& text) noexcept {
  double total = 0;
  bool is_found = false;
  while (!text.empty() && is_ascii_digit(text.front())) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    std::string_view rest = text;
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    const double unit = take_unit(rest);
    total += *number * (unit == 0 ? 1e3 : unit);
    is_found = true;
    if (unit == 0) break;
    text = rest;
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    if (!rest.empty() && is_ascii_digit(rest.front())) text = rest;
  }
  if (!is_found) return std::nullopt;
  return clamped(total);
}

struct Date {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0;
  double second = 0;
};

Wait until_date(const Date& date, WallTime now) noexcept {
  using namespace std::chrono;
  const year_month_day day(year(date.year), month(static_cast<unsigned>(date.month)),
                           std::chrono::day(static_cast<unsigned>(date.day)));
  const bool is_time = date.hour >= 0 && date.hour < 24 && date.minute >= 0 && date.minute < 60 &&
                       date.second >= 0 && date.second < 61;
  // Further years than these do not fit the clock's range.
  if (!day.ok() || !is_time || date.year < 1970 || date.year > 2200) return std::nullopt;
  const auto when = sys_days(day) + hours(date.hour) + minutes(date.minute) +
                    milliseconds(static_cast<std::int64_t>(date.second * 1000));
  return until(WallTime(duration_cast<WallTime::duration>(when.time_since_epoch())), now);
}

int small_integer(std::string_view digits) noexcept {
  int value = -1;
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, value);
  return error == std::errc() && end == last ? value : -1;
}

/// "10:00:05" or "10:00:05.25".
bool read_time(std::string_view text, Date& date) noexcept {
  if (text.size() < 8 || text[2] != ':' || text[5] != ':') return false;
  date.hour = small_integer(text.substr(0, 2));
  date.minute = small_integer(text.substr(3, 2));
  text.remove_prefix(6);
  const auto second = take_number(text);
  date.second = second.value_or(-1);
  return text.empty();
}

int month_of(std::string_view word) noexcept {
  static constexpr std::string_view names = "janfebmaraprmayjunjulaugsepoctnovdec";
  for (int month = 0; month < 12; ++month) {
    if (equals_lower(word, names.substr(static_cast<std::size_t>(month) * 3, 3))) return month + 1;
  }
  return 0;
}

/// The three forms of RFC 9110 section 5.6.7, told apart by what their words look like.
Wait until_http_date(std::string_view text, WallTime now) noexcept {
  Date date;
  bool has_time = false;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find_first_of(" ,-"));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.empty()) continue;
    if (word.find(':') != std::string_view::npos) {
      has_time = read_time(word, date);
    } else if (is_ascii_digit(word.front())) {
      const int number = small_integer(word);
      if (date.day == 0) {
        date.day = number;
      } else {
        date.year = word.size() == 2 ? number + (number < 70 ? 2000 : 1900) : number;
      }
    } else if (const int month = month_of(word)) {
      date.month = month;
    }
  }
  if (!has_time || date.day == 0 || date.month == 0) return std::nullopt;
  return until_date(date, now);
}

/// RFC 3339: "2026-11-22T10:00:05.5+01:00".
Wait until_timestamp(std::string_view text, WallTime now) noexcept {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-') return std::nullopt;
  Date date;
  date.year = small_integer(text.substr(0, 4));
  date.month = small_integer(text.substr(5, 2));
  date.day = small_integer(text.substr(8, 2));
  text.remove_prefix(11);
  const std::size_t zone = text.find_first_of("Zz+-");
  if (zone == std::string_view::npos || date.month < 1 || date.day < 1) return std::nullopt;
  if (!read_time(text.substr(0, zone), date)) return std::nullopt;
  std::chrono::minutes offset{0};
  if (ascii_lower(text[zone]) != 'z') {
    if (text.size() != zone + 6 || text[zone + 3] != ':') return std::nullopt;
    const int hours = small_integer(text.substr(zone + 1, 2));
    const int minutes = small_integer(text.substr(zone + 4, 2));
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
    offset = std::chrono::minutes((hours * 60 + minutes) * (text[zone] == '-' ? -1 : 1));
  }
  return until_date(date, now + offset);
}

Wait read_number(double number, WallTime now, ResetUnit unit) noexcept {
  if (unit == ResetUnit::automatic) {
    // No wait is as long as the time since 1970.
    unit = number >= 1e11  ? ResetUnit::epoch_ms
           : number >= 1e9 ? ResetUnit::epoch_s
                           : ResetUnit::seconds;
  }
  const double now_ms = std::chrono::duration<double, std::milli>(now.time_since_epoch()).count();
  switch (unit) {
    case ResetUnit::milliseconds: return clamped(number);
    case ResetUnit::epoch_s: return clamped(number * 1e3 - now_ms);
    case ResetUnit::epoch_ms: return clamped(number - now_ms);
    default: return clamped(number * 1e3);
  }
}

struct Bucket {
  std::string_view remaining;
  std::string_view reset;
  ResetUnit unit = ResetUnit::automatic;
};

/// The wait of a bucket that is empty, or that does not tell how full it is.
Wait bucket_wait(const HeadersView& headers, const Bucket& bucket, WallTime now) {
  if (bucket.reset.empty()) return std::nullopt;
  const std::string_view reset = headers.value(bucket.reset);
  if (reset.empty()) return std::nullopt;
  std::string_view remaining = bucket.remaining.empty() ? "" : headers.value(bucket.remaining);
  remaining = trimmed(remaining);
  if (!remaining.empty() && take_number(remaining).value_or(1) > 0) return std::nullopt;
  return parse_wait(reset, now, bucket.unit);
}

}  // namespace

Wait parse_wait(std::string_view value, WallTime now, ResetUnit unit) {
  value = trimmed(value);
  if (value.empty()) return std::nullopt;
  std::string_view rest = value;
  if (const auto number = take_number(rest); number && rest.empty()) {
    return read_number(*number, now, unit);
  }
  rest = value;
  if (const Wait wait = take_duration(rest); wait && rest.empty()) return wait;
  if (const Wait wait = until_timestamp(value, now)) return wait;
  return until_http_date(value, now);
}

Wait wait_in_prose(std::string_view text) {
  for (const std::string_view lead : {"retry after ", "try again in ", "retry in ", "wait "}) {
    const std::size_t found = find_lower(text, lead);
    if (found == std::string_view::npos) continue;
    std::string_view rest = text.substr(found + lead.size());
    if (const Wait wait = take_duration(rest)) return wait;
  }
  return std::nullopt;
}

Wait retry_after(HeadersView headers, WallTime now, const Dialect& dialect) {
  if (const auto wait = parse_wait(headers.value("retry-after-ms"), now, ResetUnit::milliseconds)) {
    return wait;
  }
  if (const auto wait = parse_wait(headers.value("retry-after"), now)) return wait;
  const std::array buckets = {
      Bucket{dialect.rate.remaining, dialect.rate.reset, dialect.rate.reset_unit},
      Bucket{"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
      Bucket{"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"},
      Bucket{"x-ratelimit-remaining", "x-ratelimit-reset"},
  };
  Wait longest;
  for (const Bucket& bucket : buckets) {
    const Wait wait = bucket_wait(headers, bucket, now);
    if (wait) longest = std::max(longest.value_or(milliseconds(0)), *wait);
  }
  return longest;
}

}  // namespace byway::wire
