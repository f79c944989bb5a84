#include "store/sqlite_audit.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/audit_bytes.hpp"
#include "base/time_text.hpp"

namespace byway::store {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds patience = std::chrono::seconds(30);
/// A sync for each head would double what a strict commit costs.
constexpr std::chrono::milliseconds head_period(50);

std::int64_t now_us() {
  return base::unix_us(std::chrono::system_clock::now());
}

}  // namespace

Result<std::unique_ptr<SqliteAudit>> SqliteAudit::open(const std::string& path, AuditKey key,
                                                       AuditListener listener) {
  Result<OpenedStore> store = open_store(path, patience);
  if (!store) return store.error();
  std::unique_ptr<SqliteAudit> audit(new SqliteAudit(std::move(*store), path));
  Database& database = audit->store_.database;
  audit->chain_.prepare(key, std::move(listener));
  Result<AuditState> state = read_audit_state(database);
  if (!state) return state.error();
  audit->log_ = state->log;
  for (const bool is_open : {true, false}) {
    Result<Statement> statement = database.prepare(
        is_open ? "INSERT OR REPLACE INTO audit_open(journal, call, seq) VALUES(?, ?, ?)"
                : "DELETE FROM audit_open WHERE journal = ? AND call = ?");
    if (!statement) return statement.error();
    (is_open ? audit->open_call_ : audit->close_call_) =
        std::make_unique<Statement>(*std::move(statement));
  }
  return audit;
}

template <class Fn>
Result<void> SqliteAudit::transact(Fn work) {
  Result<WriteLock::Guard> guard = store_.write_lock.take(patience);
  if (!guard) return guard.error();
  Result<Transaction> transaction = Transaction::begin(store_.database);
  if (!transaction) return transaction.error();
  if (Result<void> done = chain_.begin(store_.database); !done) return done;
  if (Result<void> done = work(); !done) return done;
  if (Result<void> done = chain_.seal(store_.database, now_us()); !done) return done;
  if (Result<void> done = transaction->commit(); !done) return done;
  const auto now = steady_clock::now();
  const bool is_due = now - published_at_ >= head_period;
  if (is_due) published_at_ = now;
  return chain_.published(store_.database, is_due);
}

Result<AuditPosition> SqliteAudit::position(std::string_view journal) {
  AuditPosition position;
  Result<void> read = store_.database.run("SELECT next, dropped FROM audit_journal WHERE name = ?",
                                          {journal}, [&](const Row& row) {
                                            position = {row.integer(0), row.integer(1)};
                                          });
  if (!read) return read.error();
  return position;
}

Result<void> SqliteAudit::open_call(std::string_view journal, std::int64_t call, std::int64_t seq) {
  return open_call_->run({journal, call, seq});
}

Result<void> SqliteAudit::add_item(std::string_view journal, const AuditItem& item, bool is_open) {
  if (item.bytes.empty()) return add_doubt(journal, item.call, now_us());
  Result<std::int64_t> seq = chain_.add(store_.database, item.bytes);
  if (!seq) return seq.error();
  if (item.call < 0) return {};
  const bool is_intent = item.call == item.number;
  if (is_intent) return is_open ? open_call(journal, item.call, *seq) : Result<void>();
  return is_open ? close_call_->run({journal, item.call}) : Result<void>();
}

Result<void> SqliteAudit::add_doubt(std::string_view journal, std::int64_t call,
                                    std::int64_t at_us) {
  std::string bytes;
  Result<void> read = store_.database.run(
      "SELECT bytes FROM audit JOIN audit_open USING(seq) WHERE journal = ? AND call = ?",
      {journal, call}, [&](const Row& row) { bytes = row.bytes(0); });
  if (!read) return read;
  std::optional<AuditFields> fields = base::decode_audit(bytes);
  // It was ended before, when these records were written for the first time.
  if (!fields) return {};
  fields->kind = AuditKind::in_doubt;
  fields->at_us = at_us;
  fields->action = "in_doubt";
  if (auto added = chain_.add(store_.database, base::encode_audit(*fields)); !added) {
    return added.error();
  }
  return close_call_->run({journal, call});
}

Result<void> SqliteAudit::add_gap(std::int64_t dropped) {
  AuditFields fields{.kind = AuditKind::gap, .at_us = now_us()};
  fields.action = "dropped";
  fields.count = dropped;
  auto added = chain_.add(store_.database, base::encode_audit(fields));
  if (!added) return added.error();
  return {};
}

Result<void> SqliteAudit::append(std::string_view journal, std::span<const AuditItem> items,
                                 const AuditPosition& after) {
  // A call that begins and ends in one batch is never open.
  std::unordered_set<std::int64_t> begun;
  std::unordered_set<std::int64_t> brief;
  for (const AuditItem& item : items) {
    if (item.call == item.number) begun.insert(item.call);
    const bool is_end = item.call >= 0 && item.call != item.number && !item.bytes.empty();
    if (is_end && begun.contains(item.call)) brief.insert(item.call);
  }
  return transact([&]() -> Result<void> {
    Result<AuditPosition> before = position(journal);
    if (!before) return before.error();
    for (const AuditItem& item : items) {
      if (item.number < before->next) continue;
      // What was half written before counts as open.
      const bool is_open = !brief.contains(item.call) || item.call < before->next;
      if (Result<void> done = add_item(journal, item, is_open); !done) return done;
    }
    if (after.dropped > before->dropped) {
      Result<void> done = add_gap(after.dropped - before->dropped);
      if (!done) return done;
    }
    return store_.database.run(
        "INSERT INTO audit_journal(name, next, dropped) VALUES(?1, ?2, ?3)"
        " ON CONFLICT DO UPDATE SET next = max(next, ?2), dropped = max(dropped, ?3)",
        {journal, after.next, after.dropped});
  });
}

Result<void> SqliteAudit::end_calls(std::string_view journal, std::int64_t at_us) {
  std::vector<std::int64_t> calls;
  Result<void> read =
      store_.database.run("SELECT call FROM audit_open WHERE journal = ? ORDER BY call", {journal},
                          [&](const Row& row) { calls.push_back(row.integer(0)); });
  if (!read || calls.empty()) return read;
  return transact([&]() -> Result<void> {
    for (const std::int64_t call : calls) {
      if (Result<void> done = add_doubt(journal, call, at_us); !done) return done;
    }
    return {};
  });
}

Result<void> SqliteAudit::publish_head() {
  if (!chain_.has_unpublished_head()) return {};
  Result<WriteLock::Guard> guard = store_.write_lock.take(patience);
  if (!guard) return guard.error();
  // Another process may have gone on and published a later head.
  if (Result<void> done = chain_.catch_up(store_.database); !done) return done;
  published_at_ = steady_clock::now();
  return chain_.published(store_.database, true);
}

}  // namespace byway::store
