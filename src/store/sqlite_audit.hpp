// SqliteAudit: the audit log in the store's SQLite file.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <byway/audit_store.hpp>

#include "store/audit_chain.hpp"
#include "store/migrations.hpp"

namespace byway::store {

/// An AuditStore for the processes of one host, over a connection of its own. Writers stand in line
/// at the store's write lock, and every commit is synced. The head's file follows at most 50 ms
/// later.
class SqliteAudit final : public AuditStore {
 public:
  /// Codes: those of open_store.
  static Result<std::unique_ptr<SqliteAudit>> open(const std::string& path, AuditKey key,
                                                   AuditListener listener = {});

  std::string_view log() const override { return log_; }
  Result<AuditPosition> position(std::string_view journal) override;
  Result<void> append(std::string_view journal, std::span<const AuditItem> items,
                      const AuditPosition& after) override;
  Result<void> end_calls(std::string_view journal, std::int64_t at_us) override;
  Result<void> publish_head() override;

 private:
  SqliteAudit(OpenedStore store, const std::string& path) noexcept
      : store_(std::move(store)), chain_(path) {}
  template <class Fn>
  Result<void> transact(Fn work);
  Result<void> add_item(std::string_view journal, const AuditItem& item, bool is_open);
  Result<void> add_doubt(std::string_view journal, std::int64_t call, std::int64_t at_us);
  Result<void> add_gap(std::int64_t dropped);
  Result<void> open_call(std::string_view journal, std::int64_t call, std::int64_t seq);

  OpenedStore store_;
  AuditChain chain_;
  std::string log_;
  std::chrono::steady_clock::time_point published_at_{};
  std::unique_ptr<Statement> open_call_;
  std::unique_ptr<Statement> close_call_;
};

}  // namespace byway::store
