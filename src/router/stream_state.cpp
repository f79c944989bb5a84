#include "router/stream_state.hpp"

#include <utility>

#include "base/fork_guard.hpp"
#include "router/core.hpp"
#include "router/response_state.hpp"

namespace byway {

void Stream::State::submit(Router::Core& core, const Request& request, std::byte* states) {
  fork_generation_ = base::fork_generation();
  buffer_bytes_ = core.options.stream_buffer_bytes;
  call_.submit(core, request, true, *this, {weak_from_this(), states});
}

const StreamEvent* Stream::State::next() {
  if (const StreamEvent* event = reading_.next()) return event;
  if (has_ended_ || !refill()) return nullptr;
  return reading_.next();
}

/// Waits for events and takes them; false at the end.
bool Stream::State::refill() {
  bool was_held = false;
  {
    std::unique_lock lock(mutex_);
    const auto has_news = [this] { return !published_.is_empty() || ending_; };
    if (!has_news() && transport::EventLoop::current() != nullptr) {
      error_ =
          Error(ErrorCode::internal_would_block_loop,
                "next() on a loop thread would wait for itself: read the stream on another thread");
      return false;
    }
    if (!has_news() && fork_generation_ != base::fork_generation()) {
      has_ended_ = true;
      error_ = Error(ErrorCode::internal_used_after_fork,
                     "this stream was opened before fork(): it is read in the parent");
      return false;
    }
    changed_.wait(lock, has_news);
    if (error_) error_.reset();
    reading_.clear();
    if (published_.is_empty()) return take_ending(), false;
    std::swap(reading_, published_);
    was_held = std::exchange(is_held_, false);
  }
  if (was_held) call_.resume();
  return true;
}

void Stream::State::take_ending() {
  has_ended_ = true;
  if (*ending_) {
    response_.emplace(*std::move(*ending_));
  } else {
    error_ = ending_->error();
  }
}

Result<Response> Stream::State::result() {
  while (next() != nullptr) {
  }
  if (error_ && !has_ended_) return *error_;
  if (std::exchange(is_taken_, true)) {
    return Error(ErrorCode::request_already_taken, "the result of this stream was taken before");
  }
  if (error_) return *error_;
  return std::move(*response_);
}

const Reply& Stream::State::reply() const noexcept {
  static const Reply none;
  if (response_ && !is_taken_) return response_->reply();
  return has_ended_ && partial_ ? *partial_ : none;
}

void Stream::State::on_event(const StreamEvent& event) {
  filling_.push(event);
}

Flow Stream::State::on_events_end() {
  if (filling_.is_empty()) return Flow::go;
  bool is_full = false;
  {
    const std::lock_guard lock(mutex_);
    if (published_.is_empty()) {
      std::swap(published_, filling_);
    } else {
      for (const StreamEvent* event = filling_.next(); event; event = filling_.next()) {
        published_.push(*event);
      }
    }
    is_full = published_.bytes() >= buffer_bytes_;
    is_held_ = is_full;
  }
  changed_.notify_one();
  filling_.clear();
  return is_full ? Flow::pause : Flow::go;
}

void Stream::State::on_done(Result<Response> result, Reply partial) {
  on_events_end();
  {
    const std::lock_guard lock(mutex_);
    if (!result) partial_ = std::make_unique<Reply>(std::move(partial));
    ending_.emplace(std::move(result));
  }
  changed_.notify_one();
}

const StreamEvent* Stream::next() {
  return state_->next();
}
Result<Response> Stream::result() {
  return state_->result();
}
const Reply& Stream::reply() const noexcept {
  return state_->reply();
}
const Error* Stream::error() const noexcept {
  return state_->error();
}
void Stream::cancel() noexcept {
  state_->cancel(true);
}

Stream::Stream(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
Stream::Stream(Stream&&) noexcept = default;

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    if (state_) state_->cancel(false);
    state_ = std::move(other.state_);
  }
  return *this;
}

Stream::~Stream() {
  if (state_) state_->cancel(false);
}

}  // namespace byway
