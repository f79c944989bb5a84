// StoreThread: the one thread that does the store's durable work.
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>

#include <byway/result.hpp>

#include "store/registry_store.hpp"

namespace byway::store {

struct StoreThreadOptions {
  /// Runs on the thread every `period`, for instance to compare revisions; may be empty. Must not
  /// throw.
  std::function<void(RegistryStore&)> periodic = {};
  /// Four looks a second: a change by another process is seen within one.
  std::chrono::milliseconds period = std::chrono::milliseconds(250);
};

/// Owns a store and the thread ("byway-store") that alone touches it. All signals are blocked
/// there. *Safe from any thread*, loop threads excepted, which must not wait.
class StoreThread {
 public:
  /// Code: internal_error when the system gives no thread.
  static Result<std::unique_ptr<StoreThread>> start(RegistryStore store,
                                                    StoreThreadOptions options = {});
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;
  ~StoreThread();

  /// Runs `task(RegistryStore&) -> Result<T>` on the thread and waits for it; on the thread itself,
  /// at once. An exception of the task is thrown to the caller. Codes: internal_closed,
  /// internal_used_after_fork, and the task's own.
  template <class Fn>
  std::invoke_result_t<Fn&, RegistryStore&> run(Fn task) {
    std::optional<std::invoke_result_t<Fn&, RegistryStore&>> result;
    Result<void> ran = run_task([&](RegistryStore& store) { result.emplace(task(store)); });
    if (!ran) return ran.error();
    return std::move(*result);
  }

  /// Runs `task` on the thread without waiting; dropped silently after close().
  void post(std::function<void(RegistryStore&)> task);

  /// Runs what is waiting, then ends the thread. Later calls do nothing; so does the first one in a
  /// forked child.
  void close();

 private:
  using Task = std::function<void(RegistryStore&)>;
  StoreThread(RegistryStore store, StoreThreadOptions options);
  static void* enter(void* self);
  void work();
  Result<void> run_task(const Task& task);
  bool is_forked() const noexcept;

  std::optional<RegistryStore> store_;
  StoreThreadOptions options_;
  std::uint32_t fork_generation_;
  pthread_t thread_{};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool closing_ = false;
  bool joined_ = false;
};

}  // namespace byway::store
