#include "store/audit_reader.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/audit_bytes.hpp"
#include "base/time_text.hpp"
#include "store/audit_verify.hpp"
#include "store/usage_sum.hpp"

namespace byway::store {
namespace {

constexpr std::chrono::milliseconds patience = std::chrono::seconds(30);

AuditRecord record_of(const Row& row) {
  const std::string bytes = row.bytes(1);
  // A record that was tampered with is shown as far as it goes; verify tells.
  const std::optional<AuditFields> fields = base::decode_audit(bytes);
  AuditRecord record = base::to_record(fields.value_or(AuditFields()));
  record.seq = row.integer(0);
  record.hash = base::hex_of(row.bytes(2));
  return record;
}

}  // namespace

Result<AuditReader> AuditReader::open(const std::string& path) {
  Result<OpenedStore> store = open_store(path, patience);
  if (!store) return store.error();
  return AuditReader(std::move(*store), path);
}

Result<std::vector<AuditRecord>> AuditReader::tail(std::string_view org, std::int64_t count) {
  std::vector<AuditRecord> records;
  Result<void> read = store_.database.run(
      "SELECT seq, bytes, hash FROM audit WHERE org IN (?, '') ORDER BY seq DESC LIMIT ?",
      {org, count}, [&](const Row& row) { records.push_back(record_of(row)); });
  if (!read) return read.error();
  std::reverse(records.begin(), records.end());
  return records;
}

Result<void> AuditReader::each(std::string_view org, const AuditRange& range,
                               const AuditLine& line) {
  // In pieces, so that a slow reader of the lines holds no snapshot, which would keep SQLite's log
  // from being emptied.
  constexpr std::int64_t piece = 1000;
  for (std::int64_t after = 0;;) {
    std::vector<AuditRecord> records;
    Result<void> read = store_.database.run(
        "SELECT seq, bytes, hash FROM audit WHERE seq > ? AND org IN (?, '') AND at_us >= ?"
        " AND at_us < ? ORDER BY seq LIMIT ?",
        {after, org, range.since_us, range.until_us, piece},
        [&](const Row& row) { records.push_back(record_of(row)); });
    if (!read || records.empty()) return read;
    for (const AuditRecord& record : records) {
      if (!line(to_json(record))) return {};
    }
    after = records.back().seq;
  }
}

Result<UsageReport> AuditReader::usage(std::string_view org, const std::vector<UsageGroup>& by,
                                       const AuditRange& range) {
  UsageSum sum(by);
  Result<void> read = store_.database.run(
      "SELECT bytes FROM audit WHERE kind IN (2, 3) AND org = ? AND at_us >= ? AND at_us < ?",
      {org, range.since_us, range.until_us}, [&](const Row& row) {
        const std::string bytes = row.bytes(0);
        if (const auto fields = base::decode_audit(bytes)) sum.add(*fields);
      });
  if (!read) return read.error();
  return std::move(sum).report();
}

Result<AuditVerdict> AuditReader::verify(const AuditKey& key) {
  return verify_audit(store_.database, path_, key);
}

template <class Fn>
Result<void> AuditReader::append(const AuditKey& key, Fn work) {
  AuditChain chain(path_);
  Result<WriteLock::Guard> guard = store_.write_lock.take(patience);
  if (!guard) return guard.error();
  chain.prepare(key);
  Result<Transaction> transaction = Transaction::begin(store_.database);
  if (!transaction) return transaction.error();
  if (Result<void> done = chain.begin(store_.database); !done) return done;
  Result<bool> has_work = work(chain);
  if (!has_work) return has_work.error();
  if (!*has_work) return {};
  const std::int64_t now = base::unix_us(std::chrono::system_clock::now());
  if (Result<void> done = chain.seal(store_.database, now); !done) return done;
  if (Result<void> done = transaction->commit(); !done) return done;
  return chain.published(store_.database, true);
}

Result<PrunedUsage> AuditReader::prune(const AuditKey& key, std::string_view org,
                                       std::string_view actor, std::int64_t before_us) {
  PrunedUsage pruned;
  Result<void> done = append(key, [&](AuditChain& chain) -> Result<bool> {
    // Up to the first record that is to stay: one of a later time, the intent of a call in flight.
    Result<std::int64_t> stays = store_.database.integer(
        "SELECT min(coalesce((SELECT min(seq) FROM audit WHERE at_us >= ?),"
        " (SELECT max(seq) + 1 FROM audit)), coalesce((SELECT min(seq) FROM audit_open),"
        " 9223372036854775807))",
        {before_us});
    if (!stays) return stays.error();
    Result<std::int64_t> count =
        store_.database.integer("SELECT count(*) FROM audit WHERE seq < ?", {*stays});
    if (!count) return count.error();
    if (*count == 0) return false;
    pruned = {*stays - 1, *count};
    const std::int64_t now = base::unix_us(std::chrono::system_clock::now());
    Result<void> cut = chain.cut(store_.database, pruned.seq, org, actor, now);
    if (!cut) return cut.error();
    return true;
  });
  if (!done) return done.error();
  return pruned;
}

Result<void> AuditReader::accept(const AuditKey& key, std::string_view bytes) {
  Result<void> done = append(key, [&](AuditChain& chain) -> Result<bool> {
    auto added = chain.add(store_.database, bytes);
    if (!added) return added.error();
    return true;
  });
  if (!done) return done;
  Result<WriteLock::Guard> guard = store_.write_lock.take(patience);
  if (!guard) return guard.error();
  AuditChain chain(path_);
  chain.prepare(key);
  return chain.accept_head(store_.database);
}

}  // namespace byway::store
