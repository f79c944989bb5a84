#include "store/audit_chain.hpp"

#include <utility>
#include <vector>

#include "base/audit_bytes.hpp"
#include "base/digest.hpp"

namespace byway::store {
namespace {

Error unreadable_record() {
  return Error(ErrorCode::internal_error, "an audit record is not in its canonical form");
}

}  // namespace

Result<AuditState> read_audit_state(Database& database) {
  AuditState state;
  Result<void> read = database.run("SELECT log, seq, hash, cut_seq, cut_hash, head FROM audit_log",
                                   {}, [&](const Row& row) {
                                     state = {row.bytes(0),   row.integer(1), row.bytes(2),
                                              row.integer(3), row.bytes(4),   row.bytes(5)};
                                   });
  if (!read) return read.error();
  return state;
}

std::string audit_hash(std::string_view before, std::int64_t seq, std::string_view bytes) {
  std::string text;
  text.reserve(before.size() + 8 + bytes.size());
  text += before;
  for (int shift = 56; shift >= 0; shift -= 8) {
    text += static_cast<char>(static_cast<std::uint64_t>(seq) >> shift);
  }
  text += bytes;
  const base::Sha256 digest = base::sha256(text);
  return {digest.begin(), digest.end()};
}

void AuditChain::prepare(AuditKey key, AuditListener listener) {
  key_ = key;
  listener_ = std::move(listener);
}

Result<void> AuditChain::found(Database& database) {
  const Result<AuditState> state = read_audit_state(database);
  if (!state) return state.error();
  if (state->seq != 0 || read_head_file(store_)) return {};
  return write_head(sign_head(*state, *key_, 0));
}

Result<void> AuditChain::begin(Database& database) {
  forget();
  if (!key_) return Error(ErrorCode::internal_error, "the audit log has no key to sign with");
  Result<AuditState> state = read_audit_state(database);
  if (!state) return state.error();
  state_ = *std::move(state);
  if (insert_) return {};
  Result<Statement> statement = database.prepare(
      "INSERT INTO audit(seq, kind, at_us, org, bytes, hash) VALUES(?, ?, ?, ?, ?, ?)");
  if (!statement) return statement.error();
  insert_ = std::make_unique<Statement>(*std::move(statement));
  return {};
}

Result<std::int64_t> AuditChain::add(Database&, std::string_view bytes) {
  const std::optional<base::AuditStart> start = base::decode_audit_start(bytes);
  if (!start) return unreadable_record();
  const std::int64_t seq = state_.seq + 1;
  std::string hash = audit_hash(state_.hash, seq, bytes);
  Result<void> done = insert_->run({seq, static_cast<std::int64_t>(start->kind), start->at_us,
                                    start->org, Bytes{bytes}, Bytes{hash}});
  if (!done) return done.error();
  if (listener_.on_record) added_.push_back({seq, std::string(bytes), hash});
  state_.seq = seq;
  state_.hash = std::move(hash);
  return seq;
}

Result<void> AuditChain::cut(Database& database, std::int64_t seq, std::string_view org,
                             std::string_view actor, std::int64_t at_us) {
  std::string hash;
  Result<void> read = database.run("SELECT hash FROM audit WHERE seq = ?", {seq},
                                   [&](const Row& row) { hash = row.bytes(0); });
  if (!read) return read;
  if (hash.empty()) return Error(ErrorCode::internal_error, "an audit record to cut at is missing");
  AuditFields fields{.kind = AuditKind::cut, .at_us = at_us};
  const std::string hex = base::hex_of(hash);
  fields.org = org;
  fields.actor = actor;
  fields.action = "usage.prune";
  fields.subject = hex;
  fields.count = seq;
  auto added = add(database, base::encode_audit(fields));
  if (!added) return added.error();
  Result<void> gone = database.run("DELETE FROM audit WHERE seq <= ?", {seq});
  if (!gone) return gone;
  state_.cut_seq = seq;
  state_.cut_hash = std::move(hash);
  return {};
}

Result<void> AuditChain::seal(Database& database, std::int64_t at_us) {
  sealed_ = sign_head(state_, *key_, at_us);
  return database.run(
      "UPDATE audit_log SET seq = ?, hash = ?, cut_seq = ?, cut_hash = ?, head = ?",
      {state_.seq, Bytes{state_.hash}, state_.cut_seq, Bytes{state_.cut_hash}, sealed_.line});
}

void AuditChain::forget() noexcept {
  added_.clear();
  sealed_ = {};
}

Result<void> AuditChain::published(Database& database, bool is_due) {
  for (const Added& added : added_) {
    listener_.on_record(added.seq, added.bytes, added.hash);
  }
  if (!sealed_.line.empty()) unpublished_ = std::exchange(sealed_, {});
  forget();
  if (!is_due || unpublished_.line.empty()) return {};
  const std::optional<std::string> found = read_head_file(store_);
  if (found != written_) {
    const Result<bool> may = may_replace(database, found);
    if (!may) return may.error();
    is_contradicted_ = !*may;
    if (is_contradicted_) return {};
  }
  return write_head(std::exchange(unpublished_, {}));
}

Result<void> AuditChain::catch_up(Database& database) {
  Result<AuditState> state = read_audit_state(database);
  if (!state) return state.error();
  state_ = *std::move(state);
  if (auto head = read_head(state_.head, *key_)) unpublished_ = *std::move(head);
  return {};
}

/// What another process has written is no contradiction as long as this log holds it.
Result<bool> AuditChain::may_replace(Database& database, const std::optional<std::string>& found) {
  if (!found) return false;
  const std::optional<AuditHead> head = read_head(*found, *key_);
  if (!head || head->log != base::hex_of(state_.log) || head->seq > unpublished_.seq) return false;
  if (head->seq == 0 || head->seq < state_.cut_seq) return true;
  std::string hash;
  Result<void> read = database.run("SELECT hash FROM audit WHERE seq = ?", {head->seq},
                                   [&](const Row& row) { hash = row.bytes(0); });
  if (!read) return read.error();
  if (head->seq == state_.cut_seq) hash = state_.cut_hash;
  return base::hex_of(hash) == head->hash;
}

Result<void> AuditChain::accept_head(Database& database) {
  const Result<AuditState> state = read_audit_state(database);
  if (!state) return state.error();
  auto head = read_head(state->head, *key_);
  is_contradicted_ = false;
  return write_head(head ? *std::move(head) : sign_head(*state, *key_, 0));
}

}  // namespace byway::store
