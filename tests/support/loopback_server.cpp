#include "support/loopback_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <system_error>

namespace byway::testing_support {
namespace {

using Clock = std::chrono::steady_clock;
using TlsSettings = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

constexpr int queue_length = 4096;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

bool is_same_word(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && ::strncasecmp(left.data(), right.data(), left.size()) == 0;
}

void parse_head(std::string_view head, SeenRequest& request) {
  std::size_t at = head.find("\r\n");
  const std::string_view line = head.substr(0, at);
  const std::size_t first = line.find(' ');
  const std::size_t second = line.rfind(' ');
  request.method = line.substr(0, first);
  if (second > first) request.path = line.substr(first + 1, second - first - 1);
  while (at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string_view field = head.substr(at + 2, end - at - 2);
    const std::size_t colon = std::min(field.find(':'), field.size());
    std::string_view value = field.substr(std::min(colon + 1, field.size()));
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    if (!field.empty()) request.headers.emplace_back(field.substr(0, colon), value);
    at = end;
  }
}

TlsSettings tls_settings(const ServerOptions& options) {
  TlsSettings settings(nullptr, SSL_CTX_free);
  if (!options.tls) return settings;
  settings.reset(SSL_CTX_new(TLS_server_method()));
  const CertificateFiles files = options.tls->server_files();
  SSL_CTX* raw = settings.get();
  SSL_CTX_use_certificate_file(raw, files.certificate.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(raw, files.key.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (options.asks_client_certificate) {
    SSL_CTX_load_verify_locations(raw, options.tls->ca_file().c_str(), nullptr);
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return settings;
}

}  // namespace

std::string_view SeenRequest::header(std::string_view name) const noexcept {
  for (const auto& [field, value] : headers) {
    if (is_same_word(field, name)) return value;
  }
  return {};
}

LoopbackServer::LoopbackServer(Responder responder, ServerOptions options)
    : options_(std::move(options)), responder_(std::move(responder)) {
  listen();
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  if (stop_ < 0) fail("eventfd");
  acceptor_ = std::thread([this] { accept_all(); });
}

LoopbackServer::~LoopbackServer() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_, &one, sizeof one);
  acceptor_.join();
  for (Connection& connection : connections_) connection.thread.join();
  ::close(listener_);
  ::close(stop_);
}

void LoopbackServer::listen() {
  const int family = options_.is_ipv6 ? AF_INET6 : AF_INET;
  listener_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_storage address{};
  socklen_t size = sizeof(sockaddr_in);
  if (options_.is_ipv6) {
    auto& six = reinterpret_cast<sockaddr_in6&>(address);
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    six.sin6_port = htons(static_cast<std::uint16_t>(options_.port));
    size = sizeof six;
  } else {
    auto& four = reinterpret_cast<sockaddr_in&>(address);
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    four.sin_port = htons(static_cast<std::uint16_t>(options_.port));
  }
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || ::bind(listener_, raw, size) != 0) fail("bind");
  if (::listen(listener_, queue_length) != 0) fail("listen");
  ::getsockname(listener_, raw, &size);
  // Both families keep the port in the same place.
  port_ = ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
}

std::string LoopbackServer::url(std::string_view path) const {
  std::string text = options_.tls ? "https://" : "http://";
  text += options_.is_ipv6 ? "[::1]:" : "127.0.0.1:";
  return text.append(std::to_string(port_)).append(path);
}

void LoopbackServer::respond_with(Responder responder) {
  const std::lock_guard lock(mutex_);
  responder_ = std::move(responder);
}

Counts LoopbackServer::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

bool LoopbackServer::wait_for(const std::function<bool(const Counts&)>& is_reached,
                              Milliseconds limit) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, Clock::now() + limit, [&] { return is_reached(counts_); });
}

std::vector<SeenRequest> LoopbackServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<PeerClose> LoopbackServer::peer_closes() const {
  const std::lock_guard lock(mutex_);
  return peer_closes_;
}

