// LimitList: all that one caller's calls, or one endpoint's attempts, are held to.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <byway/customer_key.hpp>
#include <byway/endpoint.hpp>
#include <byway/org.hpp>

#include "policy/quota/limit.hpp"

namespace byway::policy {

/// In the order of enforcement. Immutable once made.
struct LimitList {
  std::vector<Limit> limits = {};
  /// A rate of tokens: what a call may use is estimated.
  bool counts_tokens = false;
  /// A cap of tokens or money: what a call may use must be bounded.
  bool needs_bound = false;
  /// Nothing is sent before its intent is durable, and no result told before its outcome is; but a
  /// result is told all the same when the disk fails meanwhile or the router ends: its record is in
  /// the journal then.
  bool is_audit_strict = false;
};

/// A limit of none or 0 is left out. `waits`: a call stands in line for its in-flight share.
LimitList limits_of(const CustomerKey& key, const OrgLimits& org, bool waits);
LimitList limits_of_org(std::string_view org, const OrgLimits& limits);
LimitList limits_of(const Endpoint& endpoint, bool waits);

}  // namespace byway::policy
