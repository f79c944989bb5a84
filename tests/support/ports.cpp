// Ports that do not answer: one refuses, one is silent.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "support/loopback_server.hpp"

namespace byway::testing_support {
namespace {

/// A bound socket; its port is written to `port`.
int bound_socket(int& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || ::bind(fd, raw, size) != 0 || ::getsockname(fd, raw, &size) != 0)
    throw std::system_error(errno, std::generic_category(), "bind");
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

// Bound and not listening: the kernel answers with RST, and nobody else gets the port.
RefusingPort::RefusingPort() : fd_(bound_socket(port_)) {}

RefusingPort::~RefusingPort() {
  ::close(fd_);
}

SilentPort::SilentPort() {
  fds_.push_back(bound_socket(port_));
  ::listen(fds_.front(), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  // Connections of our own until one stays on its way: then the queue is full.
  for (bool is_connected = true; is_connected;) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    fds_.push_back(fd);
    ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    pollfd watched{fd, POLLOUT, 0};
    is_connected = ::poll(&watched, 1, 50) == 1;
  }
}

SilentPort::~SilentPort() {
  for (const int fd : fds_) ::close(fd);
}

}  // namespace byway::testing_support
