// LimitBounds: the largest numbers that a limit of a key, an org or an endpoint may have.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace byway::registry {

/// Requests, tokens or nano-dollars: a million dollars, far from where sums overflow.
constexpr std::int64_t cap_max = 1'000'000'000'000'000;
/// Exact buckets divide a minute by at most 32 bits.
constexpr std::int64_t rpm_max = 1'000'000'000;
constexpr std::int64_t tpm_max = 4'000'000'000;
constexpr std::int64_t in_flight_max = 1'000'000;

/// By the field's name; of others no bound.
constexpr std::int64_t limit_max(std::string_view field) noexcept {
  if (field == "rpm" || field == "rpm_burst") return rpm_max;
  if (field == "tpm") return tpm_max;
  return field == "in_flight" ? in_flight_max : std::numeric_limits<std::int64_t>::max();
}

}  // namespace byway::registry
