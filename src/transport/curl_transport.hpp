// CurlTransport: the transport over libcurl's own HTTP.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <byway/transport.hpp>

#include "transport/curl_transfer.hpp"

namespace byway::transport {

/// The reference transport: HTTP/1.1 by libcurl, plain and TLS. *Loop thread only.*
class CurlTransport final : public Transport, public TurnEnd, public TransferOwner {
 public:
  /// Initialises libcurl. Codes: internal_error.
  static Result<std::unique_ptr<CurlTransport>> create();
  ~CurlTransport() override;

  /// `loop` must be an EventLoop.
  void attach(Loop& loop) override;
  TransferId start(const TransferRequest& request, TransferSink& sink) override;
  void resume(TransferId id) override;
  void cancel(TransferId id) override;
  void close() override;

 private:
  CurlTransport() = default;
  PreparedTarget* prepare(const std::shared_ptr<const Target>& target);
  std::shared_ptr<CurlPool> pool_of(const std::string& key);
  CurlTransfer* transfer_for(PreparedTarget& prepared);
  CurlTransfer* running(TransferId id) noexcept;
  void refuse(TransferSink& sink, TransferFault fault);
  void free_idle(PreparedTarget& prepared, std::size_t kept);
  void sweep();
  bool on_turn_end() noexcept override;
  void take_back(CurlTransfer& transfer) noexcept override;

  EventLoop* loop_ = nullptr;
  std::unordered_map<std::string, std::shared_ptr<CurlPool>> pools_;
  std::unordered_map<const Target*, std::unique_ptr<PreparedTarget>> targets_;
  std::vector<std::unique_ptr<CurlTransfer>> slots_;
  std::vector<TransferId> free_slots_;
  std::vector<std::shared_ptr<CurlPool>> driven_;
  bool needs_sweep_ = false;
};

}  // namespace byway::transport
