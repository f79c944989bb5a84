// Transport: the one seam at the bottom: an HTTP request goes down, a head, a body and one end come
// up.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <byway/clock.hpp>
#include <byway/error.hpp>
#include <byway/secret.hpp>

namespace byway {

/// The thread that a transport lives on, as the transport sees it. *Loop thread only*, but for
/// post().
class Loop {
 public:
  virtual ~Loop() = default;
  /// Runs `task` on the loop thread, after whatever runs now. *Safe from any thread.*
  virtual void post(std::function<void()> task) = 0;
  /// Runs `task` on the loop thread once `when` has come, by the loop's clock; never if the loop
  /// ends before.
  virtual void post_at(TimePoint when, std::function<void()> task) = 0;
  virtual const Clock& clock() const noexcept = 0;
};

/// How to reach an endpoint; shared by all its requests and kept while any of them runs. A
/// transport may cache what it prepares per Target by its address, so a changed endpoint is a new
/// Target.
struct Target {
  /// "https://host:port/base/chat/completions?query", final, percent-encoded.
  std::string url = {};
  /// Part of the pool key: connections are never shared between targets of different `pool`.
  std::string pool = {};
  /// Name and value of every request of this target, in order; validated bytes.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string ca_file = {};
  std::string client_cert = {};
  std::string client_key = {};
  std::string proxy = {};
  /// Judges every address before it is dialled: true allows. The text is a numeric address without
  /// brackets or port.
  std::function<bool(std::string_view address)> address_allowed = {};
  /// Unused connections older than this are not used again.
  std::chrono::milliseconds pool_age = std::chrono::seconds(4);
};

/// Limits that the transport keeps; zero means none. It uses the loop's clock.
struct TransferLimits {
  std::chrono::milliseconds connect = std::chrono::seconds(5);
  std::chrono::milliseconds first_byte = std::chrono::seconds(120);
  std::chrono::milliseconds stall = std::chrono::seconds(60);
};

enum class Method : std::uint8_t { get, post };

/// One request. The transport copies nothing: everything viewed stays valid until on_end or
/// cancel().
struct TransferRequest {
  std::shared_ptr<const Target> target = {};
  Method method = Method::post;
  /// One more header that holds the upstream key: a whole line such as "Authorization: Bearer ...",
  /// empty for none.
  const Secret* secret_header = nullptr;
  /// Further whole header lines ("Accept: text/event-stream"), validated bytes.
  std::span<const std::string_view> header_lines = {};
  /// The body in pieces. A re-send starts again at the first.
  std::span<const std::string_view> body = {};
  TransferLimits limits = {};
  /// Whether a request that was written on a reused connection, which then closed without one byte,
  /// may be written again.
  bool may_resend = false;
};

/// How a transfer ended, when it did not end well. The names are the words of the fault matrix.
enum class TransferFault : std::uint8_t {
  none,
  connect_failed,
  dns_failed,
  connect_timeout,
  tls_failed,
  address_blocked,
  first_byte_timeout,
  stall_timeout,
  /// The connection ended with no byte of an answer.
  closed_early,
  /// The connection ended inside the body, or before its declared length.
  cut,
  /// Bytes that are not HTTP, or a decompression failure.
  protocol,
  headers_too_large,
  body_too_large,
  out_of_memory,
  internal,
};

/// "net_connect_failed", "timeout_stall", ...: the `cause` of the call record; empty for none.
std::string_view name_of(TransferFault fault) noexcept;

struct TransferEnd {
  TransferFault fault = TransferFault::none;
  Sent sent = Sent::no;
  /// How often the request was written to a connection, begun writes included.
  int wire_copies = 0;
  /// A short plain sentence for people, without secrets; may be empty.
  std::string_view detail = {};
};

/// The head of an answer; views are valid inside on_head only. Names are lower case.
struct TransferHead {
  int status = 0;
  std::span<const std::pair<std::string_view, std::string_view>> headers = {};
};

enum class Flow : std::uint8_t { go, pause };

/// Who hears of a transfer. *Loop thread only.* on_head comes at most once, then on_body, and
/// on_end exactly once unless the transfer was cancelled; nothing comes from inside start(),
/// resume() or cancel().
class TransferSink {
 public:
  virtual ~TransferSink() = default;
  virtual void on_head(const TransferHead& head) = 0;
  /// `bytes` are decoded of chunking and compression. `pause` takes them and stops the flow until
  /// resume(); the stall limit stands still meanwhile.
  virtual Flow on_body(std::string_view bytes) = 0;
  virtual void on_end(const TransferEnd& end) = 0;
};

using TransferId = std::uint64_t;

/// Carries requests. *Loop thread only.* CurlTransport is the real one, testing::FakeTransport the
/// scripted one; both pass tests/contract.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Called once, before anything else, on the loop thread; the loop outlives the transport's last
  /// use.
  virtual void attach(Loop& loop) = 0;
  virtual TransferId start(const TransferRequest& request, TransferSink& sink) = 0;
  virtual void resume(TransferId id) = 0;
  /// Closes the connection of a running transfer at once; nothing more is heard of it. Unknown ids
  /// are ignored.
  virtual void cancel(TransferId id) = 0;
  /// Ends everything, without a word to any sink.
  virtual void close() = 0;
};

}  // namespace byway
