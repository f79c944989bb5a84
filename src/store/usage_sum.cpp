#include "store/usage_sum.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/time_text.hpp"

namespace byway::store {
namespace {

/// Tokens that one call can add to a sum, so that no absurd number of a server ends in an overflow.
constexpr std::int64_t tokens_max = 1'000'000'000'000;
constexpr std::int64_t nano_dollars_max = tokens_max * 1000;

std::string day_of(std::int64_t at_us) {
  return base::rfc3339(base::wall_time_of(at_us)).substr(0, 10);
}

std::string value_of(UsageGroup group, const AuditFields& outcome) {
  switch (group) {
    case UsageGroup::key: return std::string(outcome.actor);
    case UsageGroup::endpoint: return std::string(outcome.endpoint);
    case UsageGroup::model: return std::string(outcome.model);
    case UsageGroup::day: return day_of(outcome.at_us);
    case UsageGroup::purpose: return std::string(outcome.purpose);
  }
  return {};
}

void add_to(UsageRow& row, const AuditFields& outcome) {
  ++row.calls;
  row.succeeded += outcome.action == "ok" ? 1 : 0;
  row.in_doubt += outcome.action == "in_doubt" ? 1 : 0;
  row.input_tokens += std::min(outcome.input_tokens, tokens_max);
  row.output_tokens += std::min(outcome.output_tokens, tokens_max);
  row.cached_tokens += std::min(outcome.cached_tokens, tokens_max);
  row.reasoning_tokens += std::min(outcome.reasoning_tokens, tokens_max);
  row.estimated += outcome.estimated != 0 ? 1 : 0;
  row.nano_dollars += std::min(outcome.nano_dollars, nano_dollars_max);
}

}  // namespace

void UsageSum::add(const AuditFields& outcome) {
  add_to(all_, outcome);
  const auto purpose = purposes_.find(outcome.purpose);
  if (purpose != purposes_.end()) {
    ++purpose->second;
  } else {
    purposes_.emplace(outcome.purpose, 1);
  }
  group_.clear();
  for (const UsageGroup group : by_) group_.push_back(value_of(group, outcome));
  add_to(rows_[group_], outcome);
}

UsageReport UsageSum::report() && {
  UsageReport report;
  // Without groups there is one row, of nothing if need be.
  if (by_.empty()) rows_[{}];
  for (auto& [group, row] : rows_) {
    row.group = group;
    report.rows.push_back(std::move(row));
  }
  for (const auto& [purpose, calls] : purposes_) report.platform.push_back({purpose, calls});
  report.upstream = std::move(all_);
  return report;
}

}  // namespace byway::store

namespace byway {

std::string_view name_of(UsageGroup group) noexcept {
  switch (group) {
    case UsageGroup::key: return "key";
    case UsageGroup::endpoint: return "endpoint";
    case UsageGroup::model: return "model";
    case UsageGroup::day: return "day";
    case UsageGroup::purpose: return "purpose";
  }
  return "";
}

}  // namespace byway
