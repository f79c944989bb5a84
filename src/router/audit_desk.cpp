#include "router/audit_desk.hpp"

#include <atomic>
#include <chrono>
#include <utility>

#include "base/fork_guard.hpp"
#include "router/work_thread.hpp"
#include "store/sqlite_audit.hpp"

namespace byway::router {

store::AuditListener listener_of(policy::AuditObserver* observer) {
  if (observer == nullptr) return {};
  return {.on_record = [observer](std::int64_t seq, std::string_view bytes,
                                  std::string_view hash) { observer->offer(seq, bytes, hash); },
          .on_head = [observer](const AuditHead& head) { observer->offer(head); }};
}

struct AuditDesk::State {
  std::unique_ptr<store::SqliteAudit> store;
  std::unique_ptr<policy::AuditLog> log;
  std::uint32_t fork_generation = base::fork_generation();
  std::atomic<WorkThread*> awake{nullptr};
  std::unique_ptr<WorkThread> thread;

  void wake() noexcept {
    if (WorkThread* worker = awake.load()) worker->wake();
  }
  // What failed is in the log's counts, and refuses calls where it must.
  std::chrono::nanoseconds work() noexcept {
    constexpr std::chrono::milliseconds soon(50);
    try {
      return log->work(*store).value_or(soon);
    } catch (...) {
      return soon;  // no memory; what waits is in the journal
    }
  }
};

void AuditDesk::Drop::operator()(State* state) const noexcept {
  if (state->fork_generation != base::fork_generation()) return;
  state->thread.reset();
  state->awake.store(nullptr);
  // What cannot be written now is in the journal, for the next process.
  if (state->log) static_cast<void>(state->log->close(*state->store).has_value());
  delete state;
}

AuditDesk::AuditDesk(std::unique_ptr<State, Drop> state) noexcept : state_(std::move(state)) {}
AuditDesk::~AuditDesk() = default;

policy::AuditLog& AuditDesk::log() const noexcept {
  return *state_->log;
}

Result<std::unique_ptr<AuditDesk>> AuditDesk::open(AuditDeskOptions options) {
  std::unique_ptr<State, Drop> state(new State());
  auto store = store::SqliteAudit::open(options.store, options.key, std::move(options.listener));
  if (!store) return store.error();
  state->store = *std::move(store);
  policy::AuditOptions wanted;
  wanted.store = options.store;
  wanted.clock = options.clock;
  wanted.wake = [self = state.get()] { self->wake(); };
  auto log = policy::AuditLog::open(std::move(wanted), *state->store);
  if (!log) return log.error();
  state->log = *std::move(log);
  auto thread = WorkThread::start("byway-auditor", [self = state.get()] { return self->work(); });
  if (!thread) return thread.error();
  state->thread = *std::move(thread);
  state->awake.store(state->thread.get());
  return std::unique_ptr<AuditDesk>(new AuditDesk(std::move(state)));
}

}  // namespace byway::router
