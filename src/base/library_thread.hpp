// LibraryThread: how the library's own threads are started.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <byway/result.hpp>

namespace byway::base {

/// A thread inherits its maker's mask, and signals are the application's own threads' business: all
/// are blocked while this lives, for the thread that is made meanwhile.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

/// Runs `run(self)` on a new thread that is to be joined. `name` has at most 15 characters. Code:
/// internal_error when the system gives no thread.
Result<pthread_t> start_thread(const char* name, void (*run)(void* self), void* self);

}  // namespace byway::base
