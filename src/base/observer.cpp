#include "base/observer.hpp"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/fork_guard.hpp"
#include "base/library_thread.hpp"

namespace byway::base {

struct Observer::State {
  std::size_t room = 0;
  std::uint32_t generation = fork_generation();
  pthread_t thread{};
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::deque<Telling> waiting;
  ObserverCounts counts;
  bool is_closing = false;

  bool is_forked() const noexcept { return generation != fork_generation(); }
  void work();
};

void Observer::State::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    wake.wait(lock, [&] { return !waiting.empty() || is_closing; });
    if (waiting.empty()) return;
    Telling telling = std::move(waiting.front());
    waiting.pop_front();
    lock.unlock();
    const std::int64_t failed = telling();
    telling = nullptr;
    lock.lock();
    counts.failed += failed;
    ++counts.delivered;
    --counts.queued;
  }
}

// In a forked child it is left as it is: the thread is not there, and its lock may be held.
void Observer::Drop::operator()(State* state) const noexcept {
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
  // The application has dropped the last router; this thread cannot join itself.
  std::thread(end).detach();
}

Observer::Observer(std::unique_ptr<State, Drop> state) noexcept : state_(std::move(state)) {}
Observer::~Observer() = default;

Result<std::unique_ptr<Observer>> Observer::start(const char* name, std::size_t room) {
  auto state = std::make_unique<State>();
  state->room = room;
  auto thread = start_thread(
      name, [](void* self) { static_cast<State*>(self)->work(); }, state.get());
  if (!thread) return thread.error();
  state->thread = *thread;
  return std::unique_ptr<Observer>(new Observer(std::unique_ptr<State, Drop>(state.release())));
}

void Observer::offer(Telling telling) {
  if (state_->is_forked()) return;
  const std::lock_guard lock(state_->mutex);
  ++state_->counts.offered;
  if (state_->waiting.size() >= state_->room) {
    ++state_->counts.dropped;
    return;
  }
  state_->waiting.push_back(std::move(telling));
  ++state_->counts.queued;
  state_->wake.notify_one();
}

ObserverCounts Observer::counts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counts;
}

}  // namespace byway::base
