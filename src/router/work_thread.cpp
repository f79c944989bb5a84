#include "router/work_thread.hpp"

#include <utility>

#include "base/library_thread.hpp"

namespace byway::router {

Result<std::unique_ptr<WorkThread>> WorkThread::start(const char* name, Work work,
                                                      std::chrono::nanoseconds first) {
  std::unique_ptr<WorkThread> made(new WorkThread(std::move(work), first));
  auto thread = base::start_thread(
      name, [](void* self) { static_cast<WorkThread*>(self)->run(); }, made.get());
  if (!thread) return thread.error();
  made->thread_ = *thread;
  made->is_started_ = true;
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
