// WorkThread: does one piece of work again and again: when it is due, and when it is woken.
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include <byway/result.hpp>

namespace byway::router {

/// All signals are blocked on the thread. Not to be destroyed from inside the work, nor in a forked
/// child.
class WorkThread {
 public:
  /// Does its work and says how long to wait until the next time at most. Must not throw.
  using Work = std::function<std::chrono::nanoseconds()>;

  /// `name` is the thread's, at most 15 characters; the first work comes after `first`. Code:
  /// internal_error when the system gives no thread.
  static Result<std::unique_ptr<WorkThread>> start(const char* name, Work work,
                                                   std::chrono::nanoseconds first = {});
  WorkThread(const WorkThread&) = delete;
  ~WorkThread();

  /// The work is due now. *Safe from any thread.*
  void wake() noexcept;

 private:
  WorkThread(Work work, std::chrono::nanoseconds first) : work_(std::move(work)), wait_(first) {}
  void run();

  Work work_;
  std::chrono::nanoseconds wait_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_due_ = false;
  bool is_ending_ = false;
  bool is_started_ = false;
  pthread_t thread_{};
};

}  // namespace byway::router
