// Quota: admits calls under limits that all processes of a host share.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <byway/clock.hpp>
#include <byway/quota_alert.hpp>
#include <byway/quota_store.hpp>
#include <byway/result.hpp>

#include "policy/quota/admission.hpp"
#include "policy/quota/journal.hpp"
#include "policy/quota/live_file.hpp"
#include "policy/quota/slot_table.hpp"
#include "policy/quota/waiting_lines.hpp"

namespace byway::policy {

struct QuotaOptions {
  /// The store's path: the mapping is `<store>-live`.
  std::string store;
  std::shared_ptr<Clock> clock = Clock::system();
  /// Asks for work() soon; from any thread, must not block or call the Quota.
  std::function<void()> wake = {};
  /// On the thread of work() or close(), which it must not hold up or throw into. Once for a window
  /// of the host, and again when the limit was raised above the highest one it was given for. A
  /// process without it leaves the alert to another.
  std::function<void(const QuotaAlert&)> on_alert = {};
  /// The share of a cap at which it is given, 1 to 100, rounded up to a whole unit.
  int alert_percent = 80;
  LiveSizes sizes = {};
  /// For tests; empty is the system's.
  std::string boot_id = {};
};

/// Limits and caps, exact for all threads and processes of a host at every instant and after every
/// crash: what is admitted and not given back is at most the limit. admit() and tickets are *safe
/// from any thread*, take no lock and allocate nothing; what needs the disk is done by work().
/// Destroy tickets and settle waiters first.
class Quota {
 public:
  /// Codes: store_io_error, store_disk_full.
  static Result<std::unique_ptr<Quota>> open(QuotaOptions options);
  Quota(const Quota&) = delete;
  Quota& operator=(const Quota&) = delete;
  ~Quota();

  /// All limits or none, asked in their order (sort by enforced_before), each with the amount of
  /// its unit; in-flight counts one. A rate's amount is clamped to its burst. Windows are those of
  /// now. Limits of another number bind from the next call on.
  Admission admit(std::span<const Limit> limits, const Amounts& amounts,
                  std::string_view label) noexcept;

  /// The same, with a place in line: false when the answer is in waiter.admission; true when
  /// `resume` comes, later or already. A call never passes one that waits for the same limit.
  bool park(Waiter& waiter) noexcept;
  /// True when the waiter left its line and will not be resumed.
  bool cancel(Waiter& waiter) noexcept { return lines_.cancel(waiter); }

  /// What a call could still take now of each limit; empty before the limit's first use.
  using Remaining = std::array<std::optional<std::int64_t>, legs_max>;
  Remaining remaining(std::span<const Limit> limits) const noexcept;
  std::optional<std::int64_t> remaining(const Limit& limit) const noexcept {
    return remaining(std::span(&limit, 1))[0];
  }

  /// The durable part: makes and retires counts, reserves ahead, replays the dead, writes down what
  /// is used, then serves those who wait. *Store thread only.* Returns when to come again at the
  /// latest. After an error nothing is lost and those concerned go on waiting.
  Result<std::chrono::nanoseconds> work(QuotaStore& store);

  /// Gives the alerts that are due and writes down what is used. The last process of the host also
  /// gives back what it does not use.
  Result<void> close(QuotaStore& store);

 private:
  friend class Ticket;
  /// What a call asks of one limit.
  struct Leg {
    const Limit* limit = nullptr;
    SlotKey key;
    SlotRef ref;
    std::int64_t amount = 0;
    std::uint32_t line = 0;
  };
  struct Plan;
  /// A count that is missing, or low.
  struct Ask {
    SlotKey key;
    std::int64_t need = 0;
    std::int64_t limit = 0;
    Rate rate;
  };

  Quota(QuotaOptions options, LiveFile file);

  // admit.cpp
  bool has_fork() const noexcept;
  Admission attempt(std::span<const Limit> limits, const Amounts& amounts, std::string_view label,
                    bool has_turn, std::uint32_t& line) noexcept;
  static void attempt_in_line(void* self, Waiter& waiter, std::uint32_t& line) noexcept;
  bool look_up(Plan& plan, std::span<const Limit> limits, const Amounts& amounts) noexcept;
  bool look_ahead(Plan& plan) noexcept;
  bool take_all(Plan& plan, Claim& claim, InFlightCall& call) noexcept;
  bool take_one(Plan& plan, std::size_t at, Claim& claim, Fill& made) noexcept;
  void undo(Plan& plan, std::size_t taken, Claim& claim, InFlightCall& call) noexcept;
  bool judge(Plan& plan, const Leg& leg, Take take) noexcept;
  void look_back(const Plan& plan) noexcept;
  void alert_if_due(const Leg& leg, std::int64_t count) noexcept;
  void ask(const Leg& leg) noexcept;
  void wake() const noexcept;
  // settle.cpp
  bool settle(std::uint32_t entry, std::uint32_t sequence, const Amounts* actual,
              bool was_sent) noexcept;
  void true_up_rates(const Claim& claim, const InFlightCall& call, const Amounts* actual,
                     bool was_sent) noexcept;
  // work.cpp, and windows.cpp from look_around on
  Result<void> do_durable_work(QuotaStore& store);
  Result<void> bury(QuotaStore& store);
  Result<void> bury_one(QuotaStore& store, std::uint32_t owner);
  void take_owner();
  Result<void> answer(QuotaStore& store, const Ask& ask);
  Result<SlotRef> make(QuotaStore& store, const Ask& ask);
  Result<void> extend(QuotaStore& store, const Ask& ask, LiveSlot& slot);
  void give_alerts();
  Result<void> look_around(QuotaStore& store);
  Result<void> prepare_next_windows(QuotaStore& store, WallTime now);
  Result<void> settle_all(QuotaStore& store);
  Result<void> sweep(QuotaStore& store, WallTime now);

  std::int64_t now_ns() const noexcept { return options_.clock->boot_now().count(); }

  QuotaOptions options_;
  LiveFile file_;
  SlotTable table_;
  Journal journal_;
  WaitingLines lines_;
  std::uint32_t fork_generation_;

  std::mutex asked_mutex_;
  std::vector<Ask> asked_;
  std::vector<QuotaAlert> alerts_;
  /// By line: asked and not answered yet.
  std::unique_ptr<std::atomic<bool>[]> is_asked_;
  std::atomic<bool> needs_owner_{false};

  // The store thread's own.
  std::int64_t looked_around_ns_ = 0;
  std::int64_t buried_ns_ = 0;
  std::int32_t prepared_day_ = 0;
};

}  // namespace byway::policy
