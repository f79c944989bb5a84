// Limit: one number that a subject's calls may not pass.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <byway/quota_store.hpp>

#include "policy/quota/gcra.hpp"

namespace byway::policy {

/// Whose limit it is: "key:<id>", "org:<name>" or "endpoint:<id>". Made once, when limits are
/// loaded; compared and hashed without reading text.
class Subject {
 public:
  static constexpr std::size_t bytes_max = 48;

  Subject() = default;
  /// A name too long for 48 bytes is cut and ends in 128 bits of its SHA-256.
  static Subject of(std::string_view kind, std::string_view name);

  /// Lives as long as the Subject.
  std::string_view text() const noexcept;
  /// Of the first six words.
  static std::uint64_t hash_of(const std::uint64_t* words) noexcept;
  std::uint64_t hash() const noexcept { return hash_; }
  const std::array<std::uint64_t, 6>& words() const noexcept { return words_; }
  bool operator==(const Subject&) const = default;

 private:
  std::array<std::uint64_t, 6> words_{};
  std::uint64_t hash_ = 0;
};

/// In the order in which they are enforced.
enum class LimitKind : std::uint8_t { rate, in_flight, day, month };

/// Limits are kept in the order of enforcement (`sort_limits`) and outlive the calls that they
/// judge.
struct Limit {
  Subject subject;
  LimitKind kind = LimitKind::day;
  QuotaUnit unit = QuotaUnit::requests;
  /// Per minute for a rate, at once for in_flight, per window for a cap.
  std::int64_t limit = 0;
  /// Of a rate; 0 is the limit itself.
  std::int64_t burst = 0;
  /// 0 for a key, 1 for its org: narrow subjects are asked first.
  std::uint8_t breadth = 0;
  /// Of in_flight: whether a call waits for its turn.
  bool waits = false;
};

constexpr bool is_cap(LimitKind kind) noexcept {
  return kind == LimitKind::day || kind == LimitKind::month;
}

/// The rate that a limit of kind `rate` stands for.
Rate rate_of(const Limit& limit) noexcept;

/// Whether `left` is enforced before `right`: rates (requests, then tokens), in-flight, caps;
/// narrow subjects first in each, so that what a call took on its way to a refusal was out of reach
/// for whoever found it taken.
bool enforced_before(const Limit& left, const Limit& right) noexcept;

}  // namespace byway::policy
