// AuditReader: reads the audit log and sums usage, over a connection of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/audit.hpp>
#include <byway/result.hpp>

#include "store/audit_chain.hpp"
#include "store/migrations.hpp"

namespace byway::store {

/// Microseconds since 1970; `until` is not included.
struct AuditRange {
  std::int64_t since_us = 0;
  std::int64_t until_us = INT64_MAX;
};

/// Long reads disturb no writer. An org's records, and those of none. *One thread at a time.*
class AuditReader {
 public:
  static Result<AuditReader> open(const std::string& path);

  /// The newest `count`, oldest first.
  Result<std::vector<AuditRecord>> tail(std::string_view org, std::int64_t count);
  Result<void> each(std::string_view org, const AuditRange& range, const AuditLine& line);
  Result<UsageReport> usage(std::string_view org, const std::vector<UsageGroup>& by,
                            const AuditRange& range);
  Result<AuditVerdict> verify(const AuditKey& key);

  /// Removes, from the log's start on, what is older than `before_us`, as far as no call in flight
  /// needs it, and appends the record that says so.
  Result<PrunedUsage> prune(const AuditKey& key, std::string_view org, std::string_view actor,
                            std::int64_t before_us);
  /// Puts the newest head in place of one that the log contradicts, and records that.
  Result<void> accept(const AuditKey& key, std::string_view bytes);

 private:
  AuditReader(OpenedStore store, std::string path)
      : store_(std::move(store)), path_(std::move(path)) {}
  template <class Fn>
  Result<void> append(const AuditKey& key, Fn work);

  OpenedStore store_;
  std::string path_;
};

}  // namespace byway::store