void LoopbackServer::accept_all() {
  const TlsSettings tls = tls_settings(options_);
  for (int number = 1;;) {
    std::array<pollfd, 2> watched{{{listener_, POLLIN, 0}, {stop_, POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[1].revents != 0) return;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) continue;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    reap();
    note([&] {
      ++counts_.connections;
      ++counts_.open;
    });
    auto wire = std::make_unique<Wire>(fd, tls ? SSL_new(tls.get()) : nullptr, stop_);
    Connection& connection = connections_.emplace_back();
    connection.thread = std::thread([this, &connection, wire = std::move(wire), number]() mutable {
      serve(*wire, number);
      wire.reset();
      note([&] {
        --counts_.open;
        connection.is_done = true;
      });
    });
    ++number;
  }
}

void LoopbackServer::reap() {
  std::list<Connection> done;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = connections_.begin(); at != connections_.end();) {
      const auto next = std::next(at);
      if (at->is_done) done.splice(done.end(), connections_, at);
      at = next;
    }
  }
  for (Connection& connection : done) connection.thread.join();
}

void LoopbackServer::serve(Wire& wire, int number) {
  // OpenSSL writes without MSG_NOSIGNAL.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  if (converse(wire, number) != Ending::peer_closed) return;
  note([&] {
    ++counts_.peer_closes;
    peer_closes_.push_back({number, Clock::now()});
  });
}

Ending LoopbackServer::converse(Wire& wire, int number) {
  if (!options_.reads) return wire.pause_until(Clock::time_point::max());
  std::string input;
  for (int count = 1;; ++count) {
    SeenRequest request{.connection = number, .number = count};
    if (const Ending ending = read_head(wire, input, request); ending != Ending::done)
      return ending;
    if (!options_.answers_at_head) {
      if (const Ending ending = read_body(wire, input, request); ending != Ending::done)
        return ending;
      record(request);
    }
    Responder responder;
    {
      const std::lock_guard lock(mutex_);
      responder = responder_;
    }
    if (const Ending ending = play(wire, responder(request)); ending != Ending::done) return ending;
    if (!options_.answers_at_head) continue;
    if (const Ending ending = read_body(wire, input, request); ending != Ending::done)
      return ending;
    record(std::move(request));
  }
}

Ending LoopbackServer::read_more(Wire& wire, std::string& input) {
  const std::size_t before = input.size();
  const Ending ending = wire.read(input);
  note([&] { counts_.bytes_received += static_cast<std::int64_t>(input.size() - before); });
  return ending;
}

Ending LoopbackServer::read_head(Wire& wire, std::string& input, SeenRequest& request) {
  std::size_t end;
  while ((end = input.find("\r\n\r\n")) == std::string::npos) {
    if (const Ending ending = read_more(wire, input); ending != Ending::done) return ending;
  }
  parse_head(std::string_view(input).substr(0, end + 2), request);
  input.erase(0, end + 4);
  if (options_.sends_continue && is_same_word(request.header("expect"), "100-continue"))
    return send(wire, "HTTP/1.1 100 Continue\r\n\r\n");
  return Ending::done;
}

/// Bodies have a declared length; Byway sends no others.
Ending LoopbackServer::read_body(Wire& wire, std::string& input, SeenRequest& request) {
  const std::string_view length = request.header("content-length");
  std::size_t size = 0;
  std::from_chars(length.data(), length.data() + length.size(), size);
  while (input.size() < size) {
    if (const Ending ending = read_more(wire, input); ending != Ending::done) return ending;
  }
  request.body = input.substr(0, size);
  input.erase(0, size);
  return Ending::done;
}

void LoopbackServer::record(SeenRequest request) {
  note([&] {
    ++counts_.requests;
    if (options_.keeps_requests) requests_.push_back(std::move(request));
  });
}

}  // namespace byway::testing_support
