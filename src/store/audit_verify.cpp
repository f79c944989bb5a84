#include "store/audit_verify.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <string>
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
  void fail_at(std::int64_t seq, std::string_view kept, std::string_view bytes);
  void follow(const AuditFields& fields, std::int64_t seq);
  void check_end();
  void check_cut();
  void check_signature();
  Result<void> check_open();
  void check_head(const std::optional<std::string>& line);

  Database& database_;
  const AuditKey& key_;
  AuditState state_;
  AuditVerdict verdict_;
  std::int64_t next_ = 0;
  std::string hash_;
  /// Of the record before, and the hash before that one.
  std::string bytes_before_;
  std::string hash_before_;
  /// Intents without an end, by request id.
  std::multimap<std::string, std::int64_t, std::less<>> open_;
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
  std::string bytes = row.bytes(4);
  const std::string kept = row.bytes(5);
  std::string hash = audit_hash(hash_, seq, bytes);
  if (hash != kept) return fail_at(seq, kept, bytes);
  hash_before_ = std::exchange(hash_, std::move(hash));
  const std::optional<AuditFields> fields = base::decode_audit(bytes);
  if (!fields) return fail(seq, fmt::format("record {} cannot be read", seq));
  const bool are_columns_good = row.integer(1) == static_cast<std::int64_t>(fields->kind) &&
                                row.integer(2) == fields->at_us && row.bytes(3) == fields->org;
  if (!are_columns_good) {
    return fail(seq, fmt::format("the columns of record {} were changed", seq));
  }
  if (fields->kind == AuditKind::cut) {
    cut_seq_ = fields->count;
    cut_hash_ = fields->subject;
  }
  follow(*fields, seq);
  bytes_before_ = std::move(bytes);
  if (head_ && seq == head_->seq) hash_at_head_ = base::hex_of(hash_);
  ++verdict_.records;
  verdict_.last_seq = seq;
  ++next_;
}

/// A record that is good in the place before it had that place: what stands there was put in.
void Verifier::fail_at(std::int64_t seq, std::string_view kept, std::string_view bytes) {
  const bool was_moved = seq > verdict_.first_seq && bytes != bytes_before_ &&
                         audit_hash(hash_before_, seq - 1, bytes) == kept;
  if (was_moved) return fail(seq - 1, fmt::format("record {} was put in", seq - 1));
  fail(seq, fmt::format("record {} was changed", seq));
}

void Verifier::follow(const AuditFields& fields, std::int64_t seq) {
  if (fields.kind == AuditKind::intent) open_.emplace(fields.request_id, seq);
  if (fields.kind != AuditKind::outcome && fields.kind != AuditKind::in_doubt) return;
  // A refused call had no intent.
  const auto begun = open_.find(fields.request_id);
  if (begun != open_.end()) open_.erase(begun);
}

/// The list of open calls is what an heir ends calls by: one that was taken off it would never be
/// told to be in doubt.
Result<void> Verifier::check_open() {
  std::set<std::int64_t> listed;
  // A call of a journal that never wrote anything has no heir who would end it.
  std::int64_t strayed = 0;
  Result<void> read = database_.run(
      "SELECT seq, EXISTS(SELECT 1 FROM audit_journal WHERE name = journal) FROM audit_open", {},
      [&](const Row& row) {
        listed.insert(row.integer(0));
        if (row.integer(1) == 0) strayed = row.integer(0);
      });
  if (!read) return read;
  if (strayed != 0) {
    fail(strayed, fmt::format("the open call of record {} is listed under no journal", strayed));
  }
  std::int64_t forgotten = 0;
  for (const auto& one : open_) {
    if (listed.erase(one.second) == 0 && (forgotten == 0 || one.second < forgotten)) {
      forgotten = one.second;
    }
  }
  if (forgotten != 0) {
    fail(forgotten, fmt::format("the call of record {} has no end and is not listed as open",
                                forgotten));
  }
  if (!listed.empty()) {
    fail(*listed.begin(),
         fmt::format("record {} is listed as an open call, and is none", *listed.begin()));
  }
  return {};
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
  check_signature();
}

/// What the signature knows is where the log ended and with which hash, nothing of what is between.
void Verifier::check_signature() {
  // A log that has never been written to is signed in its file alone.
  if (state_.seq == 0 && state_.head.empty()) return;
  const std::optional<AuditHead> own = read_head(state_.head, key_);
  const bool is_of_log = own && own->log == base::hex_of(state_.log);
  if (is_of_log && own->seq > state_.seq) {
    return fail(next_, fmt::format("record {} is missing: {} were signed", next_, own->seq));
  }
  if (is_of_log && own->seq == state_.seq && own->hash != base::hex_of(hash_)) {
    return fail(state_.seq,
                fmt::format("record {} or one before it was written anew", state_.seq));
  }
  const bool is_own =
      is_of_log && own->seq == state_.seq && own->count == state_.seq - state_.cut_seq;
  if (!is_own) fail(state_.seq, "the last records are not signed by this store's key");
}

void Verifier::check_head(const std::optional<std::string>& line) {
  if (!line) return fail(0, "the signed head is missing, and with it the proof of the end");
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
  if (is_good()) {
    if (Result<void> done = check_open(); !done) return done.error();
  }
  return std::move(verdict_);
}

}  // namespace

Result<AuditVerdict> verify_audit(Database& database, const std::string& store,
                                  const AuditKey& key) {
  return Verifier(database, key).run(store);
}

}  // namespace byway::store
