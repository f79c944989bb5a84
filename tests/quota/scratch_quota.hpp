// A quota in a scratch folder, with a ledger in memory and a clock moved by hand.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <byway/testing/fake_clock.hpp>

#include "policy/quota/quota.hpp"
#include "store/scratch.hpp"

namespace byway::policy {

using store::must;
using store::ScratchFolder;
using testing::FakeClock;

/// 2025-06-15 12:00:00 UTC.
inline WallTime noon() {
  return WallTime(std::chrono::seconds(1'749'988'800));
}

inline WallTime utc(int year, unsigned month, unsigned day, std::chrono::seconds time = {}) {
  using namespace std::chrono;
  return sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) + time;
}

/// A QuotaStore of one host that lives as long as the test: the model of what SQLite does.
class MemoryLedger final : public QuotaStore {
 public:
  struct Row {
    std::int64_t reserved = 0;
    std::int64_t used = 0;
  };
  using Key = std::tuple<std::string, QuotaUnit, QuotaPeriod, std::int32_t>;
  static Key key_of(const QuotaWindow& window) {
    return {std::string(window.subject), window.unit, window.period, window.first_day};
  }

  Result<std::int64_t> extend(const QuotaWindow& window, std::int64_t want,
                              std::int64_t limit) override {
    ++calls;
    if (is_broken) return Error(ErrorCode::store_io_error, "the disk is gone");
    Row& row = rows[key_of(window)];
    if (want > 0) row.reserved = std::max(row.reserved, std::min(limit, row.reserved + want));
    return row.reserved;
  }
  Result<void> give_back(const QuotaWindow& window, std::int64_t keep) override {
    if (is_broken) return Error(ErrorCode::store_io_error, "the disk is gone");
    Row& row = rows[key_of(window)];
    row.reserved = std::min(row.reserved, keep);
    return {};
  }
  Result<void> settle(std::span<const QuotaUse> uses, std::span<const QuotaDoubt> more) override {
    if (is_broken) return Error(ErrorCode::store_io_error, "the disk is gone");
    for (const QuotaUse& use : uses) rows[key_of(use.window)].used = use.used;
    for (const QuotaDoubt& doubt : more) doubts[std::string(doubt.label)] = doubt.at_unix_s;
    return {};
  }

  std::map<Key, Row> rows;
  std::map<std::string, std::int64_t> doubts;
  int calls = 0;
  bool is_broken = false;
};

inline Limit cap(std::string_view kind, std::string_view name, LimitKind period, std::int64_t limit,
                 QuotaUnit unit = QuotaUnit::requests) {
  Limit made;
  made.subject = Subject::of(kind, name);
  made.kind = period;
  made.unit = unit;
  made.limit = limit;
  made.breadth = kind == "org" ? 1 : 0;
  return made;
}

inline Limit rate(std::int64_t per_minute, std::int64_t burst = 0,
                  QuotaUnit unit = QuotaUnit::requests) {
  Limit made;
  made.subject = Subject::of("key", "k1");
  made.kind = LimitKind::rate;
  made.unit = unit;
  made.limit = per_minute;
  made.burst = burst;
  return made;
}

inline Limit in_flight(std::int64_t limit, bool waits = false) {
  Limit made;
  made.subject = Subject::of("key", "k1");
  made.kind = LimitKind::in_flight;
  made.limit = limit;
  made.waits = waits;
  return made;
}

/// One host: its disk, its clock, and as many processes as are opened.
struct Host {
  ScratchFolder folder;
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>(noon());
  MemoryLedger ledger;
  std::vector<QuotaAlert> alerts;
  bool hears_alerts = true;
  std::string boot_id = "boot-1";
  LiveSizes sizes = {256, 8, 32};

  std::unique_ptr<Quota> open() {
    QuotaOptions options;
    options.store = folder / "byway.db";
    options.clock = clock;
    options.sizes = sizes;
    options.boot_id = boot_id;
    if (hears_alerts) {
      options.on_alert = [this](const QuotaAlert& alert) { alerts.push_back(alert); };
    }
    return must(Quota::open(std::move(options)));
  }

  /// Admits, doing the store thread's work whenever that is what it waits for.
  Admission admit(Quota& quota, std::span<const Limit> limits, Amounts amounts = {},
                  std::string_view label = "bw-req-test") {
    for (int tries = 0; tries < 100; ++tries) {
      Admission admission = quota.admit(limits, amounts, label);
      if (admission.outcome != Admission::Outcome::wait) return admission;
      must(quota.work(ledger));
    }
    return {Admission::Outcome::wait, {}, {}};
  }
  bool passes(Quota& quota, std::span<const Limit> limits, Amounts amounts = {}) {
    Admission admission = admit(quota, limits, amounts);
    const bool is_admitted = admission.outcome == Admission::Outcome::admitted;
    if (is_admitted) admission.ticket.settle_as_held();
    return is_admitted;
  }
  /// How many of `tries` calls pass, each settled at once.
  int passing(Quota& quota, std::span<const Limit> limits, int tries, Amounts amounts = {}) {
    int admitted = 0;
    for (int at = 0; at < tries; ++at) admitted += passes(quota, limits, amounts) ? 1 : 0;
    return admitted;
  }
};

}  // namespace byway::policy
