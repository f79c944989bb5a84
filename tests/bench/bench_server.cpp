// The server of the benchmarks: one thread, one epoll set, answers made beforehand.
//   bench_server [PORT]         prints "listening on 127.0.0.1:PORT"
//   POST .../chat/completions   1 kB of JSON; with "stream":true in the body 64 events and [DONE]
//   POST /burst/...             streams leave in one send; /paced/... one event per send, streams
//   taking turns POST /idle/...              head and first event, then silence until GET /wake,
//   which sends one more to all
// Written for the bench alone: it trusts its clients.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int events_per_stream = 64;

std::string chunk(const std::string& bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

std::string whole_answer() {
  std::string text;
  while (text.size() < 700) text += "How can I help you today? ";
  const std::string body =
      R"({"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion","created":1741569952,)"
      R"("model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":")" +
      text + R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":212,"completion_tokens":64,)" +
      R"("total_tokens":276}})";
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string event_chunk(const std::string& delta, const std::string& finish) {
  return chunk(
      R"(data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk",)"
      R"("created":1741569952,"model":"llama-3.1-8b-instruct","service_tier":"default",)"
      R"("system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":)" +
      delta + R"(,"logprobs":null,"finish_reason":)" + finish + "}]}\n\n");
}

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string json_answer = whole_answer();
const std::string text_event = event_chunk(R"({"content":" token"})", "null");
const std::string last_events =
    event_chunk("{}", "\"stop\"") + chunk("data: [DONE]\n\n") + "0\r\n\r\n";

std::string whole_stream() {
  std::string out = stream_head;
  for (int i = 1; i < events_per_stream; ++i) out += text_event;
  return out + last_events;
}
const std::string burst_answer = whole_stream();

struct Connection {
  std::string in;
  std::string out;
  /// Events still to be sent one by one.
  int paced = 0;
  bool is_idle = false;
};

class Server {
 public:
  explicit Server(int port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::exit(1);
    ::listen(listener_, 4096);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    std::printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    epoll_ = ::epoll_create1(0);
    watch(listener_);
  }

  void run() {
    std::array<epoll_event, 512> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), 512, pacing_.empty() ? -1 : 0);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        fd == listener_ ? accept_all() : read(fd);
      }
      pace();
    }
  }

 private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (static_cast<std::size_t>(fd) >= connections_.size()) {
        connections_.resize(static_cast<std::size_t>(fd) + 1);
      }
      at(fd) = Connection{};
      watch(fd);
    }
  }

  Connection& at(int fd) { return connections_[static_cast<std::size_t>(fd)]; }

  void read(int fd) {
    std::array<char, 65536> bytes;
    const ssize_t n = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (n <= 0) {
      if (n < 0 && errno == EAGAIN) return;
      at(fd) = Connection{};
      std::erase(pacing_, fd);
      ::close(fd);
      return;
    }
    Connection& connection = at(fd);
    connection.in.append(bytes.data(), static_cast<std::size_t>(n));
    while (answer(fd, connection)) {
    }
    flush(fd, connection);
  }

  bool answer(int fd, Connection& connection) {
    const std::string_view in = connection.in;
    const std::size_t end = in.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    const std::size_t field = in.find("Content-Length: ");
    const std::size_t length = field < end ? std::strtoull(in.data() + field + 16, nullptr, 10) : 0;
    if (in.size() < end + 4 + length) return false;
    const std::string_view path = in.substr(in.find(' ') + 1, 64);
    const bool is_stream =
        in.substr(end, length + 4).find("\"stream\":true") != std::string_view::npos;
    if (path.starts_with("/wake")) {
      wake();
      connection.out += "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    } else if (!is_stream) {
      connection.out += json_answer;
    } else if (path.starts_with("/idle")) {
      connection.out += stream_head + text_event;
      connection.is_idle = true;
    } else if (path.starts_with("/paced")) {
      connection.out += stream_head;
      connection.paced = events_per_stream;
      pacing_.push_back(fd);
    } else {
      connection.out += burst_answer;
    }
    connection.in.erase(0, end + 4 + length);
    return true;
  }

  /// One event to each stream in turn, as tokens come from a model.
  void pace() {
    for (std::size_t i = 0; i < pacing_.size();) {
      Connection& connection = at(pacing_[i]);
      connection.out += --connection.paced > 0 ? text_event : last_events;
      flush(pacing_[i], connection);
      if (connection.paced > 0) {
        ++i;
      } else {
        pacing_[i] = pacing_.back();
        pacing_.pop_back();
      }
    }
  }

  void wake() {
    for (std::size_t fd = 0; fd < connections_.size(); ++fd) {
      if (!connections_[fd].is_idle) continue;
      connections_[fd].out += text_event;
      flush(static_cast<int>(fd), connections_[fd]);
    }
  }

  void flush(int fd, Connection& connection) {
    while (!connection.out.empty()) {
      const ssize_t n = ::send(fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) continue;
      if (n <= 0) return connection.out.clear();
      connection.out.erase(0, static_cast<std::size_t>(n));
    }
  }

  int listener_ = -1;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::vector<int> pacing_;
};

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  Server(argc > 1 ? std::atoi(argv[1]) : 0).run();
}
