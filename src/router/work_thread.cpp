#include "router/work_thread.hpp"

#include <signal.h>

#include <string>
#include <utility>

namespace byway::router {

Result<std::unique_ptr<WorkThread>> WorkThread::start(const char* name, Work work,
                                                      std::chrono::nanoseconds first) {
  std::unique_ptr<WorkThread> made(new WorkThread(std::move(work), first));
  // A thread inherits its maker's mask; signals are the application's own threads' business.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto enter = [](void* given) -> void* {
    static_cast<WorkThread*>(given)->run();
    return nullptr;
  };
  const int status = pthread_create(&made->thread_, nullptr, enter, made.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (status != 0) {
    return Error(ErrorCode::internal_error, std::string("the system gave no thread for ") + name);
  }
  made->is_started_ = true;
  pthread_setname_np(made->thread_, name);
  return made;
}

WorkThread::~WorkThread() {
  if (!is_started_) return;
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    changed_.notify_one();
  }
  pthread_join(thread_, nullptr);
}

void WorkThread::wake() noexcept {
  const std::lock_guard lock(mutex_);
  is_due_ = true;
  changed_.notify_one();
}

void WorkThread::run() {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    changed_.wait_for(lock, wait_, [&] { return is_ending_ || is_due_; });
    if (is_ending_) return;
    is_due_ = false;
    lock.unlock();
    const auto next = work_();
    lock.lock();
    wait_ = next;
  }
}

}  // namespace byway::router
