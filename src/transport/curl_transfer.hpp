// CurlTransfer: one libcurl easy handle, set up for one target and used again and again.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <byway/transport.hpp>

#include "transport/curl_pool.hpp"
#include "transport/response_head.hpp"
#include "transport/trust_store.hpp"

namespace byway::transport {

class CurlTransfer;

/// What the handles of one target share. Lives as long as any of them.
struct PreparedTarget {
  std::shared_ptr<const Target> target;
  std::shared_ptr<CurlPool> pool;
  std::shared_ptr<const TrustStore> trust;
  std::unique_ptr<CURLU, void (*)(CURLU*)> url{nullptr, curl_url_cleanup};
  bool is_tls = false;
  std::vector<CurlTransfer*> idle;
  std::size_t busy = 0;
};

/// Who owns transfers and takes them back.
class TransferOwner {
 public:
  virtual void take_back(CurlTransfer& transfer) noexcept = 0;

 protected:
  ~TransferOwner() = default;
};

/// *Loop thread only.*
class CurlTransfer final : private Timer {
 public:
  CurlTransfer(PreparedTarget& prepared, TransferOwner& owner, TransferId slot);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;

  bool is_usable() const noexcept { return is_usable_; }
  CURL* easy() const noexcept { return easy_; }
  PreparedTarget& prepared() const noexcept { return prepared_; }
  TransferId slot() const noexcept { return slot_; }
  /// The id of the request under way: slot and a count of uses.
  TransferId id() const noexcept { return (uses_ << 32) | slot_; }
  bool is_running() const noexcept { return sink_ != nullptr; }

  /// Everything viewed by `request` stays valid until on_end or cancel(). False when libcurl
  /// refuses an option.
  bool start(const TransferRequest& request, TransferSink& sink);
  void resume();
  void cancel();

  /// From the pool: libcurl is done with it.
  void on_finished(CURLcode code);
  /// From the pool: it was taken out before its end.
  void on_removed();

 private:
  enum class Phase : std::uint8_t { connecting, waiting, receiving };

  bool set_once();
  bool set_tls();
  bool set_request(const TransferRequest& request);
  bool set_fresh(bool is_fresh);
  bool set_read_size();
  bool begin_afresh();
  bool set_body(std::span<const std::string_view> pieces);
  bool link_headers(const TransferRequest& request);
  void release_secret() noexcept;
  void on_timer() noexcept override;
  void limit(std::chrono::milliseconds limit);
  void fail(TransferFault fault);
  void end(TransferFault fault, std::string_view detail);
  TransferFault fault_of(CURLcode code) const noexcept;
  Sent sent() const noexcept;
  bool has_sent_body() const noexcept;
  bool deliver_head();

  static std::size_t on_header_line(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body_bytes(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static int on_request_begins(void* self, char* peer, char* local, int peer_port, int local_port);
  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_close_socket(void* pool, curl_socket_t fd);
  static CURLcode on_tls_context(CURL* easy, void* tls_context, void* self);

  PreparedTarget& prepared_;
  TransferOwner& owner_;
  TransferId slot_;
  TransferId uses_ = 0;
  CURL* easy_;
  bool is_usable_ = false;

  TransferSink* sink_ = nullptr;
  TransferLimits limits_;
  TimePoint last_byte_;
  Phase phase_ = Phase::connecting;
  TransferFault own_fault_ = TransferFault::none;
  bool may_resend_ = false;
  bool is_cancelled_ = false;
  bool is_paused_ = false;
  bool is_held_ = false;
  /// The pooled connection was found closed before a byte was written.
  bool is_stale_ = false;
  /// This transfer takes no pooled connection.
  bool is_fresh_ = false;
  int wire_copies_ = 0;
  std::size_t read_bytes_ = 0;
  /// Body bytes of the turn of last_byte_, and the most of any turn of this use.
  std::size_t bytes_at_once_ = 0;
  std::size_t bytes_at_once_max_ = 0;
  ResponseHead head_;

  std::string flat_body_;
  std::span<const std::string_view> pieces_;
  std::size_t piece_ = 0;
  std::size_t piece_offset_ = 0;

  std::string header_text_;
  char* secret_line_ = nullptr;
  std::vector<curl_slist> header_nodes_;
};

}  // namespace byway::transport
