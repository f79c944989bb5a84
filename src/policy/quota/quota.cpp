#include "policy/quota/quota.hpp"

#include <algorithm>
#include <utility>

#include "base/fork_guard.hpp"
#include "policy/quota/utc_window.hpp"

namespace byway::policy {

Quota::Quota(QuotaOptions options, LiveFile file)
    : options_(std::move(options)),
      file_(std::move(file)),
      table_(file_),
      journal_(file_),
      lines_(file_.sizes().slots),
      fork_generation_(base::fork_generation()),
      is_asked_(std::make_unique<std::atomic<bool>[]>(file_.sizes().slots)) {
  asked_.reserve(256);
  alerts_.reserve(64);
}

Quota::~Quota() = default;

Result<std::unique_ptr<Quota>> Quota::open(QuotaOptions options) {
  Result<LiveFile> file = LiveFile::open(
      {options.store, options.sizes, options.clock->boot_now().count(), options.boot_id});
  if (!file) return file.error();
  std::unique_ptr<Quota> quota(new Quota(std::move(options), std::move(*file)));
  // None free, or all of the dead: work() sees to it.
  quota->take_owner();
  return quota;
}

Quota::Remaining Quota::remaining(std::span<const Limit> limits) const noexcept {
  Remaining left;
  if (has_fork()) return left;
  const WallTime now = options_.clock->wall_now();
  const std::int64_t boot_ns = now_ns();
  for (std::size_t at = 0; at < std::min(limits.size(), legs_max); ++at) {
    const Limit& limit = limits[at];
    std::int32_t first_day = 0;
    if (limit.kind == LimitKind::day) first_day = window_start(QuotaPeriod::day, now);
    if (limit.kind == LimitKind::month) first_day = window_start(QuotaPeriod::month, now);
    const std::optional<SlotRef> found = table_.find(SlotKey::of(limit, first_day));
    if (!found) continue;
    const LiveSlot& slot = file_.slot(found->slot);
    const bool is_rate = limit.kind == LimitKind::rate;
    left[at] = is_rate ? room_in(slot, boot_ns, rate_of(limit))
                       : std::max<std::int64_t>(limit.limit - slot.word.load().count, 0);
  }
  return left;
}

}  // namespace byway::policy
