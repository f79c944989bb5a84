#include "router/pending_call.hpp"

#include <utility>

#include "base/fork_guard.hpp"
#include "router/core.hpp"
#include "router/response_state.hpp"

namespace byway {

void Cancel::cancel() noexcept {
  if (token_) token_->cancel();
}

Cancel::Cancel(std::shared_ptr<Token> token) noexcept : token_(std::move(token)) {}
Cancel::Cancel(Cancel&&) noexcept = default;
Cancel& Cancel::operator=(Cancel&&) noexcept = default;
Cancel::~Cancel() = default;

namespace router {

void PendingCall::submit(Router::Core& core, const Request& request, std::byte* states) {
  fork_generation_ = base::fork_generation();
  // In a forked child nobody runs what is posted.
  if (core.fork_generation == fork_generation_) loop_ = core.loop;
  is_list_ = request.operation == Operation::models;
  if (is_list_ && core.fork_generation == fork_generation_) {
    auto snapshot = core.catalog->snapshots().current();
    Admitted admitted;
    const bool is_admitted = admit(admitted, core.options, *snapshot, request, false).has_value();
    if (is_admitted) filter_.emplace(std::move(snapshot), std::move(admitted));
  }
  call_.submit(core, request, false, *this, {weak_from_this(), states});
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
  if ((state & has_result) == 0 && fork_generation_ != base::fork_generation()) {
    return Error(ErrorCode::internal_used_after_fork,
                 "this call was made before fork(): its result comes in the parent");
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
  // A copy: the continuation may drop the last owner of this call and of the loop meanwhile.
  const auto loop = loop_;
  if (loop == nullptr || !loop->post(static_cast<base::Task&>(*this))) run();
}

void PendingCall::on_done(Result<Response> result, Reply) {
  if (is_list_ && result) filter_models(*result);
  result_.emplace(std::move(result));
  const unsigned before = state_.fetch_or(has_result, std::memory_order_acq_rel);
  if ((before & has_continuation) != 0) {
    continue_with_result();
  } else {
    state_.notify_all();
  }
}

void PendingCall::filter_models(Response& response) const {
  Response::State& state = *response.state_;
  state.body = filter_ ? filter_->apply(std::move(state.body), state.metadata.provider)
                       : ModelFilter::empty_list();
  state.is_read = false;
  state.reply = Reply();
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
