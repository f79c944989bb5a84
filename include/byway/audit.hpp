// Audit: what is read from the audit log, and sinks that hear of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <byway/audit_record.hpp>

namespace byway {

/// An application's own place for audit records. Called on a library thread of its own, one call at
/// a time: it may be slow, and it may throw; no call and no other sink waits for it. What does not
/// fit into the bounded queue before it is counted as dropped, and is in the store all the same.
/// Dropping the last Router tells what is in the queue for at most 2 s, loses the rest, and returns
/// when the call that has begun has returned.
class AuditSink {
 public:
  virtual ~AuditSink() = default;
  /// A record that this process has made durable, in order.
  virtual void on_record(const AuditRecord& record) = 0;
  /// An anchor: a head that was put into `<store>.head`. Kept where nobody can change it, it proves
  /// what a store and its head together cannot: that both were not restored from an old copy.
  virtual void on_head(const AuditHead& head) { static_cast<void>(head); }
};

/// What came of reading the whole log.
struct AuditVerdict {
  std::int64_t records = 0;
  std::int64_t first_seq = 0;
  std::int64_t last_seq = 0;
  /// The first record that is changed, missing or too much; 0 when all are good, or when it is the
  /// head that is not.
  std::int64_t bad_seq = 0;
  /// Empty when the log is good.
  std::string problem = {};
  /// What `<store>.head` says; its line is empty when it is missing or not signed by this store.
  AuditHead head = {};
};

/// A stretch of time; empty for no bound. RFC 3339 in UTC, or a date.
struct AuditSpan {
  std::string since = {};
  /// Not included.
  std::string until = {};
};

/// One line of JSON; false ends the export.
using AuditLine = std::function<bool(std::string_view line)>;

enum class UsageGroup : std::uint8_t { key, endpoint, model, day, purpose };
/// "key", "endpoint", ...
std::string_view name_of(UsageGroup group) noexcept;

struct UsageQuery {
  /// In this order; none gives one row.
  std::vector<UsageGroup> by = {};
  AuditSpan span = {};
};

struct UsageRow {
  /// One value for each of `by`: a key id (empty for the owner), a slug, the model that was asked
  /// for, a UTC day as "2027-01-31", a purpose.
  std::vector<std::string> group = {};
  /// Calls, refused ones and those in doubt too; and those that ended well.
  std::int64_t calls = 0;
  std::int64_t succeeded = 0;
  std::int64_t in_doubt = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_tokens = 0;
  std::int64_t reasoning_tokens = 0;
  /// Calls whose tokens are an estimate.
  std::int64_t estimated = 0;
  /// By the endpoints' own prices.
  std::int64_t nano_dollars = 0;
};

struct PurposeCalls {
  std::string purpose = {};
  std::int64_t calls = 0;
};

/// The two sums that are never mixed: what upstreams bill, and what the caller's own platform did.
struct UsageReport {
  std::vector<UsageRow> rows = {};
  /// All rows together: the tokens that upstreams bill.
  UsageRow upstream = {};
  std::vector<PurposeCalls> platform = {};
};

struct PrunedUsage {
  /// Everything up to this record is gone; 0 when there was nothing to prune.
  std::int64_t seq = 0;
  std::int64_t records = 0;
};

}  // namespace byway
