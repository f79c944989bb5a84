// LoopbackServer: a real HTTP/1.1 server on 127.0.0.1 that answers by script, inside the test.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "support/authority.hpp"
#include "support/wire.hpp"

namespace byway::testing_support {

using Headers = std::vector<std::pair<std::string, std::string>>;
using Milliseconds = std::chrono::milliseconds;

/// A request as it came off the wire.
struct SeenRequest {
  std::string method = {};
  /// With the query.
  std::string path = {};
  /// Spelled and ordered as they came.
  Headers headers = {};
  std::string body = {};
  /// Both count from 1; `number` counts on this connection.
  int connection = 0;
  int number = 0;

  /// The first header of that name in any case; empty when there is none.
  std::string_view header(std::string_view name) const noexcept;
};

/// How a body's end is known. `as_given` adds no header at all.
enum class Framing : std::uint8_t { chunked, length, until_close, as_given };

/// Bytes straight to the socket.
struct Send {
  std::string bytes = {};
};
struct SendHead {
  int status = 200;
  Headers headers = {};
  Framing framing = Framing::chunked;
  /// The declared length, for Framing::length.
  std::size_t length = 0;
};
/// One HTTP chunk, sent by itself.
struct SendChunk {
  std::string bytes = {};
};
/// The last, empty chunk.
struct SendEnd {};
struct Sleep {
  Milliseconds time = {};
};
/// One byte every `each`.
struct Drip {
  std::string bytes = {};
  Milliseconds each = {};
};
/// Says nothing more until the peer closes.
struct Hold {};
/// Closes with RST.
struct Reset {};
/// Closes in order, after the TLS goodbye unless that is left out.
struct Finish {
  bool says_goodbye = true;
};

using Action = std::variant<Send, SendHead, SendChunk, SendEnd, Sleep, Drip, Hold, Reset, Finish>;
using Script = std::vector<Action>;

/// What these put on the wire.
std::string bytes_of(const SendHead& head);
std::string bytes_of(const SendChunk& chunk);
std::string bytes_of(const SendEnd& end);

/// What to do about a request. Called on a thread of the server; must not block. After the last
/// action the connection waits for the next request.
using Responder = std::function<Script(const SeenRequest&)>;

/// A whole JSON answer.
Script json_reply(std::string body, int status = 200);
/// Each text as one `data:` event in a chunk of its own, then `data: [DONE]`, then the end.
Script event_stream(const std::vector<std::string>& events, bool has_end_marker = true);
/// Always the same.
Responder always(Script script);
/// `scripts[c][r]` answers request r of connection c, both from 0. Past the end the last one
/// answers, of connections and of requests.
Responder by_connection(std::vector<std::vector<Script>> scripts);

struct ServerOptions {
  /// Speaks TLS with a certificate of this authority for 127.0.0.1, ::1 and localhost.
  std::shared_ptr<const Authority> tls = {};
  bool asks_client_certificate = false;
  /// 0 is any that is free.
  int port = 0;
  /// Listens on ::1.
  bool is_ipv6 = false;
  /// False: connections are accepted, and not one byte is read or sent.
  bool reads = true;
  /// Answers once the head is there; the body is read afterwards, and is missing in the request
  /// that the Responder sees.
  bool answers_at_head = false;
  /// Answers `Expect: 100-continue`; by default the client waits in vain.
  bool sends_continue = false;
  /// False for long runs: requests() stays empty.
  bool keeps_requests = true;
};

struct Counts {
  int connections = 0;
  int open = 0;
  int requests = 0;
  int peer_closes = 0;
  std::int64_t bytes_received = 0;
  std::int64_t bytes_sent = 0;
};

struct PeerClose {
  int connection = 0;
  std::chrono::steady_clock::time_point when = {};
};

/// *Safe from any thread.* One thread per connection. The destructor closes everything at once,
/// whatever clients hold.
class LoopbackServer {
 public:
  /// Throws std::system_error when it cannot listen.
  explicit LoopbackServer(Responder responder, ServerOptions options = {});
  LoopbackServer(const LoopbackServer&) = delete;
  ~LoopbackServer();

  int port() const noexcept { return port_; }
  /// "http://127.0.0.1:PORT" and `path`; https under TLS, [::1] with IPv6.
  std::string url(std::string_view path = "/v1") const;

  /// For requests that come after this.
  void respond_with(Responder responder);

  Counts counts() const;
  /// Waits until the counts are as wanted; false when `limit` has passed before.
  bool wait_for(const std::function<bool(const Counts&)>& is_reached,
                Milliseconds limit = std::chrono::seconds(5)) const;
  std::vector<SeenRequest> requests() const;
  std::vector<PeerClose> peer_closes() const;

 private:
  struct Connection {
    std::thread thread = {};
    bool is_done = false;
  };

  void listen();
  void accept_all();
  void serve(Wire& wire, int number);
  Ending converse(Wire& wire, int number);
  Ending read_head(Wire& wire, std::string& input, SeenRequest& request);
  Ending read_body(Wire& wire, std::string& input, SeenRequest& request);
  Ending read_more(Wire& wire, std::string& input);
  Ending play(Wire& wire, const Script& script);
  Ending play(Wire& wire, const Action& action);
  Ending send(Wire& wire, std::string_view bytes);
  void record(SeenRequest request);
  void reap();
  template <class Change>
  void note(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }

  const ServerOptions options_;
  int listener_ = -1;
  int stop_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Responder responder_;
  Counts counts_ = {};
  std::vector<SeenRequest> requests_ = {};
  std::vector<PeerClose> peer_closes_ = {};
  std::list<Connection> connections_ = {};
  std::thread acceptor_ = {};
};

/// A port that refuses connections as long as this lives.
class RefusingPort {
 public:
  RefusingPort();
  RefusingPort(const RefusingPort&) = delete;
  ~RefusingPort();
  int port() const noexcept { return port_; }

 private:
  // Found out while `fd_` is made.
  int port_ = 0;
  int fd_ = -1;
};

/// A port where connecting neither succeeds nor fails: its queue is full and nobody accepts.
class SilentPort {
 public:
  SilentPort();
  SilentPort(const SilentPort&) = delete;
  ~SilentPort();
  int port() const noexcept { return port_; }

 private:
  std::vector<int> fds_ = {};
  int port_ = 0;
};

}  // namespace byway::testing_support
