#include "router/catalog_thread.hpp"

#include <signal.h>

namespace byway::router {

Result<std::unique_ptr<CatalogThread>> CatalogThread::start(std::function<void()> look,
                                                            std::chrono::milliseconds period) {
  std::unique_ptr<CatalogThread> made(new CatalogThread(std::move(look), period));
  // A thread inherits its maker's mask; signals are the application's own threads' business.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto enter = [](void* given) -> void* {
    static_cast<CatalogThread*>(given)->work();
    return nullptr;
  };
  const int status = pthread_create(&made->thread_, nullptr, enter, made.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (status != 0) {
    return Error(ErrorCode::internal_error, "the system gave no thread to watch the registry");
  }
  made->is_started_ = true;
  pthread_setname_np(made->thread_, "byway-registry");
  return made;
}

CatalogThread::~CatalogThread() {
  if (!is_started_) return;
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    wake_.notify_one();
  }
  pthread_join(thread_, nullptr);
}

void CatalogThread::work() {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    wake_.wait_for(lock, period_, [&] { return is_ending_; });
    if (is_ending_) return;
    lock.unlock();
    look_();
    lock.lock();
  }
}

}  // namespace byway::router
