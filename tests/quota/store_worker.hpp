// StoreWorker: a stand-in for the router's store thread, for programs that use a Quota alone.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "policy/quota/quota.hpp"

namespace byway::policy {

/// Calls work() whenever it is asked to, and when the last call said to come again.
class StoreWorker {
 public:
  /// Give it to QuotaOptions::wake.
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      is_asked_ = true;
    }
    changed_.notify_all();
  }
  void start(Quota& quota, QuotaStore& store) {
    thread_ = std::thread([this, &quota, &store] { run(quota, store); });
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      is_stopped_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  /// Returns after the next round of work.
  void await_round() {
    std::unique_lock lock(mutex_);
    const std::uint64_t round = rounds_;
    changed_.wait_for(lock, std::chrono::milliseconds(50),
                      [&] { return rounds_ > round + 1 || is_stopped_; });
  }

 private:
  void run(Quota& quota, QuotaStore& store) {
    std::unique_lock lock(mutex_);
    while (!is_stopped_) {
      is_asked_ = false;
      lock.unlock();
      const auto next = quota.work(store).value_or(std::chrono::milliseconds(50));
      lock.lock();
      ++rounds_;
      changed_.notify_all();
      changed_.wait_for(lock, next, [&] { return is_asked_ || is_stopped_; });
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_asked_ = false;
  bool is_stopped_ = false;
  std::uint64_t rounds_ = 0;
  std::thread thread_;
};

}  // namespace byway::policy
