#include "policy/quota/quota.hpp"

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

std::optional<std::int64_t> Quota::remaining(const Limit& limit) const noexcept {
  const WallTime now = options_.clock->wall_now();
  std::int32_t first_day = 0;
  if (limit.kind == LimitKind::day) first_day = window_start(QuotaPeriod::day, now);
  if (limit.kind == LimitKind::month) first_day = window_start(QuotaPeriod::month, now);
  const std::optional<SlotRef> found = table_.find(SlotKey::of(limit, first_day));
  if (!found || has_fork()) return {};
  const LiveSlot& slot = file_.slot(found->slot);
  if (limit.kind == LimitKind::rate) return room_in(slot, now_ns(), rate_of(limit));
  return std::max<std::int64_t>(limit.limit - slot.word.load().count, 0);
}

}  // namespace byway::policy
