#include "policy/audit/audit_observer.hpp"

#include <optional>
#include <thread>
#include <utility>

#include "base/audit_bytes.hpp"
#include "base/fork_guard.hpp"
#include "base/library_thread.hpp"

namespace byway::policy {

struct AuditObserver::State {
  std::vector<std::shared_ptr<AuditSink>> sinks;
  std::size_t room = queue_max;
  std::uint32_t fork_generation = base::fork_generation();
  pthread_t thread{};
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::deque<Event> events;
  AuditObserverCounts counts;
  bool is_closing = false;

  bool is_forked() const noexcept { return fork_generation != base::fork_generation(); }
  void work();
  void offer(Event event);
  std::int64_t deliver(const Event& event) noexcept;
};

/// How many sinks threw.
std::int64_t AuditObserver::State::deliver(const Event& event) noexcept {
  std::int64_t failed = 0;
  for (const auto& sink : sinks) {
    try {
      if (const auto* record = std::get_if<AuditRecord>(&event)) sink->on_record(*record);
      if (const auto* head = std::get_if<AuditHead>(&event)) sink->on_head(*head);
    } catch (...) {
      // The application's function; it is counted, and nobody is here to tell.
      ++failed;
    }
  }
  return failed;
}

void AuditObserver::State::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    wake.wait(lock, [&] { return !events.empty() || is_closing; });
    if (events.empty()) return;
    const Event event = std::move(events.front());
    events.pop_front();
    lock.unlock();
    const std::int64_t failed = deliver(event);
    lock.lock();
    counts.failed += failed;
    ++counts.delivered;
    --counts.queued;
  }
}

void AuditObserver::State::offer(Event event) {
  if (is_forked()) return;
  const std::lock_guard lock(mutex);
  ++counts.offered;
  if (events.size() >= room) {
    ++counts.dropped;
    return;
  }
  ++counts.queued;
  events.push_back(std::move(event));
  wake.notify_one();
}

// In a forked child it is left as it is: the thread is not there, and its lock may be held.
void AuditObserver::Drop::operator()(State* state) const noexcept {
  if (state->is_forked()) return;
  {
    const std::lock_guard lock(state->mutex);
    state->is_closing = true;
    state->wake.notify_one();
  }
  const auto end = [state] {
    pthread_join(state->thread, nullptr);
    delete state;
  };
  if (pthread_equal(pthread_self(), state->thread) == 0) return end();
  // A sink has dropped the last router; its thread cannot join itself.
  std::thread(end).detach();
}

AuditObserver::AuditObserver(std::unique_ptr<State, Drop> state) noexcept
    : state_(std::move(state)) {}
AuditObserver::~AuditObserver() = default;

Result<std::unique_ptr<AuditObserver>> AuditObserver::start(
    std::vector<std::shared_ptr<AuditSink>> sinks, std::size_t room) {
  auto state = std::make_unique<State>();
  state->sinks = std::move(sinks);
  state->room = room;
  auto thread = base::start_thread(
      "byway-audit", [](void* self) { static_cast<State*>(self)->work(); }, state.get());
  if (!thread) return thread.error();
  state->thread = *thread;
  return std::unique_ptr<AuditObserver>(
      new AuditObserver(std::unique_ptr<State, Drop>(state.release())));
}

void AuditObserver::offer(std::int64_t seq, std::string_view bytes, std::string_view hash) {
  const std::optional<AuditFields> fields = base::decode_audit(bytes);
  if (!fields) return;
  AuditRecord record = base::to_record(*fields);
  record.seq = seq;
  record.hash = base::hex_of(hash);
  state_->offer(std::move(record));
}

void AuditObserver::offer(const AuditHead& head) {
  state_->offer(head);
}

AuditObserverCounts AuditObserver::counts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counts;
}

}  // namespace byway::policy
