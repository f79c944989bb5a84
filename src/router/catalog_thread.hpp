// CatalogThread: looks again and again at something that says nothing when it changes.
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include <byway/result.hpp>

namespace byway::router {

/// A thread ("byway-registry") that runs a function every period until it is destroyed. All signals
/// are blocked there. Not to be destroyed from inside the function, nor in a forked child.
class CatalogThread {
 public:
  /// `look` must not throw. Code: internal_error when the system gives no thread.
  static Result<std::unique_ptr<CatalogThread>> start(std::function<void()> look,
                                                      std::chrono::milliseconds period);
  CatalogThread(const CatalogThread&) = delete;
  ~CatalogThread();

 private:
  CatalogThread(std::function<void()> look, std::chrono::milliseconds period)
      : look_(std::move(look)), period_(period) {}
  void work();

  std::function<void()> look_;
  std::chrono::milliseconds period_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_ending_ = false;
  bool is_started_ = false;
  pthread_t thread_{};
};

}  // namespace byway::router
