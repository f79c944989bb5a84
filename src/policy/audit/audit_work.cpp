// The store thread's part: what has come is written down, and so is what the dead have left.
#include <algorithm>
#include <utility>

#include "base/audit_bytes.hpp"
#include "base/fork_guard.hpp"
#include "base/time_text.hpp"
#include "policy/audit/audit_log.hpp"

namespace byway::policy {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds work_period(50);
constexpr milliseconds bury_period(500);
constexpr std::size_t batch_max = 4096;

AuditItem item_of(const JournalCell& cell, std::int64_t number) {
  return {number, cell.call, std::string_view(cell.bytes.data(), cell.size)};
}

/// Empty is a call that was dropped without its outcome.
bool is_readable(const AuditItem& item) noexcept {
  return item.bytes.empty() || base::decode_audit(item.bytes).has_value();
}

/// What a dead process had published and nobody has written down, in order. A number that is
/// missing was never published: whoever took it had not returned. A cell that is torn is one that a
/// power loss took.
std::vector<AuditItem> left_in(const JournalFile& file, std::int64_t next) {
  std::vector<AuditItem> items;
  for (std::uint32_t at = 0; at < file.cells(); ++at) {
    const JournalCell& cell = file.cell(at);
    const std::int64_t number = cell.published.load(std::memory_order_acquire) - 1;
    if (number < next || number % file.cells() != at || cell.size > record_bytes_max) continue;
    if (cell.checksum == checksum_of(cell, number)) items.push_back(item_of(cell, number));
  }
  std::sort(items.begin(), items.end(),
            [](const AuditItem& a, const AuditItem& b) { return a.number < b.number; });
  return items;
}

/// Idempotent, and may be cut short anywhere: what is durable is known by its number, and a journal
/// stays in use until everything is.
Result<void> bury_one(AuditStore& store, JournalFile& file, std::int64_t at_us) {
  Result<AuditPosition> before = store.position(file.name());
  if (!before) return before.error();
  JournalHeader& header = file.header();
  std::vector<AuditItem> items;
  // One that was left in order has nothing; looking through it would read all of the file.
  const bool is_left = header.used.load() == 0 && header.next.load() == before->next;
  if (!is_left) items = left_in(file, before->next);
  AuditPosition after{items.empty() ? before->next : items.back().number + 1,
                      std::max(before->dropped, header.dropped.load())};
  // What cannot be read must not stand in the log for good: it is told of as a gap.
  after.dropped += static_cast<std::int64_t>(
      std::erase_if(items, [](const AuditItem& item) { return !is_readable(item); }));
  std::span<const AuditItem> rest(items);
  for (; rest.size() > batch_max; rest = rest.subspan(batch_max)) {
    const AuditPosition part{rest[batch_max].number, before->dropped};
    Result<void> done = store.append(file.name(), rest.first(batch_max), part);
    if (!done) return done;
  }
  if (!rest.empty() || after != *before) {
    if (Result<void> done = store.append(file.name(), rest, after); !done) return done;
  }
  // Needs no look at the mapping: after a power loss it may be older than the store.
  if (Result<void> done = store.end_calls(file.name(), at_us); !done) return done;
  header.dropped.store(after.dropped);
  header.next.store(after.next);
  header.used.store(0);
  return {};
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(AuditOptions options, AuditStore& store) {
  const std::string_view log = store.log();
  for (std::uint32_t number = 0; number < JournalFile::files_max; ++number) {
    auto file = JournalFile::take(options.store, number, log, options.cells);
    if (!file) return file.error();
    if (!*file) continue;
    const std::int64_t now = base::unix_us(options.clock->wall_now());
    if (Result<void> done = bury_one(store, **file, now); !done) return done.error();
    if ((*file)->cells() != options.cells) {
      if (Result<void> done = (*file)->resize(log, options.cells); !done) return done.error();
    }
    (*file)->header().used.store(1);
    std::unique_ptr<AuditLog> opened(new AuditLog(std::move(options), std::move(**file)));
    if (Result<void> done = opened->bury(store, true); !done) return done.error();
    return opened;
  }
  return Error(ErrorCode::store_io_error, "too many processes write to the audit log");
}

Result<nanoseconds> AuditLog::work(AuditStore& store) {
  if (has_fork()) {
    return Error(ErrorCode::internal_used_after_fork, "audit was used in a forked child");
  }
  if (is_broken_.load()) return nanoseconds(work_period);
  Result<bool> has_more = drain(store);
  Result<void> done = has_more ? Result<void>() : has_more.error();
  const TimePoint now = options_.clock->now();
  if (done && now - buried_at_ >= bury_period) done = bury(store, false);
  if (done && !*has_more) done = store.publish_head();
  if (!done && done.error().code() != ErrorCode::store_locked) fail(done.error());
  resume_waiters();
  if (!done) return done.error();
  return *has_more ? nanoseconds(0) : nanoseconds(work_period);
}

/// False when everything that was there is durable.
Result<bool> AuditLog::drain(AuditStore& store) {
  items_.clear();
  const std::int64_t tail = tail_.load(std::memory_order_relaxed);
  for (std::int64_t number = tail; items_.size() < batch_max; ++number) {
    const JournalCell& cell = file_.cell(number);
    // Taken and not written to the end yet: what stands behind it waits.
    if (cell.published.load(std::memory_order_acquire) != number + 1) break;
    items_.push_back(item_of(cell, number));
  }
  const std::int64_t dropped = file_.header().dropped.load(std::memory_order_relaxed);
  const auto count = static_cast<std::int64_t>(items_.size());
  if (count == 0 && dropped == dropped_told_) return false;
  if (Result<void> good = check_position(store); !good) return good.error();
  attempted_ = {tail + count, dropped};
  Result<void> done = store.append(file_.name(), items_, attempted_);
  if (!done) return done.error();
  dropped_told_ = dropped;
  tail_.store(tail + count, std::memory_order_release);
  used_.fetch_sub(count, std::memory_order_acq_rel);
  return items_.size() == batch_max;
}

/// Nobody but this process moves its journal's position. One that somebody put ahead would make the
/// store take what comes for written.
Result<void> AuditLog::check_position(AuditStore& store) const {
  const Result<AuditPosition> found = store.position(file_.name());
  if (!found) return found.error();
  // After an error nobody knows whether the last batch was written.
  const AuditPosition last{tail_.load(), dropped_told_};
  if (*found == last || *found == attempted_) return {};
  return Error(ErrorCode::store_corrupt,
               "the audit journal's position in the store was changed by somebody else");
}

Result<void> AuditLog::bury(AuditStore& store, bool is_first) {
  buried_at_ = options_.clock->now();
  for (std::uint32_t number = 0; number < JournalFile::files_max; ++number) {
    if (std::to_string(number) == file_.name()) continue;
    auto file = JournalFile::take_found(options_.store, number, store.log());
    // The first time even those that look left: a power loss may have taken the mark.
    if (!file || (!is_first && file->header().used.load() == 0)) continue;
    if (Result<void> done = bury_one(store, *file, now_us()); !done) return done;
  }
  return {};
}

void AuditLog::fail(const Error& error) noexcept {
  const std::lock_guard lock(mutex_);
  problem_ = error.message();
  is_broken_.store(true);
}

void AuditLog::resume_waiters() noexcept {
  DurableWaiter* served = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const bool is_broken = is_broken_.load();
    const std::int64_t tail = tail_.load();
    for (DurableWaiter* waiter = waiters_; waiter != nullptr;) {
      DurableWaiter* next = waiter->next;
      const bool is_durable = waiter->number < tail;
      if (is_durable || is_broken) {
        waiter->is_failed = !is_durable;
        if (next != nullptr) next->previous = waiter->previous;
        (waiter->previous != nullptr ? waiter->previous->next : waiters_) = next;
        waiter->is_parked = false;
        waiter->next = served;
        served = waiter;
      }
      waiter = next;
    }
  }
  while (served != nullptr) {
    DurableWaiter* waiter = std::exchange(served, served->next);
    waiter->resume(*waiter);
  }
}

Result<void> AuditLog::close(AuditStore& store) {
  if (has_fork()) return {};
  for (;;) {
    Result<bool> has_more = is_broken_.load() ? Result<bool>(false) : drain(store);
    if (!has_more) {
      // Nobody comes after this: those who wait hear that they waited in vain.
      fail(has_more.error());
      resume_waiters();
      return has_more.error();
    }
    if (!*has_more) break;
  }
  resume_waiters();
  if (is_broken_.load()) return Error(ErrorCode::policy_audit_unavailable, counts().problem);
  if (used_.load() == 0) {
    file_.header().next.store(tail_.load());
    file_.header().used.store(0);
  }
  return store.publish_head();
}

}  // namespace byway::policy
