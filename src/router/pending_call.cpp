#include "router/pending_call.hpp"

#include <utility>

#include "router/core.hpp"

namespace byway {

void Cancel::cancel() noexcept {
  if (token_) token_->cancel();
}

Cancel::Cancel(std::shared_ptr<Token> token) noexcept : token_(std::move(token)) {}
Cancel::Cancel(Cancel&&) noexcept = default;
Cancel& Cancel::operator=(Cancel&&) noexcept = default;
Cancel::~Cancel() = default;

namespace router {

void PendingCall::submit(Router::Core& core, const Request& request) {
  loop_ = core.loop;
  call_.submit(core, request, false, *this, weak_from_this());
}

bool PendingCall::is_ready() const noexcept {
  return (state_.load(std::memory_order_acquire) & has_result) != 0;
}

Result<Response> PendingCall::wait() {
  unsigned state = state_.load(std::memory_order_acquire);
  if ((state & has_result) == 0 && transport::EventLoop::current() != nullptr) {
    return Error(ErrorCode::internal_would_block_loop,
                 "get() on a loop thread would wait for itself: use then() or co_await");
  }
  while ((state & has_result) == 0) {
    state_.wait(state, std::memory_order_acquire);
    state = state_.load(std::memory_order_acquire);
  }
  return take();
}

Result<Response> PendingCall::take() {
  if (!is_ready() || !result_) {
    return Error(ErrorCode::request_already_taken, "the result of this call was taken before");
  }
  Result<Response> result = std::move(*result_);
  result_.reset();
  return result;
}

void PendingCall::on_done(std::function<void(Result<Response>)> continuation) {
  continuation_ = std::move(continuation);
  const unsigned before = state_.fetch_or(has_continuation, std::memory_order_acq_rel);
  if ((before & has_result) == 0) return;
  // The result is here already. The continuation still runs on the loop thread, never inside
  // then().
  posted_self_ = shared_from_this();
  if (loop_ == nullptr || !loop_->post(static_cast<base::Task&>(*this))) run();
}

void PendingCall::on_done(Result<Response> result, Reply) {
  result_.emplace(std::move(result));
  const unsigned before = state_.fetch_or(has_result, std::memory_order_acq_rel);
  if ((before & has_continuation) != 0) {
    continue_with_result();
  } else {
    state_.notify_all();
  }
}

void PendingCall::run() noexcept {
  const std::shared_ptr<PendingCall> self = std::move(posted_self_);
  continue_with_result();
}

void PendingCall::continue_with_result() {
  const auto continuation = std::exchange(continuation_, nullptr);
  continuation(take());
}

void PendingCall::cancel(bool deliver) noexcept {
  call_.cancel(deliver);
}

std::shared_ptr<Cancel::Token> PendingCall::token() {
  return shared_from_this();
}

}  // namespace router
}  // namespace byway
