// The server of the benchmarks: one thread, one epoll set, answers made beforehand.
//
//   bench_server [spin]         prints the port that it listens on, on 127.0.0.1; with `spin` it
//                               never sleeps, so that no client pays for waking it
//   POST /json/...              1 kB of JSON
//   POST /burst/...             64 events of about 295 bytes and [DONE], in one send
//   POST /paced/...             the same, one event per send, streams taking turns
//   POST /idle/...              head and first event, then silence until /wake, which sends one
//                               more event to all
//   POST /held/...              nothing until /wake, which answers all
//   GET /wake, GET /count       how many are kept waiting
//
// Written for the benchmarks alone: it trusts its clients.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int events_per_stream = 64;

std::string chunk(std::string_view bytes) {
  std::array<char, 24> size;
  char* end = std::to_chars(size.begin(), size.end(), bytes.size(), 16).ptr;
  return std::string(size.data(), end).append("\r\n").append(bytes).append("\r\n");
}

std::string whole(std::string_view body) {
  return std::string("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\n\r\n")
      .append(body);
}

std::string completion() {
  std::string text;
  while (text.size() < 700) text += "How can I help you today? ";
  return R"({"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion",)"
         R"("created":1741569952,"model":"m-1","choices":[{"index":0,"message":)"
         R"({"role":"assistant","content":")" +
         text +
         R"("},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":212,)"
         R"("completion_tokens":64,"total_tokens":276}})";
}

std::string event_chunk(std::string_view delta, std::string_view finish) {
  std::string text =
      R"(data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk",)"
      R"("created":1741569952,"model":"llama-3.1-8b-instruct","service_tier":"default",)"
      R"("system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":)";
  return chunk(text.append(delta)
                   .append(R"(,"logprobs":null,"finish_reason":)")
                   .append(finish)
                   .append("}]}\n\n"));
}

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string json_answer = whole(completion());
const std::string text_event = event_chunk(R"({"content":" token"})", "null");
const std::string last_event = event_chunk("{}", R"("stop")");
const std::string stream_end = chunk("data: [DONE]\n\n") + "0\r\n\r\n";

std::string whole_stream() {
  std::string out = stream_head;
  for (int i = 1; i < events_per_stream; ++i) out += text_event;
  return out + last_event + stream_end;
}
const std::string burst_answer = whole_stream();

enum class Waiting : unsigned char { no, for_event, for_answer };

struct Connection {
  std::string input = {};
  std::string output = {};
  /// Events still to be sent one by one.
  int paced = 0;
  Waiting waiting = Waiting::no;
};

class Server {
 public:
  explicit Server(bool spins)
      : spins_(spins), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, raw, size) != 0 || ::listen(listener_, 4096) != 0) std::exit(1);
    ::getsockname(listener_, raw, &size);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    watch(listener_);
  }

  void run() {
    std::array<epoll_event, 512> events;
    for (;;) {
      const int count =
          ::epoll_wait(epoll_, events.data(), 512, spins_ || !pacing_.empty() ? 0 : -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        fd == listener_ ? accept_all() : read(fd);
      }
      pace();
    }
  }

 private:
  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const auto index = static_cast<std::size_t>(fd);
      if (index >= connections_.size()) connections_.resize(index + 1);
      at(fd) = Connection{};
      watch(fd);
    }
  }

  Connection& at(int fd) { return connections_[static_cast<std::size_t>(fd)]; }

  void read(int fd) {
    std::array<char, 65536> bytes;
    const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return drop(fd);
    at(fd).input.append(bytes.data(), static_cast<std::size_t>(count));
    while (answer(fd)) {
    }
    flush(fd);
  }

  void drop(int fd) {
    Connection& connection = at(fd);
    waiting_ -= connection.waiting != Waiting::no;
    if (connection.paced > 0) std::erase(pacing_, fd);
    connection = Connection{};
    ::close(fd);
  }

  /// Takes one request; false when there is no whole one.
  bool answer(int fd) {
    Connection& connection = at(fd);
    const std::string_view input = connection.input;
    const std::size_t end = input.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    const std::size_t field = input.find("Content-Length: ");
    std::size_t length = 0;
    if (field < end) std::from_chars(&input[field + 16], &input[end], length);
    if (input.size() < end + 4 + length) return false;
    answer(fd, input.substr(input.find(' ') + 1, 8));
    at(fd).input.erase(0, end + 4 + length);
    return true;
  }

  void answer(int fd, std::string_view path) {
    Connection& connection = at(fd);
    std::string& output = connection.output;
    if (path.starts_with("/json")) {
      output += json_answer;
    } else if (path.starts_with("/burst")) {
      output += burst_answer;
    } else if (path.starts_with("/paced")) {
      output += stream_head;
      connection.paced = events_per_stream;
      pacing_.push_back(fd);
    } else if (path.starts_with("/idle")) {
      output += stream_head + text_event;
      keep_waiting(connection, Waiting::for_event);
    } else if (path.starts_with("/held")) {
      keep_waiting(connection, Waiting::for_answer);
    } else {
      output += whole(std::to_string(waiting_));
      if (path.starts_with("/wake")) wake();
    }
  }

  void keep_waiting(Connection& connection, Waiting waiting) {
    connection.waiting = waiting;
    ++waiting_;
  }

  /// One event to each stream in turn, as tokens come from a model.
  void pace() {
    for (std::size_t i = 0; i < pacing_.size();) {
      const int fd = pacing_[i];
      Connection& connection = at(fd);
      if (--connection.paced > 0) {
        connection.output += text_event;
        ++i;
      } else {
        connection.output.append(last_event).append(stream_end);
        pacing_[i] = pacing_.back();
        pacing_.pop_back();
      }
      flush(fd);
    }
  }

  void wake() {
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      Connection& connection = connections_[i];
      if (connection.waiting == Waiting::for_event) connection.output += text_event;
      if (connection.waiting == Waiting::for_answer) {
        connection.output += json_answer;
        connection.waiting = Waiting::no;
        --waiting_;
      }
      flush(static_cast<int>(i));
    }
  }

  void flush(int fd) {
    std::string& output = at(fd).output;
    for (std::size_t sent = 0; sent < output.size();) {
      const ssize_t count = ::send(fd, output.data() + sent, output.size() - sent, MSG_NOSIGNAL);
      if (count < 0 && errno == EAGAIN) continue;
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    output.clear();
  }

  const bool spins_;
  const int listener_;
  const int epoll_ = ::epoll_create1(0);
  long waiting_ = 0;
  std::vector<Connection> connections_ = {};
  std::vector<int> pacing_ = {};
};

}  // namespace

int main(int argc, char** argv) {
  Server(argc > 1 && std::string_view(argv[1]) == "spin").run();
}
