// Fibers: pieces of real code that a test runs one step at a time, and may leave for dead.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace byway::policy {

/// Runs bodies on stacks of their own, on one thread; each call of policy::step() inside one hands
/// control back. A fiber that is dropped before its end is a thread of a process that was killed.
class Fibers {
 public:
  static constexpr std::size_t stack_bytes = 128 * 1024;

  explicit Fibers(std::size_t count) : fibers_(count) {
    for (Fiber& fiber : fibers_) fiber.stack = std::make_unique<char[]>(stack_bytes);
  }

  void start(std::size_t at, std::function<void()> body) {
    Fiber& fiber = fibers_[at];
    fiber.body = std::move(body);
    fiber.is_running = true;
    ::getcontext(&fiber.place);
    fiber.place.uc_stack.ss_sp = fiber.stack.get();
    fiber.place.uc_stack.ss_size = stack_bytes;
    fiber.place.uc_link = &outside_;
    ::makecontext(&fiber.place, reinterpret_cast<void (*)()>(&Fibers::enter), 0);
  }
  bool is_running(std::size_t at) const { return fibers_[at].is_running; }
  /// Up to the next step, or the end.
  void advance(std::size_t at) {
    current_ = this;
    at_ = at;
    ::swapcontext(&outside_, &fibers_[at].place);
    current_ = nullptr;
  }
  void kill(std::size_t at) { fibers_[at].is_running = false; }
  /// Called by step(): does nothing outside a fiber.
  static void pause() {
    if (current_ == nullptr) return;
    Fibers* fibers = current_;
    ::swapcontext(&fibers->fibers_[fibers->at_].place, &fibers->outside_);
  }

 private:
  struct Fiber {
    ucontext_t place{};
    std::unique_ptr<char[]> stack;
    std::function<void()> body;
    bool is_running = false;
  };
  static void enter() {
    Fiber& fiber = current_->fibers_[current_->at_];
    fiber.body();
    fiber.is_running = false;
  }
  std::vector<Fiber> fibers_;
  ucontext_t outside_{};
  std::size_t at_ = 0;
  static inline Fibers* current_ = nullptr;
};

}  // namespace byway::policy
