// AuditStore: the port through which calls' audit records become durable.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include <byway/audit_record.hpp>
#include <byway/result.hpp>

namespace byway {

/// A record of a journal: numbers count up in each journal, and never start again.
struct AuditItem {
  std::int64_t number = 0;
  /// The number of the intent that it belongs to; an intent's own; -1 for a record without one.
  std::int64_t call = -1;
  /// Canonical bytes. Empty: the ticket was dropped, and the intent says whose call is in doubt.
  std::string_view bytes = {};
};

/// How far a journal is durable.
struct AuditPosition {
  /// Numbers below this one are durable.
  std::int64_t next = 0;
  /// So many drops are written down as gaps.
  std::int64_t dropped = 0;
  bool operator==(const AuditPosition&) const = default;
};

/// Where audit records are durable. Every verb is durable when it returns and is nothing at all
/// after an error. Byway calls it from the store thread. *One thread at a time.* Codes:
/// store_locked, which is worth another try, and store_io_error, store_disk_full, store_corrupt,
/// after which this object is never used again: what a failed sync has lost would look written.
class AuditStore {
 public:
  virtual ~AuditStore() = default;

  /// 16 random bytes that name the log; they live as long as the store.
  virtual std::string_view log() const = 0;
  virtual Result<AuditPosition> position(std::string_view journal) = 0;
  /// Writes what is not there yet, in order, and the position after it. Drops beyond those that are
  /// written down become one gap record.
  virtual Result<void> append(std::string_view journal, std::span<const AuditItem> items,
                              const AuditPosition& after) = 0;
  /// The journal's process is dead: each of its calls without an outcome gets one, in_doubt.
  virtual Result<void> end_calls(std::string_view journal, std::int64_t at_us) = 0;
  /// Puts the signed head of all that is durable in its place, when that is still to be done.
  virtual Result<void> publish_head() = 0;
};

}  // namespace byway
