// AuditChain: appends records to the audit log, each hashed with the one before, and signs the
// head.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/audit_record.hpp>
#include <byway/result.hpp>

#include "store/sqlite.hpp"

namespace byway::store {

/// What heads are signed under; from the vault.
struct AuditKey {
  std::uint32_t version = 0;
  std::array<unsigned char, 32> bytes = {};
};

/// Hears of what became durable, from the thread that wrote it, with the write lock held: it must
/// not wait.
struct AuditListener {
  std::function<void(std::int64_t seq, std::string_view bytes, std::string_view hash)> on_record;
  std::function<void(const AuditHead&)> on_head;
};

/// The row of `audit_log`. Hashes are 32 bytes.
struct AuditState {
  std::string log = {};
  std::int64_t seq = 0;
  std::string hash = {};
  std::int64_t cut_seq = 0;
  std::string cut_hash = {};
  std::string head = {};
};
Result<AuditState> read_audit_state(Database& database);

/// SHA-256 over the hash before, `seq` as eight bytes, most significant first, and the bytes.
std::string audit_hash(std::string_view before, std::int64_t seq, std::string_view bytes);

/// The head's line, signed.
AuditHead sign_head(const AuditState& state, const AuditKey& key, std::int64_t at_us);
/// Absent for a line that this key did not sign.
std::optional<AuditHead> read_head(std::string_view line, const AuditKey& key);
std::string head_file_of(const std::string& store);
/// The line of a head file; absent when there is no file.
std::optional<std::string> read_head_file(const std::string& store);

/// All verbs from begin() on stand in the transaction of the caller, who holds the store's write
/// lock from begin() to published(), so that heads are replaced in order. Codes: those of Database.
/// *One thread at a time.*
class AuditChain {
 public:
  explicit AuditChain(std::string store) : store_(std::move(store)) {}

  /// Once, before any record.
  void prepare(AuditKey key, AuditListener listener = {});
  /// Gives the log of a new store its first head, so that a head that is missing later is one that
  /// was taken away: the log of any other store must not be given one. Needs the write lock.
  Result<void> found(Database& database);
  bool is_ready() const noexcept { return key_.has_value(); }
  const AuditListener& listener() const noexcept { return listener_; }

  Result<void> begin(Database& database);
  /// Gives the record's seq.
  Result<std::int64_t> add(Database& database, std::string_view bytes);
  /// Removes everything up to `seq`, and adds the record that says so.
  Result<void> cut(Database& database, std::int64_t seq, std::string_view org,
                   std::string_view actor, std::int64_t at_us);
  /// Signs what was added; the last verb before the commit.
  Result<void> seal(Database& database, std::int64_t at_us);
  /// After the commit: tells the listener, and puts the head in its place when `is_due`.
  Result<void> published(Database& database, bool is_due);
  bool has_unpublished_head() const noexcept { return !unpublished_.line.empty(); }
  /// What is to be published is the log's newest head, whoever wrote it. Needs the write lock.
  Result<void> catch_up(Database& database);
  /// Puts the head in place of one that this log contradicts, or that is missing.
  Result<void> accept_head(Database& database);
  /// The head in the file is one that this log contradicts: it stays, so that verify goes on
  /// telling.
  bool is_contradicted() const noexcept { return is_contradicted_; }

 private:
  struct Added {
    std::int64_t seq;
    std::string bytes;
    std::string hash;
  };
  void forget() noexcept;
  Result<bool> may_replace(Database& database, const std::optional<std::string>& found);
  Result<void> write_head(const AuditHead& head);

  std::string store_;
  std::optional<AuditKey> key_;
  AuditListener listener_;
  AuditState state_;
  std::vector<Added> added_;
  AuditHead sealed_;
  AuditHead unpublished_;
  /// What this object wrote into the file last.
  std::string written_;
  bool is_contradicted_ = false;
  std::unique_ptr<Statement> insert_;
};

}  // namespace byway::store
