// CurlPool: connections that may be shared, in one libcurl multi handle driven by the event loop.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <vector>

#include "transport/event_loop.hpp"

namespace byway::transport {

class CurlTransfer;

/// One CURLM per pool key (origin, key generation, TLS settings, proxy), so that a connection is
/// never used across them: libcurl has matched connections wrongly more than once (CVE-2023-27535
/// and kin). *Loop thread only.*
class CurlPool final : private Timer, private SocketWatcher {
 public:
  explicit CurlPool(EventLoop& loop);
  ~CurlPool();
  CurlPool(const CurlPool&) = delete;

  bool is_usable() const noexcept { return multi_ != nullptr && share_ != nullptr; }
  EventLoop& loop() noexcept { return loop_; }
  CURLSH* share() noexcept { return share_; }

  /// Adds a transfer; it begins in drive(). False when libcurl refuses.
  bool add(CurlTransfer& transfer);
  /// Takes a transfer out at once, or after the callback of libcurl that is running. An unfinished
  /// one loses its connection.
  void remove(CurlTransfer& transfer);
  /// Takes a transfer out now. Not from inside a callback.
  void take_out(CurlTransfer& transfer);
  /// Has `transfer` go on in the next drive(): libcurl would deliver from inside the call that
  /// resumes.
  void resume(CurlTransfer& transfer);

  /// Whether drive() has something to do.
  bool is_due() const noexcept { return is_kicked_ || !removals_.empty() || !resumptions_.empty(); }
  /// Lets libcurl work and hands out what has ended. Not from inside a callback.
  void drive();

  /// Whether libcurl is on the stack.
  bool is_inside() const noexcept { return depth_ > 0; }

  /// For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION: sockets of ours are forgotten
  /// before they close.
  curl_socket_t open_socket(const curl_sockaddr& address);
  int close_socket(curl_socket_t fd);

  /// Whether the peer has closed its side of the connection with this local port. libcurl names a
  /// connection in use only by that.
  bool is_closed_by_peer(int local_port) noexcept;

 private:
  void on_timer() noexcept override;
  void on_socket(int fd, std::uint32_t events) noexcept override;
  void act(curl_socket_t fd, int mask);
  void reap();
  static int socket_callback(CURL* easy, curl_socket_t fd, int what, void* self, void* ours);
  static int timer_callback(CURLM* multi, long timeout_ms, void* self);

  EventLoop& loop_;
  CURLM* multi_;
  CURLSH* share_;
  int depth_ = 0;
  bool is_kicked_ = false;
  std::vector<CurlTransfer*> removals_;
  std::vector<CurlTransfer*> resumptions_;
  /// By descriptor: opened by open_socket(), so that we hear of its close.
  struct Socket {
    bool is_ours = false;
    /// 0 until somebody asked for it.
    int local_port = 0;
  };
  std::vector<Socket> sockets_;
};

}  // namespace byway::transport
