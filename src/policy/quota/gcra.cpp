#include "policy/quota/gcra.hpp"

#include <algorithm>

namespace byway::policy {
namespace {

__extension__ typedef __int128 Wide;

constexpr Wide minute_ns = 60'000'000'000;
constexpr Wide far_ns = std::int64_t{1} << 61;

std::int64_t capped(Wide ns) noexcept {
  return static_cast<std::int64_t>(std::clamp(ns, -far_ns, far_ns));
}

Wide wide_of(const Moment& moment, std::uint32_t per_minute) noexcept {
  // Another rate counts in other parts: what is between two nanoseconds is rounded up.
  const bool is_same = moment.per_minute == per_minute;
  const Wide ns = Wide{moment.ns} + (!is_same && moment.part != 0 ? 1 : 0);
  return ns * per_minute + (is_same ? moment.part : 0);
}

/// In parts of a nanosecond, of which a nanosecond has `per_minute`.
Wide end_of(const Moment& bucket, std::int64_t now_ns, const Rate& rate,
            std::int64_t amount) noexcept {
  const Wide now = Wide{now_ns} * rate.per_minute;
  return std::max(wide_of(bucket, rate.per_minute), now) + Wide{amount} * minute_ns;
}

/// From such an end to when it is no further away than the burst.
std::int64_t wait_until_near(Wide end, std::int64_t now_ns, const Rate& rate) noexcept {
  const Wide per_minute = rate.per_minute;
  const Wide over = end - Wide{now_ns} * per_minute - Wide{rate.burst} * minute_ns;
  // The division is the dear part, and most calls need not wait.
  return over <= 0 ? 0 : capped((over + per_minute - 1) / per_minute);
}

}  // namespace

Moment filled(const Moment& bucket, std::int64_t now_ns, const Rate& rate,
              std::int64_t amount) noexcept {
  const Wide per_minute = rate.per_minute;
  const Wide end = end_of(bucket, now_ns, rate, amount);
  const Wide ns = end / per_minute;
  if (ns > far_ns) return {static_cast<std::int64_t>(far_ns), 0, rate.per_minute};
  return {static_cast<std::int64_t>(ns), static_cast<std::uint32_t>(end - ns * per_minute),
          rate.per_minute};
}

std::int64_t wait_for(const Moment& after, std::int64_t now_ns, const Rate& rate) noexcept {
  return wait_until_near(wide_of(after, rate.per_minute), now_ns, rate);
}

std::int64_t wait_to_fill(const Moment& bucket, std::int64_t now_ns, const Rate& rate,
                          std::int64_t amount) noexcept {
  return wait_until_near(end_of(bucket, now_ns, rate, amount), now_ns, rate);
}

std::int64_t drain_ns(const Rate& rate, std::int64_t amount) noexcept {
  return capped(Wide{amount} * minute_ns / rate.per_minute);
}

std::int64_t room(const Moment& bucket, std::int64_t now_ns, const Rate& rate) noexcept {
  const Wide per_minute = rate.per_minute;
  const Wide debt = std::max(Wide{0}, wide_of(bucket, rate.per_minute) - Wide{now_ns} * per_minute);
  return capped(std::max(Wide{0}, (Wide{rate.burst} * minute_ns - debt) / minute_ns));
}

}  // namespace byway::policy
