// Gcra: the generic cell rate algorithm in whole numbers, without rounding.
#pragma once

#include <cstdint>

namespace byway::policy {

/// Over any interval t at most burst + per_minute x t / 60 s pass.
struct Rate {
  std::uint32_t per_minute = 0;
  std::int64_t burst = 0;
};

/// A moment: `ns` + `part` / `per_minute` nanoseconds, so that the cost of one unit, a minute /
/// per_minute, adds up exactly. A bucket is the moment at which it will be empty of debt (the
/// theoretical arrival time of ITU-T I.371).
struct Moment {
  std::int64_t ns = 0;
  std::uint32_t part = 0;
  std::uint32_t per_minute = 1;
  bool operator==(const Moment&) const = default;
};

/// The bucket after `amount` more, taken at `now_ns`; saturates some centuries ahead. A bucket kept
/// at another rate is rounded up to the next nanosecond first.
Moment filled(const Moment& bucket, std::int64_t now_ns, const Rate& rate,
              std::int64_t amount) noexcept;

/// 0 when a bucket that would be filled to `after` holds it at `now_ns`; else the exact wait in
/// nanoseconds until it does.
std::int64_t wait_for(const Moment& after, std::int64_t now_ns, const Rate& rate) noexcept;

/// The same for a bucket that `amount` more would be put into.
std::int64_t wait_to_fill(const Moment& bucket, std::int64_t now_ns, const Rate& rate,
                          std::int64_t amount) noexcept;

/// The time that `amount` takes to drain, in whole nanoseconds, rounded down.
std::int64_t drain_ns(const Rate& rate, std::int64_t amount) noexcept;

/// Whole units that still fit at `now_ns`.
std::int64_t room(const Moment& bucket, std::int64_t now_ns, const Rate& rate) noexcept;

}  // namespace byway::policy
