// The floor: sockets, epoll and the least parsing that finds the end of an answer.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/meter.hpp"

namespace byway::bench {
namespace {

struct Connection {
  int fd = -1;
  std::string input = {};
};

/// Keeps `in_flight` requests running, each connection asking again once it is answered.
class Load {
 public:
  explicit Load(const Options& options)
      : options_(options), epoll_(::epoll_create1(0)), request_(request_bytes(options)) {
    connections_.resize(static_cast<std::size_t>(options.in_flight));
    for (std::size_t i = 0; i < connections_.size(); ++i) open(i);
  }

  void run(long total) {
    left_ = total;
    for (Connection& connection : connections_) send(connection);
    std::array<epoll_event, 512> events;
    while (running_ > 0) {
      const int count = ::epoll_wait(epoll_, events.data(), 512, -1);
      for (int i = 0; i < count; ++i)
        read(connections_[events[static_cast<std::size_t>(i)].data.u64]);
    }
  }
  long events() const noexcept { return events_; }

 private:
  void open(std::size_t index) {
    Connection& connection = connections_[index];
    connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      fail("connect");
    const int on = 1;
    ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }

  void send(Connection& connection) {
    if (left_ <= 0) return;
    --left_;
    ++running_;
    if (::send(connection.fd, request_.data(), request_.size(), MSG_NOSIGNAL) < 0) fail("send");
  }

  void read(Connection& connection) {
    std::array<char, 16384> bytes;
    const ssize_t count = ::recv(connection.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) fail("the server closed a connection");
    connection.input.append(bytes.data(), static_cast<std::size_t>(count));
    options_.is_stream() ? read_events(connection) : read_whole(connection);
  }

  void read_whole(Connection& connection) {
    const std::string& input = connection.input;
    const std::size_t end = input.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::size_t field = input.find("Content-Length: ");
    const std::size_t length = std::strtoull(input.c_str() + field + 16, nullptr, 10);
    if (input.size() >= end + 4 + length) finish(connection);
  }

  void read_events(Connection& connection) {
    std::string& input = connection.input;
    std::size_t begin = 0;
    for (std::size_t end; (end = input.find("\n\n", begin)) != std::string::npos; begin = end + 2)
      ++events_;
    input.erase(0, begin);
    if (input.ends_with("\r\n0\r\n\r\n")) finish(connection);
  }

  void finish(Connection& connection) {
    --running_;
    connection.input.clear();
    send(connection);
  }

  const Options& options_;
  const int epoll_;
  const std::string request_;
  long left_ = 0;
  long running_ = 0;
  long events_ = 0;
  std::vector<Connection> connections_ = {};
};

}  // namespace
}  // namespace byway::bench

int main(int argc, char** argv) {
  using namespace byway::bench;
  const Options options(argc, argv);
  if (options.mode == Mode::idle || options.mode == Mode::held) fail("no such mode here");
  Load load(options);
  load.run(options.warm_up());
  Meter meter;
  load.run(options.total);
  if (options.is_stream() && load.events() < options.units()) fail("events are missing");
  meter.print("raw", options, options.units());
}
