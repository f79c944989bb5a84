// Audit verify: reads the whole log and says whether anything was changed.
#pragma once

#include <string>

#include <byway/audit.hpp>
#include <byway/result.hpp>

#include "store/audit_chain.hpp"
#include "store/sqlite.hpp"

namespace byway::store {

/// Compares every record with its hash, its columns and the record before, and the end with both
/// signed heads: the one of the last transaction, and the one in `<store>.head`, which may be older
/// but never newer; and the list of open calls with the intents that have no end. Codes: those of
/// Database.
Result<AuditVerdict> verify_audit(Database& database, const std::string& store,
                                  const AuditKey& key);

}  // namespace byway::store
