// AuditLog: takes the audit records of calls, without waiting, and sees that they become durable.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <byway/audit_store.hpp>
#include <byway/clock.hpp>
#include <byway/result.hpp>

#include "policy/audit/audit_call.hpp"
#include "policy/audit/journal_file.hpp"

namespace byway::policy {

struct AuditOptions {
  /// The store's path: the journal is `<store>-audit-N`.
  std::string store;
  std::shared_ptr<Clock> clock = Clock::system();
  /// Asks for work() soon; from any thread, must not block or call the AuditLog.
  std::function<void()> wake = {};
  /// Records that may wait to become durable, calls in flight counted once each (and once more
  /// until their intent is durable). 768 bytes of disk each.
  std::uint32_t cells = 32768;
};

/// Exact whenever no call is between two of its own statements: accepted = durable + queued +
/// dropped.
struct AuditCounts {
  /// Records that calls handed over; a call that was refused for want of room handed nothing over.
  std::int64_t accepted = 0;
  /// In the store.
  std::int64_t durable = 0;
  /// In the journal: safe from kill -9, and for 50 ms not from power loss.
  std::int64_t queued = 0;
  /// Refusals that found no room; the log tells of them as a gap.
  std::int64_t dropped = 0;
  /// Why no call is taken any more; empty while all is well.
  std::string problem = {};
};

/// The audit log of one process. begin(), tickets, refused() and counts() are *safe from any
/// thread*, take no lock and allocate nothing but an error; what needs the disk is done by work().
/// What they were given is in a mapping that outlives the process when they return: it becomes
/// durable, by this process or by another one that finds it dead. Destroy tickets first.
class AuditLog {
 public:
  /// Takes a journal, and first writes down what dead processes have left. Codes: store_io_error,
  /// store_disk_full, and those of the store.
  static Result<std::unique_ptr<AuditLog>> open(AuditOptions options, AuditStore& store);
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;
  ~AuditLog();

  /// The call is about to leave. There is room for its outcome from here on. Codes:
  /// policy_audit_unavailable (no room, or the disk failed), internal_used_after_fork.
  Result<AuditTicket> begin(const CallIntent& call);
  /// A call that was refused before begin(): one record, or, when there is no room, one in the
  /// count of a gap.
  void refused(const CallOutcome& outcome) noexcept;

  /// Writes down what has come, at most 4,096 records of it, tells those who wait, and looks for
  /// the dead. *Store thread only.* Returns when to come again at the latest, 50 ms at most. After
  /// an error other than store_locked the log is read-only and the store is not used any more. Code
  /// also: store_corrupt (the journal's position in the store is not the one that it wrote).
  Result<std::chrono::nanoseconds> work(AuditStore& store);

  /// Writes down everything, and leaves the journal when no call is in flight.
  Result<void> close(AuditStore& store);

  AuditCounts counts() const;

 private:
  friend class AuditTicket;
  AuditLog(AuditOptions options, JournalFile file);

  bool has_fork() const noexcept;
  std::int64_t cells_for_refusals() const noexcept { return std::int64_t{options_.cells} / 4 * 3; }
  bool take_room(std::int64_t cells) noexcept;
  void write(std::int64_t number, std::int64_t call, const AuditFields* fields) noexcept;
  std::int64_t take_number() noexcept;
  std::int64_t now_us() const noexcept;
  void end(std::int64_t call, const CallOutcome* outcome, std::int64_t& last) noexcept;
  bool park(DurableWaiter& waiter, std::int64_t number) noexcept;
  bool cancel(DurableWaiter& waiter) noexcept;
  void wake() const noexcept;
  // audit_work.cpp
  Result<bool> drain(AuditStore& store);
  Result<void> check_position(AuditStore& store) const;
  Result<void> bury(AuditStore& store, bool is_first);
  void fail(const Error& error) noexcept;
  void resume_waiters() noexcept;

  AuditOptions options_;
  JournalFile file_;
  std::uint32_t fork_generation_;
  std::atomic<bool> is_broken_{false};
  /// The next number to be given away.
  alignas(64) std::atomic<std::int64_t> head_;
  /// Cells that are written or promised.
  alignas(64) std::atomic<std::int64_t> used_{0};
  alignas(64) std::atomic<std::int64_t> accepted_{0};
  /// Numbers below are durable, and their cells free.
  alignas(64) std::atomic<std::int64_t> tail_;
  const std::int64_t first_;
  const std::int64_t dropped_before_;

  mutable std::mutex mutex_;
  DurableWaiter* waiters_ = nullptr;
  std::string problem_;

  // The store thread's own.
  std::vector<AuditItem> items_;
  std::int64_t dropped_told_;
  /// What the position is after the newest batch, written or not.
  AuditPosition attempted_;
  TimePoint buried_at_{};
};

}  // namespace byway::policy
