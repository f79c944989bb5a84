#include "contract/script_server.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace byway::contract {
namespace {

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void reset(int fd) {
  const linger hard{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

}  // namespace

ScriptServer::ScriptServer() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::listen(listener_, 1024);
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptServer::~ScriptServer() {
  is_stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
  ::close(listener_);
}

void ScriptServer::script(testing::Script steps) {
  const std::lock_guard lock(mutex_);
  scripts_.push_back(std::move(steps));
}

std::string ScriptServer::url() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/v1/x";
}

std::vector<testing::SeenRequest> ScriptServer::requests() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

bool ScriptServer::wait_for_client_closes(int count, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return client_closes_ >= count; });
}

void ScriptServer::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    open_.insert(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

testing::Script ScriptServer::take_script() {
  const std::lock_guard lock(mutex_);
  if (scripts_.empty()) return {testing::Fail{TransferFault::closed_early}};
  testing::Script steps = std::move(scripts_.front());
  scripts_.pop_front();
  return steps;
}

void ScriptServer::serve(int fd) {
  std::string buffer;
  for (;;) {
    testing::SeenRequest request;
    if (!read_request(fd, buffer, request)) break;
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(std::move(request));
    }
    changed_.notify_all();
    if (!play(fd, take_script())) break;
  }
  const std::lock_guard lock(mutex_);
  open_.erase(fd);
  ::close(fd);
}

bool ScriptServer::read_request(int fd, std::string& buffer, testing::SeenRequest& request) {
  const auto read_more = [&] {
    char bytes[65536];
    const ssize_t n = ::recv(fd, bytes, sizeof bytes, 0);
    if (n > 0) buffer.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  };
  std::size_t end;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return false;
  }
  std::size_t length = 0;
  for (std::size_t at = buffer.find("\r\n") + 2; at < end + 2;) {
    const std::size_t line_end = buffer.find("\r\n", at);
    const std::string line = buffer.substr(at, line_end - at);
    if (line.starts_with("Content-Length: "))
      length = std::strtoull(line.c_str() + 16, nullptr, 10);
    if (line.starts_with("Authorization: ")) request.has_secret = true;
    request.header_lines.push_back(line);
    at = line_end + 2;
  }
  request.method = buffer.starts_with("GET ") ? Method::get : Method::post;
  while (buffer.size() < end + 4 + length) {
    if (!read_more()) return false;
  }
  request.body = buffer.substr(end + 4, length);
  buffer.erase(0, end + 4 + length);
  return true;
}

/// Whether the connection can take another request.
bool ScriptServer::play(int fd, const testing::Script& steps) {
  for (const testing::Step& step : steps) {
    if (const auto* head = std::get_if<testing::SendHead>(&step)) {
      std::string text =
          "HTTP/1.1 " + std::to_string(head->status) + " X\r\ntransfer-encoding: chunked\r\n";
      for (const auto& [name, value] : head->headers) text += name + ": " + value + "\r\n";
      if (!send_all(fd, text + "\r\n")) return false;
    } else if (const auto* body = std::get_if<testing::SendBody>(&step)) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", body->bytes.size());
      if (!send_all(fd, size + body->bytes + "\r\n")) return hold(fd), false;
    } else if (std::holds_alternative<testing::Finish>(step)) {
      return send_all(fd, "0\r\n\r\n");
    } else if (std::holds_alternative<testing::Hold>(step)) {
      return hold(fd), false;
    } else if (std::holds_alternative<testing::Fail>(step)) {
      return reset(fd), false;
    }
  }
  return true;
}

/// Says nothing until the client closes.
void ScriptServer::hold(int fd) {
  char byte;
  while (::recv(fd, &byte, 1, 0) > 0) {
  }
  const std::lock_guard lock(mutex_);
  if (!is_stopping_) ++client_closes_;
  changed_.notify_all();
}

}  // namespace byway::contract
