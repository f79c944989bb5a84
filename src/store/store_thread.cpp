#include "store/store_thread.hpp"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>

#include "base/fork_guard.hpp"
#include "base/library_thread.hpp"

namespace byway::store {

struct StoreThread::State {
  State(RegistryStore given, StoreThreadOptions wanted)
      : store(std::move(given)), options(std::move(wanted)) {}

  bool is_forked() const noexcept { return fork_generation != base::fork_generation(); }
  void work();

  std::optional<RegistryStore> store;
  StoreThreadOptions options;
  std::uint32_t fork_generation = base::fork_generation();
  pthread_t thread{};
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Task> tasks;
  bool is_closing = false;
};

void StoreThread::State::work() {
  auto next_look = std::chrono::steady_clock::now() + options.period;
  std::unique_lock lock(mutex);
  for (;;) {
    wake.wait_until(lock, next_look, [&] { return !tasks.empty() || is_closing; });
    if (tasks.empty() && is_closing) return;
    Task task;
    if (!tasks.empty()) {
      task = std::move(tasks.front());
      tasks.pop_front();
    }
    lock.unlock();
    if (task) task(*store);
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_look) {
      next_look = now + options.period;
      if (options.periodic) options.periodic(*store);
    }
    task = nullptr;
    lock.lock();
  }
}

// In a forked child it is left as it is: destroying the condition variable would wait for ever for
// the thread that sleeps on it in the parent.
void StoreThread::Drop::operator()(State* state) const noexcept {
  if (!state->is_forked()) delete state;
}

StoreThread::StoreThread(std::unique_ptr<State, Drop> state) noexcept : state_(std::move(state)) {}

Result<std::unique_ptr<StoreThread>> StoreThread::start(RegistryStore store,
                                                        StoreThreadOptions options) {
  std::unique_ptr<State, Drop> state(new State(std::move(store), std::move(options)));
  auto thread = base::start_thread(
      "byway-store", [](void* self) { static_cast<State*>(self)->work(); }, state.get());
  if (!thread) return thread.error();
  state->thread = *thread;
  return std::unique_ptr<StoreThread>(new StoreThread(std::move(state)));
}

StoreThread::~StoreThread() {
  close();
}

Result<void> StoreThread::run_task(const Task& task) {
  State& state = *state_;
  if (state.is_forked()) {
    return Error(ErrorCode::internal_used_after_fork,
                 "a store was used in a forked child; open it again there");
  }
  if (pthread_equal(pthread_self(), state.thread) != 0) {
    task(*state.store);
    return {};
  }
  std::condition_variable finished;
  std::exception_ptr failure;
  bool is_finished = false;
  std::unique_lock lock(state.mutex);
  if (state.is_closing) return Error(ErrorCode::internal_closed, "the store is closed");
  state.tasks.emplace_back([&](RegistryStore& store) {
    try {
      task(store);
    } catch (...) {
      failure = std::current_exception();
    }
    // Told under the lock: once the caller sees it, its frame is gone, and `finished` with it.
    const std::lock_guard hold(state.mutex);
    is_finished = true;
    finished.notify_one();
  });
  state.wake.notify_one();
  finished.wait(lock, [&] { return is_finished; });
  lock.unlock();
  if (failure) std::rethrow_exception(failure);
  return {};
}

void StoreThread::post(std::function<void(RegistryStore&)> task) {
  if (state_->is_forked()) return;
  const std::lock_guard hold(state_->mutex);
  if (state_->is_closing) return;
  state_->tasks.push_back(std::move(task));
  state_->wake.notify_one();
}

void StoreThread::close() {
  if (state_->is_forked()) return;
  {
    const std::lock_guard hold(state_->mutex);
    if (state_->is_closing) return;
    state_->is_closing = true;
    state_->wake.notify_one();
  }
  pthread_join(state_->thread, nullptr);
  state_->store.reset();
}

}  // namespace byway::store
