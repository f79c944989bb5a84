#include "support/wire.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace byway::testing_support {
namespace {

using Clock = std::chrono::steady_clock;

bool is_closed_by_peer(short events) {
  return (events & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace

Wire::Wire(int fd, SSL* ssl, int stop) noexcept : fd_(fd), ssl_(ssl), stop_(stop) {
  if (ssl_) {
    SSL_set_fd(ssl_, fd_);
    SSL_set_accept_state(ssl_);
  }
}

Wire::~Wire() {
  SSL_free(ssl_);
  if (fd_ >= 0) ::close(fd_);
}

Ending Wire::wait(short events) {
  for (;;) {
    std::array<pollfd, 2> watched{{{fd_, events, 0}, {stop_, POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) continue;
    return watched[1].revents != 0 ? Ending::closed : Ending::done;
  }
}

Ending Wire::after_failure(int returned, short events) {
  if (ssl_) {
    switch (SSL_get_error(ssl_, returned)) {
      case SSL_ERROR_WANT_READ: return wait(POLLIN);
      case SSL_ERROR_WANT_WRITE: return wait(POLLOUT);
      default: return Ending::peer_closed;
    }
  }
  if (returned == 0) return Ending::peer_closed;
  if (errno == EAGAIN) return wait(events);
  return errno == EINTR ? Ending::done : Ending::peer_closed;
}

Ending Wire::read(std::string& into) {
  std::array<char, 65536> bytes;
  for (;;) {
    const int count = ssl_ ? SSL_read(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                           : static_cast<int>(::recv(fd_, bytes.data(), bytes.size(), 0));
    if (count > 0) {
      into.append(bytes.data(), static_cast<std::size_t>(count));
      return Ending::done;
    }
    if (const Ending ending = after_failure(count, POLLIN); ending != Ending::done) return ending;
  }
}

Ending Wire::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), std::size_t{1} << 20);
    const int count = ssl_ ? SSL_write(ssl_, bytes.data(), static_cast<int>(size))
                           : static_cast<int>(::send(fd_, bytes.data(), size, MSG_NOSIGNAL));
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (const Ending ending = after_failure(count, POLLOUT); ending != Ending::done) return ending;
  }
  return Ending::done;
}

Ending Wire::pause_until(Clock::time_point when) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Clock::now()).count();
    if (left <= 0) return Ending::done;
    std::array<pollfd, 2> watched{{{fd_, POLLRDHUP, 0}, {stop_, POLLIN, 0}}};
    const int limit = static_cast<int>(std::min<std::int64_t>(left, 60'000));
    if (::poll(watched.data(), watched.size(), limit) < 0) continue;
    if (watched[1].revents != 0) return Ending::closed;
    if (is_closed_by_peer(watched[0].revents)) return Ending::peer_closed;
  }
}

void Wire::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(fd_);
  fd_ = -1;
}

void Wire::finish(bool says_goodbye) {
  if (ssl_ && says_goodbye) SSL_shutdown(ssl_);
  ::shutdown(fd_, SHUT_WR);
  ::close(fd_);
  fd_ = -1;
}

}  // namespace byway::testing_support
