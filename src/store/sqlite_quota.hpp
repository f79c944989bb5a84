// SqliteQuota: the ledger of quota in the store's SQLite file.
#pragma once

#include <memory>
#include <string>

#include <byway/quota_store.hpp>

#include "store/migrations.hpp"

namespace byway::store {

/// A QuotaStore for the processes of one host, over a connection of its own. Writers stand in line
/// at the store's write lock, and every commit is synced. A window's row keeps what is reserved and
/// what is used; rows stay, so that history can be read.
class SqliteQuota final : public QuotaStore {
 public:
  /// Codes: those of open_store.
  static Result<std::unique_ptr<SqliteQuota>> open(const std::string& path);

  Result<std::int64_t> extend(const QuotaWindow& window, std::int64_t want,
                              std::int64_t limit) override;
  Result<void> give_back(const QuotaWindow& window, std::int64_t keep) override;
  Result<void> settle(std::span<const QuotaUse> uses, std::span<const QuotaDoubt> doubts) override;

  /// What the ledger says of a window; 0 for one that it does not know.
  Result<std::int64_t> used(const QuotaWindow& window);
  Result<std::int64_t> reserved(const QuotaWindow& window);
  Result<std::int64_t> doubts();

 private:
  explicit SqliteQuota(OpenedStore store) noexcept : store_(std::move(store)) {}
  template <class Fn>
  Result<void> transact(Fn work);
  Result<std::int64_t> column(const char* name, const QuotaWindow& window);
  OpenedStore store_;
};

}  // namespace byway::store
