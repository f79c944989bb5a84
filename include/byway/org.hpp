// Org: the tenant that endpoints, keys, limits and aliases belong to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace byway {

/// What holds for every call of an org, whatever its key says. Absent limits are none.
struct OrgLimits {
  /// Requests per UTC day and month, at least 1.
  std::optional<std::int64_t> cap_day = {};
  std::optional<std::int64_t> cap_month = {};
  /// Tokens per UTC day and month, prompt and output together, at least 1; needs no prices.
  std::optional<std::int64_t> cap_tokens_day = {};
  std::optional<std::int64_t> cap_tokens_month = {};
  /// Nano-dollars per UTC month, at least 1; needs prices at every enabled endpoint of the org.
  std::optional<std::int64_t> cap_money_month = {};
  /// "off", "redact", "tokenize" or "block"; empty for the router's.
  std::string pii = {};
  /// "relaxed" or "strict"; empty for relaxed.
  std::string audit = {};
  bool operator==(const OrgLimits&) const = default;
};

struct Org {
  std::string name = {};
  OrgLimits limits = {};
  bool operator==(const Org&) const = default;
};

}  // namespace byway
