// Connection: reads HTTP/1.1 requests from a socket and writes answers to it.
#pragma once

#include <strings.h>
#include <sys/socket.h>

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

namespace standin {

struct HttpRequest {
  std::string method, path, authorization, body;
  bool keeps_alive = true;
};

/// One client, until either side has had enough. The socket belongs to the caller.
class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}

  /// The next request; false when there is none.
  bool read(HttpRequest& request) {
    std::size_t head_end = 0;
    while ((head_end = input_.find("\r\n\r\n")) == std::string::npos) {
      if (input_.size() > head_bytes_max || !receive()) return false;
    }
    const std::string_view head = std::string_view(input_).substr(0, head_end);
    const std::size_t space = head.find(' ');
    if (space == std::string_view::npos) return false;
    request.method = head.substr(0, space);
    request.path = head.substr(space + 1, head.find_first_of(" ?\r", space + 1) - space - 1);
    request.authorization = header(head, "authorization");
    request.keeps_alive = header(head, "connection") != "close";
    std::size_t length = 0;
    const std::string text = header(head, "content-length");
    std::from_chars(text.data(), text.data() + text.size(), length);
    if (length > body_bytes_max) return false;
    while (input_.size() < head_end + 4 + length) {
      if (!receive()) return false;
    }
    request.body = input_.substr(head_end + 4, length);
    input_.erase(0, head_end + 4 + length);
    return true;
  }

  void send(std::string_view bytes) {
    while (is_open_ && !bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      is_open_ = count > 0;
      if (is_open_) bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  bool is_open() const { return is_open_; }

  /// Whether the client has closed its side.
  bool is_gone() const {
    char byte;
    return recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

 private:
  static constexpr std::size_t head_bytes_max = std::size_t{64} << 10;
  static constexpr std::size_t body_bytes_max = std::size_t{32} << 20;

  static std::string header(std::string_view head, std::string_view name) {
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
      const std::size_t end = head.find("\r\n", at + 2);
      const std::string_view line = head.substr(at + 2, end - at - 2);
      if (line.size() > name.size() && line[name.size()] == ':' &&
          strncasecmp(line.data(), name.data(), name.size()) == 0) {
        const std::size_t begin = line.find_first_not_of(' ', name.size() + 1);
        return begin == std::string_view::npos ? "" : std::string(line.substr(begin));
      }
      at = end;
    }
    return "";
  }

  bool receive() {
    char bytes[16384];
    const ssize_t count = recv(fd_, bytes, sizeof bytes, 0);
    if (count > 0) input_.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }

  int fd_;
  bool is_open_ = true;
  std::string input_;
};

}  // namespace standin
