// The floor: sockets, epoll and the least parsing that finds the end of an answer.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load.hpp"

namespace {

using byway::bench::Options;

struct Connection {
  int fd = -1;
  std::string in;
};

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options), epoll_(epoll_create1(0)), left_(options.total) {
    const std::string body = byway::bench::request_body("m-1", options.is_stream(), true);
    request_ =
        "POST /" + std::string(options.mode == "json" ? "v1" : options.mode) +
        "/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
        byway::bench::bearer + "\r\nAccept: */*\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    connections_.resize(static_cast<std::size_t>(options.in_flight));
    for (std::size_t i = 0; i < connections_.size(); ++i) open(i);
  }

  void run() {
    for (Connection& connection : connections_) send(connection);
    std::array<epoll_event, 512> events;
    while (running_ > 0) {
      const int count = epoll_wait(epoll_, events.data(), 512, -1);
      for (int i = 0; i < count; ++i)
        read(connections_[events[static_cast<std::size_t>(i)].data.u64]);
    }
  }
  long events() const { return events_; }

 private:
  void open(std::size_t index) {
    Connection& connection = connections_[index];
    connection.fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      std::exit(3);
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
    if (::send(connection.fd, request_.data(), request_.size(), MSG_NOSIGNAL) < 0) std::exit(3);
  }

  void read(Connection& connection) {
    std::array<char, 16384> bytes;
    const ssize_t n = ::recv(connection.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n <= 0) return;
    connection.in.append(bytes.data(), static_cast<std::size_t>(n));
    options_.is_stream() ? read_events(connection) : read_whole(connection);
  }

  void read_whole(Connection& connection) {
    const std::size_t end = connection.in.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::size_t field = connection.in.find("Content-Length: ");
    const std::size_t length = std::strtoull(connection.in.c_str() + field + 16, nullptr, 10);
    if (connection.in.size() >= end + 4 + length) finish(connection);
  }

  void read_events(Connection& connection) {
    std::size_t begin = 0;
    for (std::size_t end; (end = connection.in.find("\n\n", begin)) != std::string::npos;
         begin = end + 2)
      ++events_;
    connection.in.erase(0, begin);
    if (connection.in.ends_with("0\r\n\r\n")) finish(connection);
  }

  void finish(Connection& connection) {
    --running_;
    connection.in.clear();
    send(connection);
  }

  const Options& options_;
  int epoll_;
  long left_;
  long running_ = 0;
  long events_ = 0;
  std::string request_;
  std::vector<Connection> connections_;
};

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv);
  Load load(options);
  byway::bench::Meter meter;
  load.run();
  const auto units =
      options.is_stream() ? static_cast<double>(load.events()) : static_cast<double>(options.total);
  meter.print("raw_sockets", options, units);
}
