#include "transport/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <system_error>
#include <utility>

#include "base/library_thread.hpp"

namespace byway::transport {
namespace {

thread_local EventLoop* current_loop = nullptr;

constexpr std::uint64_t wake_tag = std::numeric_limits<std::uint64_t>::max();

/// A task made of a function: for the rare posts that have no node of their own.
class FunctionTask final : public base::Task {
 public:
  explicit FunctionTask(std::function<void()> function) : function_(std::move(function)) {}
  void run() noexcept override {
    const std::unique_ptr<FunctionTask> self(this);
    function_();
  }

 private:
  std::function<void()> function_;
};

}  // namespace

/// A deadline with a function, owned by the loop until it fires.
class EventLoop::Alarm final : public Timer {
 public:
  Alarm(EventLoop& loop, std::function<void()> task) : loop_(loop), task_(std::move(task)) {}

 private:
  void on_timer() noexcept override {
    const auto is_this = [this](const auto& alarm) { return alarm.get() == this; };
    const auto place = std::find_if(loop_.alarms_.begin(), loop_.alarms_.end(), is_this);
    const std::unique_ptr<Alarm> self = std::move(*place);
    loop_.alarms_.erase(place);
    task_();
  }

  EventLoop& loop_;
  std::function<void()> task_;
};

class EventLoop::WakeUp {
 public:
  WakeUp() noexcept : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  WakeUp(const WakeUp&) = delete;
  ~WakeUp() {
    if (fd_ >= 0) ::close(fd_);
  }

  int fd() const noexcept { return fd_; }
  void send() const noexcept {
    const std::uint64_t one = 1;
    // A full counter means that the wake-up is on its way already.
    static_cast<void>(!::write(fd_, &one, sizeof one));
  }
  void clear() const noexcept {
    std::uint64_t ignored = 0;
    static_cast<void>(!::read(fd_, &ignored, sizeof ignored));
  }

 private:
  int fd_;
};

EventLoop* EventLoop::current() noexcept {
  return current_loop;
}

Result<std::unique_ptr<EventLoop>> EventLoop::start(std::shared_ptr<Clock> clock) {
  const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  auto wake_up = std::make_shared<WakeUp>();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wake_tag;
  if (epoll_fd < 0 || wake_up->fd() < 0 ||
      epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_up->fd(), &event) != 0) {
    if (epoll_fd >= 0) ::close(epoll_fd);
    return Error(ErrorCode::internal_error, "the system gave no descriptors for the event loop");
  }
  std::unique_ptr<EventLoop> loop(new EventLoop(std::move(clock), epoll_fd, std::move(wake_up)));
  try {
    const base::SignalsBlocked blocked;
    loop->thread_ = std::thread([raw = loop.get()] { raw->run(); });
  } catch (const std::system_error&) {
    return Error(ErrorCode::internal_error, "the system gave no thread for the event loop");
  }
  return loop;
}

EventLoop::EventLoop(std::shared_ptr<Clock> clock, int epoll_fd, std::shared_ptr<WakeUp> wake_up)
    : clock_(std::move(clock)),
      epoll_fd_(epoll_fd),
      wake_up_(std::move(wake_up)),
      turn_time_(clock_->now()),
      timers_(turn_time_) {
  clock_watcher_ = std::make_shared<std::function<void()>>([shared = wake_up_] { shared->send(); });
  clock_wakes_ = clock_->watch(clock_watcher_);
}

EventLoop::~EventLoop() {
  stop();
  clock_watcher_.reset();
  ::close(epoll_fd_);
}

void EventLoop::stop() noexcept {
  if (!thread_.joinable()) return;
  is_stopping_.store(true);
  wake();
  thread_.join();
}

void EventLoop::post(std::function<void()> task) {
  auto node = std::make_unique<FunctionTask>(std::move(task));
  if (post(*node)) static_cast<void>(node.release());
}

