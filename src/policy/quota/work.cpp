// The store thread's part: owners, the dead, new counts, reservations.
#include <algorithm>

#include "policy/quota/quota.hpp"
#include "policy/quota/replay.hpp"
#include "policy/quota/utc_window.hpp"

namespace byway::policy {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds look_period(250);
constexpr milliseconds bury_period(100);
/// Others' processes cannot wake those who wait here.
constexpr milliseconds line_period(5);
constexpr std::int64_t block_min = 64;

QuotaWindow window_of(const SlotKey& key) noexcept {
  const QuotaPeriod period = key.kind() == LimitKind::month ? QuotaPeriod::month : QuotaPeriod::day;
  return {key.subject(), key.unit(), period, key.first_day()};
}

}  // namespace

Result<nanoseconds> Quota::work(QuotaStore& store) {
  if (has_fork()) {
    return Error(ErrorCode::internal_used_after_fork, "quota was used in a forked child");
  }
  Result<void> done;
  {
    const LiveFile::Guard guard(file_);
    done = do_durable_work(store);
  }
  lines_.serve_all(&Quota::attempt_in_line, this);
  give_alerts();
  if (!done) return done.error();
  return nanoseconds(lines_.is_empty() ? look_period : line_period);
}

Result<void> Quota::do_durable_work(QuotaStore& store) {
  const std::int64_t now = now_ns();
  const bool is_crowded = needs_owner_.exchange(false) || journal_.free_entries() == 0;
  if (is_crowded || now - buried_ns_ >= nanoseconds(bury_period).count()) {
    if (Result<void> done = bury(store); !done) return done;
    buried_ns_ = now;
  }
  if (is_crowded) take_owner();
  std::vector<Ask> asked;
  asked.reserve(256);
  {
    const std::lock_guard lock(asked_mutex_);
    asked.swap(asked_);
  }
  for (const Ask& ask : asked) is_asked_[table_.line_of(ask.key)].store(false);
  for (const Ask& ask : asked) {
    if (Result<void> done = answer(store, ask); !done) return done;
  }
  if (now - looked_around_ns_ < nanoseconds(look_period).count()) return {};
  looked_around_ns_ = now;
  return look_around(store);
}

void Quota::take_owner() {
  for (std::uint32_t owner = 0; owner < file_.sizes().owners; ++owner) {
    if (journal_.has(owner) || file_.header().owner[owner].used.load() != 0) continue;
    Result<FileLock> lock = file_.owner_lock(owner);
    if (!lock || !lock->try_lock()) continue;
    // It may have been taken and lost in between.
    if (file_.header().owner[owner].used.load() != 0) continue;
    journal_.add(owner, std::move(*lock));
    return;
  }
}

Result<void> Quota::bury(QuotaStore& store) {
  for (std::uint32_t owner = 0; owner < file_.sizes().owners; ++owner) {
    if (journal_.has(owner) || file_.header().owner[owner].used.load() == 0) continue;
    Result<FileLock> lock = file_.owner_lock(owner);
    if (!lock || !lock->try_lock()) continue;
    if (Result<void> done = bury_one(store, owner); !done) return done;
  }
  return {};
}

Result<void> Quota::bury_one(QuotaStore& store, std::uint32_t owner) {
  const std::vector<std::string> labels = doubts_of(file_, owner);
  if (!labels.empty()) {
    const auto since = options_.clock->wall_now().time_since_epoch();
    const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(since).count();
    std::vector<QuotaDoubt> doubts;
    for (const std::string& label : labels) doubts.push_back({label, now});
    if (Result<void> told = store.settle({}, doubts); !told) return told;
  }
  replay(file_, owner);
  file_.header().owner[owner].used.store(0);
  return {};
}

Result<void> Quota::answer(QuotaStore& store, const Ask& ask) {
  std::optional<SlotRef> found = table_.find(ask.key);
  if (!found) {
    Result<SlotRef> made = make(store, ask);
    if (!made) return made.error();
    found = *made;
  }
  if (!is_cap(ask.key.kind())) return {};
  return extend(store, ask, file_.slot(found->slot));
}

Result<SlotRef> Quota::make(QuotaStore& store, const Ask& ask) {
  Counted count;
  std::int64_t reserved = 0;
  if (is_cap(ask.key.kind())) {
    // All that was ever reserved counts as used: what was really used is not known any more.
    Result<std::int64_t> before = store.extend(window_of(ask.key), 0, ask.limit);
    if (!before) return before.error();
    count.count = reserved = *before;
  } else if (ask.key.kind() == LimitKind::rate && file_.header().cold_ns != 0) {
    count.count = file_.header().cold_ns + drain_ns(ask.rate, ask.rate.burst) + 1;
  }
  const std::optional<SlotRef> made = table_.add(ask.key, count, reserved);
  if (made) return *made;
  return Error(ErrorCode::store_io_error, "there is no room for another limit in the live file");
}

Result<void> Quota::extend(QuotaStore& store, const Ask& ask, LiveSlot& slot) {
  const std::int64_t count = slot.word.load().count;
  const std::int64_t reserved = slot.reserved.load();
  slot.limit.store(ask.limit);
  const std::int64_t need = std::max<std::int64_t>(ask.need, 1);
  const std::int64_t since =
      std::max(now_ns() - slot.looked_ns.load(), milliseconds(1) / nanoseconds(1));
  const double per_second =
      1e9 * static_cast<double>(count - slot.looked_count.load()) / static_cast<double>(since);
  const std::int64_t block = std::max({need > ask.limit / block_min ? ask.limit : block_min * need,
                                       static_cast<std::int64_t>(std::min(per_second, 1e18))});
  slot.low_water.store(block / 2);
  if (reserved >= ask.limit || reserved - count >= std::max(block / 2, need)) return {};
  const std::int64_t want = std::min(count + block, ask.limit) - reserved;
  if (want <= 0) return {};
  Result<std::int64_t> granted = store.extend(window_of(ask.key), want, ask.limit);
  if (!granted) return granted.error();
  // Durable by now.
  if (*granted > reserved) slot.reserved.store(*granted, std::memory_order_release);
  return {};
}

void Quota::give_alerts() {
  std::vector<QuotaAlert> alerts;
  {
    const std::lock_guard lock(asked_mutex_);
    alerts.swap(alerts_);
    alerts_.reserve(64);
  }
  for (const QuotaAlert& alert : alerts) options_.on_alert(alert);
}

}  // namespace byway::policy
