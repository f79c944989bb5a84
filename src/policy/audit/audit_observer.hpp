// AuditObserver: hands audit records to an application's sinks, on a thread of its own.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <variant>
#include <vector>

#include <byway/audit.hpp>
#include <byway/result.hpp>

namespace byway::policy {

struct AuditObserverCounts {
  /// Records and heads that were offered; each is delivered to every sink, waits, or is dropped.
  std::int64_t offered = 0;
  std::int64_t delivered = 0;
  std::int64_t queued = 0;
  std::int64_t dropped = 0;
  /// Times that a sink threw.
  std::int64_t failed = 0;
};

/// A bounded queue before a thread ("byway-audit") that calls the sinks. Offering never waits for a
/// sink: what does not fit is dropped and counted. All signals are blocked on the thread. *Safe
/// from any thread*, except destruction; in a forked child it does nothing.
class AuditObserver {
 public:
  static constexpr std::size_t queue_max = 8192;

  /// Code: internal_error when the system gives no thread.
  static Result<std::unique_ptr<AuditObserver>> start(std::vector<std::shared_ptr<AuditSink>> sinks,
                                                      std::size_t room = queue_max);
  AuditObserver(const AuditObserver&) = delete;
  AuditObserver& operator=(const AuditObserver&) = delete;
  /// Hands over what waits, then ends the thread.
  ~AuditObserver();

  /// Canonical bytes and the 32 bytes of the hash.
  void offer(std::int64_t seq, std::string_view bytes, std::string_view hash);
  void offer(const AuditHead& head);
  AuditObserverCounts counts() const;

 private:
  using Event = std::variant<AuditRecord, AuditHead>;
  struct State;
  struct Drop {
    void operator()(State* state) const noexcept;
  };
  explicit AuditObserver(std::unique_ptr<State, Drop> state) noexcept;

  std::unique_ptr<State, Drop> state_;
};

}  // namespace byway::policy
