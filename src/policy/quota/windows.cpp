// The store thread's round: write down what is used, make the next windows, retire the old ones.
#include <algorithm>
#include <span>

#include "policy/quota/quota.hpp"
#include "policy/quota/utc_window.hpp"

namespace byway::policy {
namespace {

/// A clock that is stepped back finds its window still there, mostly; after that, in the ledger.
constexpr std::chrono::hours linger(2);
constexpr std::chrono::seconds ahead(60);

QuotaWindow window_of(const SlotKey& key) noexcept {
  const QuotaPeriod period = key.kind() == LimitKind::month ? QuotaPeriod::month : QuotaPeriod::day;
  return {key.subject(), key.unit(), period, key.first_day()};
}

struct Found {
  std::uint32_t slot;
  SlotKey key;
  std::int64_t used;
};

/// The live slots of caps that `is_wanted`.
template <class IsWanted>
std::vector<Found> caps_of(const LiveFile& file, const SlotTable& table, IsWanted is_wanted) {
  std::vector<Found> found;
  for (std::uint32_t at = 0; at < file.sizes().slots; ++at) {
    const std::optional<SlotKey> key = table.key_of(at);
    if (!key || !is_cap(key->kind()) || !is_wanted(file.slot(at), *key)) continue;
    found.push_back({at, *key, file.slot(at).word.load().count});
  }
  return found;
}

Result<void> settle_found(QuotaStore& store, const LiveFile& file, std::span<const Found> found) {
  if (found.empty()) return {};
  std::vector<QuotaUse> uses;
  for (const Found& one : found) uses.push_back({window_of(one.key), one.used});
  if (Result<void> done = store.settle(uses, {}); !done) return done;
  for (const Found& one : found) file.slot(one.slot).settled.store(one.used);
  return {};
}

}  // namespace

Result<void> Quota::look_around(QuotaStore& store) {
  if (Result<void> done = settle_all(store); !done) return done;
  const WallTime now = options_.clock->wall_now();
  const std::int32_t day = window_start(QuotaPeriod::day, now);
  const std::int32_t next_day = window_start(QuotaPeriod::day, now + ahead);
  if (next_day != day && prepared_day_ != next_day) {
    if (Result<void> done = prepare_next_windows(store, now + ahead); !done) return done;
    prepared_day_ = next_day;
  }
  return sweep(store, now);
}

Result<void> Quota::settle_all(QuotaStore& store) {
  const std::int64_t now = now_ns();
  const auto is_changed = [&](LiveSlot& slot, const SlotKey&) {
    const std::int64_t count = slot.word.load().count;
    slot.looked_count.store(count);
    slot.looked_ns.store(now);
    return slot.settled.load() != count;
  };
  return settle_found(store, file_, caps_of(file_, table_, is_changed));
}

Result<void> Quota::prepare_next_windows(QuotaStore& store, WallTime then) {
  const std::int32_t day = window_start(QuotaPeriod::day, then);
  const std::int32_t month = window_start(QuotaPeriod::month, then);
  const auto first_day = [&](const SlotKey& key) {
    return key.kind() == LimitKind::month ? month : day;
  };
  const auto is_last = [&](LiveSlot& slot, const SlotKey& key) {
    const QuotaWindow window = window_of(key);
    return slot.word.load().count > 0 &&
           window_start(window.period, window_end(window.period, window.first_day)) ==
               first_day(key);
  };
  for (const Found& one : caps_of(file_, table_, is_last)) {
    Ask ask{one.key.in_window(first_day(one.key)), 1, file_.slot(one.slot).limit.load(), {}};
    if (Result<void> done = answer(store, ask); !done) return done;
  }
  return {};
}

/// Slots of windows long past, in three steps: hide them from new calls, look through the journals
/// for calls that hold one, and retire the rest.
Result<void> Quota::sweep(QuotaStore& store, WallTime now) {
  const auto is_past = [&](LiveSlot&, const SlotKey& key) {
    const QuotaWindow window = window_of(key);
    return window_end(window.period, window.first_day) + linger < now;
  };
  std::vector<Found> past = caps_of(file_, table_, is_past);
  if (past.empty()) return {};
  for (const Found& one : past) table_.begin_retiring(one.slot);
  std::vector<bool> is_held(file_.sizes().slots);
  for (std::uint32_t owner = 0; owner < file_.sizes().owners; ++owner) {
    if (file_.header().owner[owner].used.load() == 0) continue;
    for (std::uint32_t entry = 0; entry < file_.sizes().entries; ++entry) {
      const Claim claim = Claim::found(file_, owner, entry);
      if (claim.state() == EntryState::free) continue;
      for (std::size_t leg = 0; leg < claim.legs(); ++leg) is_held[claim.leg(leg).slot] = true;
    }
  }
  const auto unheld =
      std::partition(past.begin(), past.end(), [&](const Found& one) { return is_held[one.slot]; });
  for (auto one = past.begin(); one != unheld; ++one) table_.keep(one->slot);
  const std::span<Found> gone(unheld, past.end());
  for (Found& one : gone) one.used = file_.slot(one.slot).word.load().count;
  Result<void> done = settle_found(store, file_, gone);
  for (const Found& one : gone) {
    if (done) done = store.give_back(window_of(one.key), one.used);
    // What is not written down stays.
    done ? table_.retire(one.slot) : table_.keep(one.slot);
  }
  return done;
}

Result<void> Quota::close(QuotaStore& store) {
  if (has_fork()) return {};
  give_alerts();
  const LiveFile::Guard guard(file_);
  if (Result<void> done = settle_all(store); !done) return done;
  journal_.leave();
  bool is_last = file_.is_alone();
  for (std::uint32_t owner = 0; owner < file_.sizes().owners; ++owner) {
    is_last = is_last && file_.header().owner[owner].used.load() == 0;
  }
  if (!is_last) return {};
  const auto has_surplus = [](LiveSlot& slot, const SlotKey&) {
    return slot.reserved.load() > slot.word.load().count;
  };
  for (const Found& one : caps_of(file_, table_, has_surplus)) {
    // Here first: the ledger may know of more than the mapping, never of less.
    file_.slot(one.slot).reserved.store(one.used);
    if (Result<void> done = store.give_back(window_of(one.key), one.used); !done) return done;
  }
  return {};
}

}  // namespace byway::policy
