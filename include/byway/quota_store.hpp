// QuotaStore: the port through which a host reserves quota durably ahead of its use.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <byway/result.hpp>

namespace byway {

/// What a limit counts. Money is whole nano-dollars.
enum class QuotaUnit : std::uint8_t { requests, tokens, nano_dollars };
/// The stretch of UTC over which a cap counts.
enum class QuotaPeriod : std::uint8_t { day, month };

/// One cap's count in one window. The view lives as long as the call that it is handed to.
struct QuotaWindow {
  /// "key:<id>", "org:<name>" or "endpoint:<id>", at most 48 bytes.
  std::string_view subject;
  QuotaUnit unit = QuotaUnit::requests;
  QuotaPeriod period = QuotaPeriod::day;
  /// The first day of the window, counted in days since 1970-01-01 UTC.
  std::int32_t first_day = 0;
};

/// How much of a window is used by now: an absolute count, so that writing it twice is harmless.
struct QuotaUse {
  QuotaWindow window;
  std::int64_t used = 0;
};

/// A call that was sent, perhaps, by a process that died before it knew the outcome. What it held
/// stays charged.
struct QuotaDoubt {
  /// The request id that admission was given; a label that is there already is not added again.
  std::string_view label;
  std::int64_t at_unix_s = 0;
};

/// Where reservations are durable: SQLite for one host, later Redis and PostgreSQL for many. Every
/// verb is durable when it returns. Byway calls it from the store thread, and from one process of a
/// host at a time. *One thread at a time.* Codes: store_locked, store_io_error, store_disk_full,
/// store_corrupt.
class QuotaStore {
 public:
  virtual ~QuotaStore() = default;

  /// Reserves up to `want` more for this host, such that all hosts together never have more than
  /// `limit`, and returns the host's whole reservation afterwards, what it used included. `want` 0
  /// reads it. A reservation that stands above a lowered limit stays.
  virtual Result<std::int64_t> extend(const QuotaWindow& window, std::int64_t want,
                                      std::int64_t limit) = 0;

  /// The host uses no more than `keep` of the window, and neither will it: the rest of its
  /// reservation is free for others.
  virtual Result<void> give_back(const QuotaWindow& window, std::int64_t keep) = 0;

  /// Writes down what is used, and the calls in doubt, all or nothing.
  virtual Result<void> settle(std::span<const QuotaUse> uses,
                              std::span<const QuotaDoubt> doubts) = 0;
};

}  // namespace byway
