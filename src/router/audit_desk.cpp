#include "router/audit_desk.hpp"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/fork_guard.hpp"
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
  pthread_t thread{};
  bool is_started = false;
  std::mutex mutex;
  std::condition_variable changed;
  bool is_asked = false;
  bool is_closing = false;

  void wake() {
    const std::lock_guard lock(mutex);
    is_asked = true;
    changed.notify_one();
  }
  void work() noexcept;
};

void AuditDesk::State::work() noexcept {
  std::unique_lock lock(mutex);
  while (!is_closing) {
    is_asked = false;
    lock.unlock();
    // What failed is in the log's counts, and refuses calls where it must.
    const auto next = log->work(*store).value_or(std::chrono::milliseconds(50));
    lock.lock();
    changed.wait_for(lock, next, [&] { return is_asked || is_closing; });
  }
}

void AuditDesk::Drop::operator()(State* state) const noexcept {
  if (state->fork_generation != base::fork_generation()) return;
  if (state->is_started) {
    {
      const std::lock_guard lock(state->mutex);
      state->is_closing = true;
      state->changed.notify_one();
    }
    pthread_join(state->thread, nullptr);
  }
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
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto enter = [](void* given) -> void* {
    static_cast<State*>(given)->work();
    return nullptr;
  };
  const int status = pthread_create(&state->thread, nullptr, enter, state.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  state->is_started = status == 0;
  if (status != 0) {
    return Error(ErrorCode::internal_error, "the system gave no thread for the audit log");
  }
  pthread_setname_np(state->thread, "byway-auditor");
  return std::unique_ptr<AuditDesk>(new AuditDesk(std::move(state)));
}

}  // namespace byway::router
