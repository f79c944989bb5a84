// Audit verify: reads the whole log and says whether anything was changed.
#pragma once

#include <cstdint>
#include <string>

#include <byway/result.hpp>

#include "store/audit_chain.hpp"
#include "store/sqlite.hpp"

namespace byway::store {

struct AuditVerdict {
  /// Records that were read.
  std::int64_t records = 0;
  std::int64_t first_seq = 0;
  std::int64_t last_seq = 0;
  /// The first record that is changed, missing or too much; 0 when all are good, or when it is the
  /// head that is not.
  std::int64_t bad_seq = 0;
  /// Empty when the log is good.
  std::string problem = {};
  /// What `<store>.head` says.
  AuditHead head = {};
};

/// Compares every record with its hash, its columns and the record before, and the end with both
/// signed heads: the one of the last transaction, and the one in `<store>.head`, which may be older
/// but never newer. Codes: those of Database.
Result<AuditVerdict> verify_audit(Database& database, const std::string& store,
                                  const AuditKey& key);

}  // namespace byway::store
