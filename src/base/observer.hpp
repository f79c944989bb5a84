// Observer: tells an application of things on a thread of its own, so that nothing waits for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include <byway/result.hpp>

namespace byway::base {

struct ObserverCounts {
  /// Each is delivered, waits, or is dropped.
  std::int64_t offered = 0;
  std::int64_t delivered = 0;
  std::int64_t queued = 0;
  std::int64_t dropped = 0;
  /// Functions of the application that threw.
  std::int64_t failed = 0;
};

/// A bounded queue before a thread. Offering never waits for the application: what does not fit is
/// dropped and counted. All signals are blocked on the thread. *Safe from any thread*, except
/// destruction; in a forked child it does nothing and counts nothing.
class Observer {
 public:
  /// Tells of one thing and gives how many functions threw.
  using Telling = std::function<std::int64_t()>;

  /// How long the end of an application waits for what it was too slow for until then.
  static constexpr std::chrono::milliseconds ending_time{2000};

  /// `name` is the thread's; `room` how many may wait; `patience` for how long what waits is still
  /// told when the observer ends. Code: internal_error when the system gives no thread.
  static Result<std::unique_ptr<Observer>> start(const char* name, std::size_t room,
                                                 std::chrono::milliseconds patience = ending_time);
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  /// Tells what waits as far as `patience` lasts, drops the rest, and returns when what is being
  /// told has returned: nothing is told afterwards. From inside a telling: drops what waits and
  /// returns at once.
  ~Observer();

  void offer(Telling telling);
  ObserverCounts counts() const;

 private:
  struct State;
  struct Drop {
    void operator()(State* state) const noexcept;
  };
  explicit Observer(std::unique_ptr<State, Drop> state) noexcept;

  std::unique_ptr<State, Drop> state_;
};

/// 1 when it threw: an application's function may, and nobody is there to hear of it.
template <class F>
std::int64_t throws(F tell) noexcept {
  try {
    tell();
    return 0;
  } catch (...) {
    return 1;
  }
}

}  // namespace byway::base
