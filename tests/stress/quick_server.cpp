#include "stress/quick_server.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace byway::stress {
namespace {

std::string chunk(const std::string& bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

std::string event(const std::string& delta, const std::string& finish) {
  return chunk(R"(data: {"id":"c","object":"chat.completion.chunk","model":"m",)"
               R"("choices":[{"index":0,"delta":)" +
               delta + R"(,"finish_reason":)" + finish + "}]}\n\n");
}

const std::string whole_body =
    R"({"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":)"
    R"({"role":"assistant","content":"Hello"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}})";

std::string whole(int status) {
  const std::string body =
      status == 200 ? whole_body : R"({"error":{"message":"broken","type":"server_error"}})";
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\ncontent-type: application/json\r\ncontent-length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string streamed(bool is_cut) {
  std::string out =
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
  out += event(R"({"role":"assistant","content":""})", "null");
  for (int i = 0; i < 8; ++i) out += event(R"({"content":"word "})", "null");
  if (is_cut) return out;
  return out + event("{}", "\"stop\"") + chunk("data: [DONE]\n\n") + "0\r\n\r\n";
}

}  // namespace

QuickServer::QuickServer() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::listen(listener_, 4096);
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  for (const int fd : {listener_, stop_}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  thread_ = std::thread([this] { run(); });
}

QuickServer::~QuickServer() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(stop_, &one, sizeof one));
  thread_.join();
  for (std::size_t fd = 0; fd < connections_.size(); ++fd) {
    if (connections_[fd] != nullptr) drop(static_cast<int>(fd));
  }
  for (const int fd : {listener_, epoll_, stop_}) ::close(fd);
}

void QuickServer::run() {
  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == stop_) return;
      if (fd != listener_) {
        read(fd);
        continue;
      }
      for (int client;
           (client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
        const int on = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const auto index = static_cast<std::size_t>(client);
        if (index >= connections_.size()) connections_.resize(index + 1, nullptr);
        connections_[index] = new Connection();
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = client;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client, &event);
      }
    }
  }
}

void QuickServer::read(int fd) {
  Connection* connection = connections_[static_cast<std::size_t>(fd)];
  if (connection == nullptr) return;
  std::array<char, 16384> bytes;
  const ssize_t n = ::recv(fd, bytes.data(), bytes.size(), 0);
  if (n <= 0) return drop(fd);
  connection->in.append(bytes.data(), static_cast<std::size_t>(n));
  while (answer(*connection)) {
  }
  flush(fd);
}

bool QuickServer::answer(Connection& connection) {
  const std::size_t end = connection.in.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const std::size_t at = connection.in.find("Content-Length: ");
  const std::size_t length =
      at < end ? std::strtoull(connection.in.c_str() + at + 16, nullptr, 10) : 0;
  if (connection.in.size() < end + 4 + length) return false;
  const bool is_stream = connection.in.find("\"stream\":true", end) < end + 4 + length;
  connection.in.erase(0, end + 4 + length);
  requests_.fetch_add(1, std::memory_order_relaxed);
  if (is_stream) {
    const bool is_cut = !is_kind_ && ++streams_ % 7 == 0;
    connection.out += streamed(is_cut);
    connection.closes = is_cut;
  } else {
    connection.out += whole(!is_kind_ && ++calls_ % 11 == 0 ? 500 : 200);
  }
  return true;
}

void QuickServer::flush(int fd) {
  Connection& connection = *connections_[static_cast<std::size_t>(fd)];
  // Answers are a few kilobytes and the peer reads at once: what a socket does not take now is
  // waited for.
  while (!connection.out.empty()) {
    const ssize_t n = ::send(fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) continue;
    if (n <= 0) return drop(fd);
    connection.out.erase(0, static_cast<std::size_t>(n));
  }
  if (connection.closes) drop(fd);
}

void QuickServer::drop(int fd) {
  delete connections_[static_cast<std::size_t>(fd)];
  connections_[static_cast<std::size_t>(fd)] = nullptr;
  ::close(fd);
}

}  // namespace byway::stress
