#include "store/sqlite_quota.hpp"

#include <algorithm>
#include <utility>

namespace byway::store {
namespace {

constexpr std::chrono::milliseconds patience = std::chrono::seconds(30);

std::int64_t number(QuotaUnit unit) noexcept {
  return static_cast<std::int64_t>(unit);
}

std::int64_t number(QuotaPeriod period) noexcept {
  return static_cast<std::int64_t>(period);
}

}  // namespace

Result<std::unique_ptr<SqliteQuota>> SqliteQuota::open(const std::string& path) {
  Result<OpenedStore> store = open_store(path, patience);
  if (!store) return store.error();
  return std::unique_ptr<SqliteQuota>(new SqliteQuota(std::move(*store)));
}

template <class Fn>
Result<void> SqliteQuota::transact(Fn work) {
  Result<WriteLock::Guard> guard = store_.write_lock.take(patience);
  if (!guard) return guard.error();
  Result<Transaction> transaction = Transaction::begin(store_.database);
  if (!transaction) return transaction.error();
  if (Result<void> done = work(); !done) return done;
  return transaction->commit();
}

Result<std::int64_t> SqliteQuota::column(const char* name, const QuotaWindow& window) {
  const std::string sql = std::string("SELECT ") + name +
                          " FROM quota_window WHERE subject = ?1 AND unit = ?2 AND period = ?3"
                          " AND first_day = ?4";
  return store_.database.integer(
      sql, {window.subject, number(window.unit), number(window.period), window.first_day});
}

Result<std::int64_t> SqliteQuota::extend(const QuotaWindow& window, std::int64_t want,
                                         std::int64_t limit) {
  if (want <= 0) return reserved(window);
  std::int64_t granted = 0;
  Result<void> done = transact([&]() -> Result<void> {
    Result<std::int64_t> before = reserved(window);
    if (!before) return before.error();
    granted = std::max(*before, *before > limit - want ? limit : *before + want);
    return store_.database.run(
        "INSERT INTO quota_window(subject, unit, period, first_day, reserved, used)"
        " VALUES(?1, ?2, ?3, ?4, ?5, 0)"
        " ON CONFLICT DO UPDATE SET reserved = excluded.reserved",
        {window.subject, number(window.unit), number(window.period), window.first_day, granted});
  });
  if (!done) return done.error();
  return granted;
}

Result<void> SqliteQuota::give_back(const QuotaWindow& window, std::int64_t keep) {
  return transact([&] {
    return store_.database.run(
        "UPDATE quota_window SET reserved = ?5 WHERE subject = ?1 AND unit = ?2 AND period = ?3"
        " AND first_day = ?4 AND reserved > ?5",
        {window.subject, number(window.unit), number(window.period), window.first_day, keep});
  });
}

Result<void> SqliteQuota::settle(std::span<const QuotaUse> uses,
                                 std::span<const QuotaDoubt> doubts) {
  return transact([&]() -> Result<void> {
    Result<Statement> use = store_.database.prepare(
        "INSERT INTO quota_window(subject, unit, period, first_day, reserved, used)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?5)"
        " ON CONFLICT DO UPDATE SET used = ?5, reserved = max(reserved, ?5)");
    if (!use) return use.error();
    for (const QuotaUse& one : uses) {
      Result<void> done = use->run({one.window.subject, number(one.window.unit),
                                    number(one.window.period), one.window.first_day, one.used});
      if (!done) return done;
    }
    for (const QuotaDoubt& doubt : doubts) {
      Result<void> done =
          store_.database.run("INSERT OR IGNORE INTO quota_doubt(label, at) VALUES(?1, ?2)",
                              {doubt.label, doubt.at_unix_s});
      if (!done) return done;
    }
    return {};
  });
}

Result<std::int64_t> SqliteQuota::used(const QuotaWindow& window) {
  return column("used", window);
}

Result<std::int64_t> SqliteQuota::reserved(const QuotaWindow& window) {
  return column("reserved", window);
}

Result<std::int64_t> SqliteQuota::doubts() {
  return store_.database.integer("SELECT count(*) FROM quota_doubt");
}

}  // namespace byway::store