void EventLoop::post_at(TimePoint when, std::function<void()> task) {
  if (current() != this) {
    return post([this, when, task = std::move(task)]() mutable { post_at(when, std::move(task)); });
  }
  alarms_.push_back(std::make_unique<Alarm>(*this, std::move(task)));
  timers_.arm(*alarms_.back(), when);
}

bool EventLoop::post(base::Task& task) noexcept {
  if (!inbox_.push(task)) return false;
  if (is_asleep_.load(std::memory_order_seq_cst) && is_asleep_.exchange(false)) wake();
  return true;
}

void EventLoop::wake() noexcept {
  wake_up_->send();
}

void EventLoop::run() noexcept {
  current_loop = this;
  pthread_setname_np(pthread_self(), "byway-loop");
  while (!is_stopping_.load(std::memory_order_relaxed)) {
    const bool again = turn();
    wait_for_events(again ? 0 : wait_ms());
  }
  inbox_.close();
  alarms_.clear();
  current_loop = nullptr;
}

bool EventLoop::turn() noexcept {
  turn_time_ = clock_->now();
  inbox_.run_all();
  timers_.advance(turn_time_);
  bool again = false;
  for (std::size_t i = 0; i < turn_ends_.size(); ++i) again |= turn_ends_[i]->on_turn_end();
  return again;
}

int EventLoop::wait_ms() const noexcept {
  if (clock_wakes_) return -1;
  const std::optional<TimePoint> next = timers_.next();
  if (!next) return -1;
  const auto left = *next - clock_->now();
  if (left <= left.zero()) return 0;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::min<std::int64_t>(ms, std::numeric_limits<int>::max()));
}

void EventLoop::wait_for_events(int timeout_ms) noexcept {
  // A poster that pushes after the look below sees is_asleep_ and writes the eventfd.
  is_asleep_.store(true, std::memory_order_seq_cst);
  if (!inbox_.is_empty() || is_stopping_.load()) timeout_ms = 0;
  std::array<epoll_event, 256> events;
  const int count =
      epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), timeout_ms);
  is_asleep_.store(false, std::memory_order_relaxed);
  if (count > 0) turn_time_ = clock_->now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == wake_tag) {
      wake_up_->clear();
      continue;
    }
    const auto fd = static_cast<std::size_t>(event.data.u64 & 0xFFFFFFFFU);
    const auto generation = static_cast<std::uint32_t>(event.data.u64 >> 32);
    // An earlier event of this batch may have closed the socket, and its number may be in use
    // again.
    if (fd >= sockets_.size() || sockets_[fd].generation != generation) continue;
    Socket& socket = sockets_[fd];
    if (socket.wanted == 0 || socket.watcher == nullptr) {
      // Nobody waits: an idle pooled connection that its peer closed. Epoll would tell so for ever.
      epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, static_cast<int>(fd), nullptr);
      socket.registered = 0;
      continue;
    }
    socket.watcher->on_socket(static_cast<int>(fd), event.events);
  }
}

void EventLoop::watch(int fd, std::uint32_t events, SocketWatcher& watcher) noexcept {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= sockets_.size()) sockets_.resize(std::max(index + 1, sockets_.size() * 2));
  Socket& socket = sockets_[index];
  socket.watcher = &watcher;
  socket.wanted = events;
  if (events == 0 || socket.registered == events) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<std::uint64_t>(index) | (std::uint64_t{socket.generation} << 32);
  const int how = socket.registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  // libcurl may close and open the same number behind our back: then epoll knows better than we do.
  if (epoll_ctl(epoll_fd_, how, fd, &event) != 0) {
    const int other = how == EPOLL_CTL_ADD ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(epoll_fd_, other, fd, &event) != 0) return;
  }
  socket.registered = events;
}

void EventLoop::forget(int fd) noexcept {
  const auto index = static_cast<std::size_t>(fd);
  if (fd < 0 || index >= sockets_.size()) return;
  Socket& socket = sockets_[index];
  if (socket.registered != 0) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  socket = Socket{nullptr, 0, 0, socket.generation + 1};
}

}  // namespace byway::transport
