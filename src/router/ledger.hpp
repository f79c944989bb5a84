// Ledger: the quota of a router, and the thread that makes it durable.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <byway/clock.hpp>
#include <byway/quota_store.hpp>
#include <byway/result.hpp>

#include "policy/quota/quota.hpp"

namespace byway::router {

struct LedgerOptions {
  /// The store's path. Without one, limits live in this process alone and caps cannot be held.
  std::string store = {};
  std::shared_ptr<Clock> clock = Clock::system();
  /// On the ledger's thread, which it must not hold up or throw into.
  std::function<void(const QuotaAlert&)> on_alert = {};
  int alert_percent = 80;
};

/// A thread of its own ("byway-ledger") beside the one that administers: a re-wrap of ten thousand
/// keys must not keep calls from their quota. *Safe from any thread.* To be destroyed after all
/// calls.
class Ledger {
 public:
  /// Codes: those of the store; internal_error when the system gives no thread.
  static Result<std::unique_ptr<Ledger>> open(LedgerOptions options);
  Ledger(const Ledger&) = delete;
  virtual ~Ledger() = default;

  /// Opens it when there is no store and this is the first who asks. Codes: those of Quota::open.
  virtual Result<policy::Quota*> quota() = 0;
  /// The same when it is open, else null.
  virtual policy::Quota* open_quota() noexcept = 0;
  virtual const Clock& clock() const noexcept = 0;
  /// Why the last work failed; empty when it did not. It is tried again, and calls wait meanwhile.
  virtual std::string problem() const = 0;

 protected:
  Ledger() = default;
};

/// The name of a call in the ledger: its request id without the part that all have.
std::string_view label_of(std::string_view request_id) noexcept;

}  // namespace byway::router
