// StoreThread: the one thread that does the store's durable work.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
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

  /// Runs what is waiting, then ends the thread and closes the store. A second call does nothing,
  /// and neither does any in a forked child, where the thread is not. Not on the thread itself.
  void close();

 private:
  using Task = std::function<void(RegistryStore&)>;
  struct State;
  struct Drop {
    void operator()(State* state) const noexcept;
  };
  explicit StoreThread(std::unique_ptr<State, Drop> state) noexcept;
  Result<void> run_task(const Task& task);

  std::unique_ptr<State, Drop> state_;
};

}  // namespace byway::store
