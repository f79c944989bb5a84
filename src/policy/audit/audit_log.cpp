#include "policy/audit/audit_log.hpp"

#include <cstring>
#include <utility>

#include "base/audit_bytes.hpp"
#include "base/fork_guard.hpp"
#include "base/time_text.hpp"

namespace byway::policy {
namespace {

Error unavailable(std::string_view why) {
  ErrorFields fields{.code = ErrorCode::policy_audit_unavailable};
  fields.message = "the audit log takes no more records, so the call is not made: ";
  fields.message += why;
  return Error(std::move(fields));
}

}  // namespace

AuditLog::AuditLog(AuditOptions options, JournalFile file)
    : options_(std::move(options)),
      file_(std::move(file)),
      fork_generation_(base::fork_generation()),
      head_(file_.header().next.load()),
      tail_(head_.load()),
      first_(head_.load()),
      dropped_before_(file_.header().dropped.load()),
      dropped_told_(dropped_before_),
      attempted_{first_, dropped_before_} {}

AuditLog::~AuditLog() = default;

bool AuditLog::has_fork() const noexcept {
  return fork_generation_ != base::fork_generation();
}

std::int64_t AuditLog::now_us() const noexcept {
  return base::unix_us(options_.clock->wall_now());
}

void AuditLog::wake() const noexcept {
  if (options_.wake) options_.wake();
}

bool AuditLog::take_room(std::int64_t cells) noexcept {
  const auto size = static_cast<std::int64_t>(file_.cells());
  const std::int64_t before = used_.fetch_add(cells, std::memory_order_acq_rel);
  if (before + cells > size) {
    used_.fetch_sub(cells, std::memory_order_acq_rel);
    wake();
    return false;
  }
  // Once when the ring is half full: the store thread comes before it is full.
  if (before < size / 2 && before + cells >= size / 2) wake();
  return true;
}

std::int64_t AuditLog::take_number() noexcept {
  accepted_.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t number = head_.fetch_add(1, std::memory_order_acq_rel);
  // Never so, since room was taken: there are no more numbers out than cells. The load orders this
  // thread after the one that freed the cell.
  while (number - tail_.load(std::memory_order_acquire) >= file_.cells()) {
  }
  return number;
}

void AuditLog::write(std::int64_t number, std::int64_t call, const AuditFields* fields) noexcept {
  JournalCell& cell = file_.cell(number);
  std::size_t size = 0;
  if (fields != nullptr) {
    size = base::encode_audit(*fields, cell.bytes.data(), cell.bytes.size());
    if (size == 0) {
      // Numbers that no server ever meant and every text at its longest.
      AuditFields shorter = *fields;
      shorter.model = shorter.model.substr(0, 64);
      shorter.model_served = shorter.model_served.substr(0, 64);
      size = base::encode_audit(shorter, cell.bytes.data(), cell.bytes.size());
    }
  }
  std::memset(cell.bytes.data() + size, 0, (8 - size % 8) % 8);
  cell.size = static_cast<std::uint32_t>(size);
  cell.call = call;
  cell.checksum = checksum_of(cell, number);
  cell.published.store(number + 1, std::memory_order_release);
}

Result<AuditTicket> AuditLog::begin(const CallIntent& call) {
  if (has_fork()) {
    return Error(ErrorCode::internal_used_after_fork, "audit was used in a forked child");
  }
  if (is_broken_.load(std::memory_order_relaxed)) {
    const std::lock_guard lock(mutex_);
    return unavailable(problem_);
  }
  if (!take_room(2)) return unavailable("too many wait to become durable");
  const AuditFields fields = fields_of(call, now_us());
  const std::int64_t number = take_number();
  write(number, number, &fields);
  return AuditTicket(*this, number);
}

void AuditLog::end(std::int64_t call, const CallOutcome* outcome, std::int64_t& last) noexcept {
  if (has_fork()) return;
  last = take_number();
  if (outcome == nullptr) return write(last, call, nullptr);
  const AuditFields fields = fields_of(*outcome, now_us());
  write(last, call, &fields);
}

void AuditLog::refused(const CallOutcome& outcome) noexcept {
  if (has_fork()) return;
  // A quarter is kept for calls, so that no flood of refusals keeps them out.
  const bool is_crowded = used_.load(std::memory_order_relaxed) > cells_for_refusals();
  if (is_crowded || is_broken_.load(std::memory_order_relaxed) || !take_room(1)) {
    accepted_.fetch_add(1, std::memory_order_relaxed);
    file_.header().dropped.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const AuditFields fields = fields_of(outcome, now_us());
  write(take_number(), -1, &fields);
}

bool AuditLog::park(DurableWaiter& waiter, std::int64_t number) noexcept {
  waiter.number = number;
  waiter.is_failed = false;
  {
    const std::lock_guard lock(mutex_);
    if (tail_.load() > number) return false;
    if (is_broken_.load() || has_fork()) {
      waiter.is_failed = true;
      return false;
    }
    waiter.previous = nullptr;
    waiter.next = waiters_;
    if (waiters_ != nullptr) waiters_->previous = &waiter;
    waiters_ = &waiter;
    waiter.is_parked = true;
  }
  wake();
  return true;
}

bool AuditLog::cancel(DurableWaiter& waiter) noexcept {
  const std::lock_guard lock(mutex_);
  if (!waiter.is_parked) return false;
  if (waiter.next != nullptr) waiter.next->previous = waiter.previous;
  (waiter.previous != nullptr ? waiter.previous->next : waiters_) = waiter.next;
  waiter.is_parked = false;
  return true;
}

AuditCounts AuditLog::counts() const {
  AuditCounts counts;
  const std::int64_t tail = tail_.load();
  counts.durable = tail - first_;
  counts.queued = head_.load() - tail;
  counts.dropped = file_.header().dropped.load() - dropped_before_;
  counts.accepted = accepted_.load();
  const std::lock_guard lock(mutex_);
  counts.problem = problem_;
  return counts;
}

}  // namespace byway::policy
