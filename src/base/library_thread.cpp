#include "base/library_thread.hpp"

#include <memory>
#include <string>

namespace byway::base {
namespace {

struct Start {
  void (*run)(void*);
  void* self;
};

void* enter(void* given) {
  const std::unique_ptr<Start> start(static_cast<Start*>(given));
  start->run(start->self);
  return nullptr;
}

}  // namespace

Result<pthread_t> start_thread(const char* name, void (*run)(void* self), void* self) {
  auto start = std::make_unique<Start>(Start{run, self});
  pthread_t thread{};
  const SignalsBlocked blocked;
  if (pthread_create(&thread, nullptr, enter, start.get()) != 0) {
    return Error(ErrorCode::internal_error, "the system gave no thread for " + std::string(name));
  }
  static_cast<void>(start.release());  // the thread's
  pthread_setname_np(thread, name);
  return thread;
}

}  // namespace byway::base
