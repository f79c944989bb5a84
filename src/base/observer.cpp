#include "base/observer.hpp"

#include <pthread.h>

#include <chrono>
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
  std::chrono::milliseconds patience{};
  std::uint32_t generation = fork_generation();
  pthread_t thread{};
  mutable std::mutex mutex;
  std::condition_variable wake;
  /// While closing: nothing waits any more.
  std::condition_variable emptied;
  std::deque<Telling> waiting;
  ObserverCounts counts;
  bool is_closing = false;

  bool is_forked() const noexcept { return generation != fork_generation(); }
  void work();
  void close(std::chrono::milliseconds time);
};

void Observer::State::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    wake.wait(lock, [&] { return !waiting.empty() || is_closing; });
    if (waiting.empty()) return;
    Telling telling = std::move(waiting.front());
    waiting.pop_front();
    if (is_closing && waiting.empty()) emptied.notify_one();
    lock.unlock();
    const std::int64_t failed = telling();
    telling = nullptr;
    lock.lock();
    counts.failed += failed;
    ++counts.delivered;
    --counts.queued;
  }
}

void Observer::State::close(std::chrono::milliseconds time) {
  // Freed without the lock: what it holds is the application's.
  std::deque<Telling> untold;
  std::unique_lock lock(mutex);
  is_closing = true;
  wake.notify_one();
  emptied.wait_for(lock, time, [&] { return waiting.empty(); });
  untold.swap(waiting);
}

// In a forked child it is left as it is: the thread is not there, and its lock may be held.
void Observer::Drop::operator()(State* state) const noexcept {
  if (state->is_forked()) return;
  const bool is_own_thread = pthread_equal(pthread_self(), state->thread) != 0;
  state->close(is_own_thread ? std::chrono::milliseconds(0) : state->patience);
  const auto end = [state] {
    pthread_join(state->thread, nullptr);
    delete state;
  };
  if (!is_own_thread) return end();
  // The application has dropped the last router; this thread cannot join itself.
  std::thread(end).detach();
}

Observer::Observer(std::unique_ptr<State, Drop> state) noexcept : state_(std::move(state)) {}
Observer::~Observer() = default;

Result<std::unique_ptr<Observer>> Observer::start(const char* name, std::size_t room,
                                                  std::chrono::milliseconds patience) {
  auto state = std::make_unique<State>();
  state->room = room;
  state->patience = patience;
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
  if (state_->is_forked()) return {};
  const std::lock_guard lock(state_->mutex);
  return state_->counts;
}

}  // namespace byway::base
