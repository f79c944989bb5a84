#include "transport/curl_pool.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "transport/curl_transfer.hpp"

namespace byway::transport {
namespace {

/// Never evict a warm connection: libcurl's default, four times the transfers now running, does
/// after every lull.
constexpr long connections_max = 65536;

int local_port_of(int fd) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  // Both families keep the port in the same place.
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::uint32_t epoll_events_of(int what) noexcept {
  switch (what) {
    case CURL_POLL_IN: return EPOLLIN;
    case CURL_POLL_OUT: return EPOLLOUT;
    case CURL_POLL_INOUT: return EPOLLIN | EPOLLOUT;
    default: return 0;
  }
}

}  // namespace

CurlPool::CurlPool(EventLoop& loop)
    : loop_(loop), multi_(curl_multi_init()), share_(curl_share_init()) {
  bool good = is_usable();
  if (good) {
    const auto set = [&](CURLMoption option, auto value) {
      good = good && curl_multi_setopt(multi_, option, value) == CURLM_OK;
    };
    set(CURLMOPT_SOCKETFUNCTION, &socket_callback);
    set(CURLMOPT_SOCKETDATA, this);
    set(CURLMOPT_TIMERFUNCTION, &timer_callback);
    set(CURLMOPT_TIMERDATA, this);
    set(CURLMOPT_MAXCONNECTS, connections_max);
    good = good &&
           curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
  }
  if (!good) {
    if (multi_ != nullptr) curl_multi_cleanup(multi_);
    multi_ = nullptr;
  }
}

CurlPool::~CurlPool() {
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  if (share_ != nullptr) curl_share_cleanup(share_);
}

bool CurlPool::add(CurlTransfer& transfer) {
  // The timer callback asks for a kick; libcurl must not be entered again from there.
  return curl_multi_add_handle(multi_, transfer.easy()) == CURLM_OK;
}

void CurlPool::remove(CurlTransfer& transfer) {
  if (is_inside()) {
    removals_.push_back(&transfer);
    return;
  }
  take_out(transfer);
  transfer.on_removed();
}

void CurlPool::take_out(CurlTransfer& transfer) {
  std::erase(removals_, &transfer);
  std::erase(resumptions_, &transfer);
  curl_multi_remove_handle(multi_, transfer.easy());
}

void CurlPool::resume(CurlTransfer& transfer) {
  resumptions_.push_back(&transfer);
}

void CurlPool::drive() {
  while (is_due()) {
    for (std::vector<CurlTransfer*> removals; !removals_.empty();) {
      removals.swap(removals_);
      for (CurlTransfer* transfer : removals) {
        take_out(*transfer);
        transfer->on_removed();
      }
      removals.clear();
    }
    std::vector<CurlTransfer*> resumptions;
    resumptions.swap(resumptions_);
    for (CurlTransfer* transfer : resumptions) {
      ++depth_;
      curl_easy_pause(transfer->easy(), CURLPAUSE_CONT);
      --depth_;
      is_kicked_ = true;
    }
    if (is_kicked_) {
      is_kicked_ = false;
      act(CURL_SOCKET_TIMEOUT, 0);
    }
    reap();
  }
}

void CurlPool::act(curl_socket_t fd, int mask) {
  int running = 0;
  ++depth_;
  curl_multi_socket_action(multi_, fd, mask, &running);
  --depth_;
}

void CurlPool::reap() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* owner = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
    auto* transfer = reinterpret_cast<CurlTransfer*>(owner);
    const CURLcode code = message->data.result;
    take_out(*transfer);
    transfer->on_finished(code);
  }
}

void CurlPool::on_timer() noexcept {
  is_kicked_ = true;
}

void CurlPool::on_socket(int fd, std::uint32_t events) noexcept {
  int mask = 0;
  if ((events & EPOLLIN) != 0) mask |= CURL_CSELECT_IN;
  if ((events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) mask |= CURL_CSELECT_IN | CURL_CSELECT_ERR;
  act(fd, mask);
  reap();
}

int CurlPool::socket_callback(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto& pool = *static_cast<CurlPool*>(self);
  const auto index = static_cast<std::size_t>(fd);
  const bool is_ours = index < pool.sockets_.size() && pool.sockets_[index].is_ours;
  if (what == CURL_POLL_REMOVE && !is_ours) {
    pool.loop_.forget(fd);  // libcurl's own (its resolver's): it closes them without a word
  } else {
    pool.loop_.watch(fd, epoll_events_of(what), pool);
  }
  return 0;
}

int CurlPool::timer_callback(CURLM*, long timeout_ms, void* self) {
  auto& pool = *static_cast<CurlPool*>(self);
  if (timeout_ms < 0) {
    TimerWheel::disarm(pool);
  } else if (timeout_ms == 0) {
    pool.is_kicked_ = true;
  } else {
    pool.loop_.timers().arm(pool, pool.loop_.turn_time() + std::chrono::milliseconds(timeout_ms));
  }
  return 0;
}

curl_socket_t CurlPool::open_socket(const curl_sockaddr& address) {
  const int fd = ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  const auto index = static_cast<std::size_t>(fd);
  if (index >= sockets_.size()) sockets_.resize(std::max(index + 1, sockets_.size() * 2));
  sockets_[index] = {true, 0};
  return fd;
}

int CurlPool::close_socket(curl_socket_t fd) {
  loop_.forget(fd);
  const auto index = static_cast<std::size_t>(fd);
  if (index < sockets_.size()) sockets_[index] = {};
  return ::close(fd);
}

bool CurlPool::is_closed_by_peer(int local_port) noexcept {
  for (std::size_t fd = 0; fd < sockets_.size(); ++fd) {
    Socket& socket = sockets_[fd];
    if (!socket.is_ours) continue;
    if (socket.local_port == 0) socket.local_port = local_port_of(static_cast<int>(fd));
    if (socket.local_port != local_port) continue;
    pollfd watched{static_cast<int>(fd), POLLRDHUP, 0};
    return ::poll(&watched, 1, 0) > 0;
  }
  return false;
}

}  // namespace byway::transport
