// Inbox: many threads hand tasks to one, which takes them all at once.
#pragma once

#include <atomic>

namespace byway::base {

/// Something to run on a loop thread. It stands in at most one inbox at a time.
class Task {
 public:
  virtual void run() noexcept = 0;

 protected:
  ~Task() = default;

 private:
  friend class Inbox;
  Task* next_ = nullptr;
};

/// A lock-free stack, handed out oldest first. push() is safe from any thread; the rest is for the
/// one that takes.
class Inbox {
 public:
  /// False once the inbox is closed; the task is then the caller's again.
  bool push(Task& task) noexcept {
    Task* head = head_.load(std::memory_order_relaxed);
    do {
      if (head == closed()) return false;
      task.next_ = head;
    } while (!head_.compare_exchange_weak(head, &task, std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
    return true;
  }

  bool is_empty() const noexcept { return head_.load(std::memory_order_seq_cst) == nullptr; }

  /// Runs everything that stood here when it was called, oldest first.
  void run_all() noexcept { run(head_.exchange(nullptr, std::memory_order_acquire)); }

  /// Runs what is left and refuses all that comes later.
  void close() noexcept {
    for (;;) {
      Task* tasks = head_.exchange(closed(), std::memory_order_acquire);
      if (tasks == closed() || tasks == nullptr) return;
      run(tasks);
    }
  }

 private:
  static Task* closed() noexcept { return reinterpret_cast<Task*>(sizeof(void*)); }

  static void run(Task* newest_first) noexcept {
    Task* task = nullptr;
    while (newest_first != nullptr) {
      Task* next = newest_first->next_;
      newest_first->next_ = task;
      task = newest_first;
      newest_first = next;
    }
    while (task != nullptr) {
      Task* next = task->next_;  // run() may end the task, or post it again
      task->run();
      task = next;
    }
  }

  std::atomic<Task*> head_{nullptr};
};

}  // namespace byway::base
