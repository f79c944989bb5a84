// Pending: a result that is on its way; finished by get(), then() or co_await, cancelled by
// dropping it.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <byway/result.hpp>

namespace byway {

template <class T>
class Pending;

/// Cancels a call that then() let go of. Dropping it does nothing. *Safe from any thread.*
class Cancel {
 public:
  /// One compare-and-swap: either the call's single completion is request_cancelled, or this came
  /// too late and changes nothing. Never blocks.
  void cancel() noexcept;

  struct Token;
  explicit Cancel(std::shared_ptr<Token> token) noexcept;  // made by Pending
  Cancel(Cancel&&) noexcept;
  Cancel& operator=(Cancel&&) noexcept;
  ~Cancel();

 private:
  std::shared_ptr<Token> token_;
};

namespace detail {

/// What a call's result goes through; implemented by the router. *Safe from any thread.*
template <class T>
class PendingState {
 public:
  virtual ~PendingState() = default;
  virtual Result<T> wait() = 0;
  virtual bool is_ready() const noexcept = 0;
  virtual void on_done(std::function<void(Result<T>)> continuation) = 0;
  virtual Result<T> take() = 0;
  virtual void cancel(bool deliver) noexcept = 0;
  virtual std::shared_ptr<Cancel::Token> token() = 0;
};

template <class T>
class PendingAwaiter;

}  // namespace detail

/// The result of one call. Move-only. Exactly one of get(), then() and co_await takes the result;
/// each consumes the Pending. Dropping it before that cancels the call: nothing is delivered,
/// settlement still runs. *One thread at a time.*
template <class T>
class [[nodiscard]] Pending {
 public:
  using State = detail::PendingState<T>;
  explicit Pending(std::shared_ptr<State> state) noexcept
      : state_(std::move(state)) {}  // made by the router
  Pending(Pending&& other) noexcept = default;
  Pending& operator=(Pending&& other) noexcept {
    if (this != &other) {
      drop();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  Pending(const Pending&) = delete;
  ~Pending() { drop(); }

  /// Waits for the result. On a loop thread: internal_would_block_loop at once, and the Pending
  /// stays usable. On one whose result was taken: request_already_taken.
  Result<T> get() && { return get_now(); }

  /// Lets the call run on and calls `continuation(Result<T>)` once, on the loop thread, never
  /// inside then() or call(). It must not block and must not throw.
  template <class F>
  Cancel then(F continuation) && {
    auto state = std::exchange(state_, nullptr);
    if (!state) {
      continuation(Result<T>(already_taken()));
      return Cancel(nullptr);
    }
    auto token = state->token();
    state->on_done(std::function<void(Result<T>)>(std::move(continuation)));
    return Cancel(std::move(token));
  }

  /// Resumes on the loop thread, or at once when the result is there.
  detail::PendingAwaiter<T> operator co_await() &&;

  /// Ends the call with request_cancelled unless it has ended already; the result is still to be
  /// taken. Never blocks.
  void cancel() noexcept {
    if (state_) state_->cancel(true);
  }

  /// Whether get() would return at once.
  bool is_ready() const noexcept { return !state_ || state_->is_ready(); }

 private:
  static Error already_taken() {
    return Error(ErrorCode::request_already_taken, "the result of this call was taken before");
  }
  Result<T> get_now() {
    if (!state_) return already_taken();
    Result<T> result = state_->wait();
    const bool stays = !result && result.error().code() == ErrorCode::internal_would_block_loop &&
                       !state_->is_ready();
    if (!stays) state_.reset();
    return result;
  }
  void drop() noexcept {
    if (state_) state_->cancel(false);
    state_.reset();
  }

  std::shared_ptr<State> state_;
};

namespace detail {

template <class T>
class PendingAwaiter {
 public:
  explicit PendingAwaiter(std::shared_ptr<PendingState<T>> state) noexcept
      : state_(std::move(state)) {}
  PendingAwaiter(PendingAwaiter&&) noexcept = default;
  PendingAwaiter(const PendingAwaiter&) = delete;
  ~PendingAwaiter() {
    if (state_) state_->cancel(false);
  }

  bool await_ready() const noexcept { return !state_ || state_->is_ready(); }
  void await_suspend(std::coroutine_handle<> waiter) {
    state_->on_done([this, waiter](Result<T> result) {
      result_.emplace(std::move(result));
      waiter.resume();
    });
  }
  Result<T> await_resume() {
    auto state = std::exchange(state_, nullptr);
    if (result_) return std::move(*result_);
    if (!state)
      return Error(ErrorCode::request_already_taken, "the result of this call was taken before");
    return state->take();
  }

 private:
  std::shared_ptr<PendingState<T>> state_;
  std::optional<Result<T>> result_;
};

}  // namespace detail

template <class T>
detail::PendingAwaiter<T> Pending<T>::operator co_await() && {
  return detail::PendingAwaiter<T>(std::exchange(state_, nullptr));
}

}  // namespace byway
