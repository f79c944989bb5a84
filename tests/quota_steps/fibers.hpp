// Fibers: pieces of real code that a test runs one step at a time, and may leave for dead.
#pragma once

#include <setjmp.h>
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
    fiber.has_begun = false;
    ::getcontext(&fiber.place);
    fiber.place.uc_stack.ss_sp = fiber.stack.get();
    fiber.place.uc_stack.ss_size = stack_bytes;
    ::makecontext(&fiber.place, reinterpret_cast<void (*)()>(&Fibers::enter), 0);
  }
  bool is_running(std::size_t at) const { return fibers_[at].is_running; }
  /// Up to the next step, or the end.
  void advance(std::size_t at) {
    current_ = this;
    at_ = at;
    Fiber& fiber = fibers_[at];
    // Unlike swapcontext() these make no system call: a run switches a billion times.
    if (_setjmp(outside_) == 0) {
      if (fiber.has_begun) _longjmp(fiber.stopped, 1);
      fiber.has_begun = true;
      ::setcontext(&fiber.place);
    }
    current_ = nullptr;
  }
  void kill(std::size_t at) { fibers_[at].is_running = false; }
  /// Called by step(): does nothing outside a fiber.
  static void pause() {
    if (current_ == nullptr) return;
    if (_setjmp(current_->fibers_[current_->at_].stopped) == 0) _longjmp(current_->outside_, 1);
  }

 private:
  struct Fiber {
    /// Where it begins, and where it stopped.
    ucontext_t place{};
    jmp_buf stopped{};
    bool has_begun = false;
    std::unique_ptr<char[]> stack;
    std::function<void()> body;
    bool is_running = false;
  };
  static void enter() {
    Fiber& fiber = current_->fibers_[current_->at_];
    fiber.body();
    fiber.is_running = false;
    _longjmp(current_->outside_, 1);
  }
  std::vector<Fiber> fibers_;
  jmp_buf outside_{};
  std::size_t at_ = 0;
  static inline Fibers* current_ = nullptr;
};

}  // namespace byway::policy
