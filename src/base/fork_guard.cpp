#include "base/fork_guard.hpp"

#include <pthread.h>

#include <atomic>

namespace byway::base {
namespace {

std::atomic<std::uint32_t> generation{0};

void count_fork() {
  generation.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

std::uint32_t fork_generation() noexcept {
  // Registered once, at first use; a failure (no memory) only loses the friendly error in a child.
  static const int registered = pthread_atfork(nullptr, nullptr, count_fork);
  static_cast<void>(registered);
  return generation.load(std::memory_order_relaxed);
}

}  // namespace byway::base
