// QuotaAlert: so much of a cap is used that somebody should know.
#pragma once

#include <cstdint>
#include <string>

#include <byway/quota_store.hpp>

namespace byway {

/// Given once for a window, by the process whose call passed the line, and once more each time the
/// limit was raised above the highest one it was given for and the share of that is used too; a
/// lowered limit gives no other. After the host has been started anew perhaps once more.
struct QuotaAlert {
  /// "key:<id>" or "org:<name>", at most 48 bytes.
  std::string subject = {};
  QuotaUnit unit = QuotaUnit::requests;
  QuotaPeriod period = QuotaPeriod::day;
  /// The first day of the window, counted in days since 1970-01-01 UTC.
  std::int32_t first_day = 0;
  /// What calls in flight hold included. Tokens and money can stand above their limit.
  std::int64_t used = 0;
  std::int64_t limit = 0;
};

}  // namespace byway
