// UsageSum: adds up the outcomes of calls.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <byway/audit.hpp>

namespace byway::store {

/// Outcomes go in, in any order; rows come out in the order of their groups.
class UsageSum {
 public:
  explicit UsageSum(std::vector<UsageGroup> by) : by_(std::move(by)) {}

  /// An outcome, known or in doubt.
  void add(const AuditFields& outcome);
  UsageReport report() &&;

 private:
  std::vector<UsageGroup> by_;
  std::map<std::vector<std::string>, UsageRow> rows_;
  std::map<std::string, std::int64_t, std::less<>> purposes_;
  UsageRow all_;
  std::vector<std::string> group_;
};

}  // namespace byway::store
