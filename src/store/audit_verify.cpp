#include "store/audit_verify.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/audit_bytes.hpp"

namespace byway::store {
namespace {

class Verifier {
 public:
  Verifier(Database& database, const AuditKey& key) : database_(database), key_(key) {}

  Result<AuditVerdict> run(const std::string& store);

 private:
  void fail(std::int64_t seq, std::string problem);
  bool is_good() const noexcept { return verdict_.problem.empty(); }
  void check_row(const Row& row);
  void check_end();
  void check_cut();
  void check_head(const std::optional<std::string>& line);

  Database& database_;
  const AuditKey& key_;
  AuditState state_;
  AuditVerdict verdict_;
  std::int64_t next_ = 0;
  std::string hash_;
  /// The head of the file, and what the chain says of its record.
  std::optional<AuditHead> head_;
  std::string hash_at_head_;
  /// The newest record that tells of a cut.
  std::int64_t cut_seq_ = 0;
  std::string cut_hash_;
};

void Verifier::fail(std::int64_t seq, std::string problem) {
  if (!is_good()) return;
  verdict_.bad_seq = seq;
  verdict_.problem = std::move(problem);
}

void Verifier::check_row(const Row& row) {
  if (!is_good()) return;
  const std::int64_t seq = row.integer(0);
  if (seq != next_) return fail(next_, fmt::format("record {} is missing", next_));
  const std::string bytes = row.bytes(4);
  const std::string kept = row.bytes(5);
  hash_ = audit_hash(hash_, seq, bytes);
  if (hash_ != kept) return fail(seq, fmt::format("record {} was changed", seq));
  const std::optional<AuditFields> fields = base::decode_audit(bytes);
  const bool are_columns_good = fields &&
                                row.integer(1) == static_cast<std::int64_t>(fields->kind) &&
                                row.integer(2) == fields->at_us && row.bytes(3) == fields->org;
  if (!are_columns_good) {
    return fail(seq, fmt::format("the columns of record {} were changed", seq));
  }
  if (fields->kind == AuditKind::cut) {
    cut_seq_ = fields->count;
    cut_hash_ = fields->subject;
  }
  if (head_ && seq == head_->seq) hash_at_head_ = base::hex_of(hash_);
  ++verdict_.records;
  verdict_.last_seq = seq;
  ++next_;
}

/// A log that starts after record 1 must say so itself.
void Verifier::check_cut() {
  if (state_.cut_seq == 0 && cut_seq_ == 0) return;
  if (cut_seq_ == state_.cut_seq && cut_hash_ == base::hex_of(state_.cut_hash)) return;
  fail(state_.cut_seq + 1,
       fmt::format("no record says that the log was pruned up to record {}", state_.cut_seq));
}

void Verifier::check_end() {
  if (state_.seq < verdict_.last_seq) {
    return fail(state_.seq + 1,
                fmt::format("record {} was added by somebody else", state_.seq + 1));
  }
  if (state_.seq > verdict_.last_seq) {
    return fail(next_, fmt::format("record {} is missing: the end was cut off", next_));
  }
  check_cut();
  // A log that has never been written to is not signed yet.
  if (state_.seq == 0 && state_.head.empty()) return;
  const std::optional<AuditHead> own = read_head(state_.head, key_);
  const bool is_own = own && own->seq == state_.seq && own->hash == base::hex_of(hash_) &&
                      own->log == base::hex_of(state_.log) &&
                      own->count == state_.seq - state_.cut_seq;
  if (!is_own) fail(state_.seq, "the last records are not signed by this store's key");
}

void Verifier::check_head(const std::optional<std::string>& line) {
  if (!line) {
    if (state_.seq != 0) fail(0, "the signed head is missing, and with it the proof of the end");
    return;
  }
  if (!head_) return fail(0, "the signed head is not signed by this store's key");
  if (head_->log != base::hex_of(state_.log)) return fail(0, "the signed head is another log's");
  if (head_->seq > verdict_.last_seq) {
    return fail(next_, fmt::format("record {} is missing: the signed head tells of {} records",
                                   next_, head_->seq));
  }
  if (head_->seq == state_.cut_seq) hash_at_head_ = base::hex_of(state_.cut_hash);
  if (head_->seq < state_.cut_seq || head_->seq == 0) return;
  if (hash_at_head_ != head_->hash) {
    fail(head_->seq, fmt::format("record {} or one before it was written anew", head_->seq));
  }
}

Result<AuditVerdict> Verifier::run(const std::string& store) {
  // The head first: the log may go on meanwhile, and is then ahead of it.
  const std::optional<std::string> line = read_head_file(store);
  if (line) head_ = read_head(*line, key_);
  if (head_) verdict_.head = *head_;
  Result<Snapshot> snapshot = Snapshot::begin(database_);
  if (!snapshot) return snapshot.error();
  Result<AuditState> state = read_audit_state(database_);
  if (!state) return state.error();
  state_ = *std::move(state);
  hash_ = state_.cut_hash;
  next_ = state_.cut_seq + 1;
  verdict_.first_seq = next_;
  verdict_.last_seq = state_.cut_seq;
  Result<void> read =
      database_.run("SELECT seq, kind, at_us, org, bytes, hash FROM audit ORDER BY seq", {},
                    [&](const Row& row) { check_row(row); });
  if (!read) return read.error();
  if (is_good()) check_end();
  if (is_good()) check_head(line);
  return std::move(verdict_);
}

}  // namespace

Result<AuditVerdict> verify_audit(Database& database, const std::string& store,
                                  const AuditKey& key) {
  return Verifier(database, key).run(store);
}

}  // namespace byway::store
