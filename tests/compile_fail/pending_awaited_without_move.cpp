// expect: co_await|rvalue|discards|this
// co_await consumes the Pending, so that awaiting it twice shows in the text.
#include <coroutine>

#include <byway/pending.hpp>

struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};

Detached finish(byway::Pending<int> pending) {
#ifdef BAD
  auto result = co_await pending;
#else
  auto result = co_await std::move(pending);
#endif
  static_cast<void>(result);
}
