#include "router/core.hpp"

#include <thread>
#include <utility>

#include "base/fork_guard.hpp"
#include "router/call.hpp"

namespace byway {

void Router::Core::cancel_all() {
  is_transport_closed = true;
  // A call may stay linked a little longer: one whose transfer was refused hears of its end first.
  for (router::Call* call = first_call; call != nullptr;) {
    router::Call* next = call->next_in_flight;
    call->abandon();
    call = next;
  }
}

void Router::Core::close(std::chrono::milliseconds deadline) {
  if (loop == nullptr || fork_generation != base::fork_generation()) return;
  is_closed.store(true);
  // A completion may close its own router; the loop cannot wait for itself, so what is left is
  // cancelled later.
  if (transport::EventLoop::current() == loop.get()) return loop->post([this] { cancel_all(); });
  const std::lock_guard lock(close_mutex);
  if (std::exchange(is_stopped, true)) return;
  // Calls tell nobody when they end; closing is rare, so it looks.
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (calls_in_flight.load() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::mutex mutex;
  std::condition_variable condition;
  bool is_done = false;
  loop->post([&] {
    cancel_all();
    if (transport) transport->close();
    const std::lock_guard guard(mutex);
    is_done = true;
    condition.notify_one();
  });
  std::unique_lock guard(mutex);
  condition.wait(guard, [&] { return is_done; });
  guard.unlock();
  loop->stop();
}

void Router::Core::destroy(Core* core) noexcept {
  // A forked child has no threads to join and may not touch their locks: it leaves everything where
  // it is.
  if (core->fork_generation != base::fork_generation()) return;
  const auto end = [core] {
    core->close(std::chrono::milliseconds(0));
    delete core;
  };
  if (transport::EventLoop::current() == nullptr) return end();
  std::thread(end).detach();
}

}  // namespace byway
