// AuditObserver: hands audit records to an application's sinks, on a thread of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <byway/audit.hpp>
#include <byway/result.hpp>

#include "base/observer.hpp"

namespace byway::policy {

/// A queue before a thread ("byway-audit") that calls the sinks; each record and head counts once,
/// delivered when every sink was told. *Safe from any thread*; destruction and a forked child as
/// Observer has it.
class AuditObserver {
 public:
  static constexpr std::size_t queue_max = 8192;

  /// Code: internal_error when the system gives no thread.
  static Result<std::unique_ptr<AuditObserver>> start(std::vector<std::shared_ptr<AuditSink>> sinks,
                                                      std::size_t room = queue_max);
  AuditObserver(const AuditObserver&) = delete;
  AuditObserver& operator=(const AuditObserver&) = delete;

  /// Canonical bytes and the 32 bytes of the hash.
  void offer(std::int64_t seq, std::string_view bytes, std::string_view hash);
  void offer(const AuditHead& head);
  base::ObserverCounts counts() const { return observer_->counts(); }

 private:
  using Sinks = std::vector<std::shared_ptr<AuditSink>>;
  AuditObserver(Sinks sinks, std::unique_ptr<base::Observer> observer);

  std::shared_ptr<const Sinks> sinks_;
  std::unique_ptr<base::Observer> observer_;
};

}  // namespace byway::policy
