// Router::Core: what all copies of a Router share: catalog, loop, transport and the calls in
// flight.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include <byway/router.hpp>

#include "base/observer.hpp"
#include "router/audit_desk.hpp"
#include "router/catalog.hpp"
#include "router/chain.hpp"
#include "router/ledger.hpp"
#include "router/opened_keys.hpp"
#include "transport/event_loop.hpp"

namespace byway {

namespace router {
class Call;
}

struct Router::Core {
  RouterOptions options;
  std::shared_ptr<Clock> clock;
  /// Told by catalog and audit, so it ends after them; null without sinks.
  std::unique_ptr<policy::AuditObserver> audit_observer;
  /// Told by the ledger, so it ends after it; null without on_alert.
  std::unique_ptr<base::Observer> alert_observer;
  std::shared_ptr<router::Catalog> catalog;
  std::unique_ptr<router::Ledger> ledger;
  /// Null when the registry is a file, and when the vault has no key to sign with.
  std::unique_ptr<router::AuditDesk> audit;
  /// Calls outlive the router, and their states are their policies'.
  std::shared_ptr<const router::Chain> chain;
  /// Calls outlive the router, so they share the loop; its thread ends with the router all the
  /// same.
  std::shared_ptr<transport::EventLoop> loop;
  std::shared_ptr<Transport> transport;
  std::uint32_t fork_generation = 0;

  std::atomic<bool> is_closed{false};
  /// From before a call looks at is_closed until it has ended.
  std::atomic<std::int64_t> calls_in_flight{0};
  std::atomic<std::int64_t> slow_completions{0};

  /// Calls between submission and their end, an intrusive list. Loop thread only.
  router::Call* first_call = nullptr;
  router::OpenedKeys opened_keys;
  /// Calls that arrive from now on end at once. Loop thread only.
  bool is_transport_closed = false;

  /// Refuses new calls, lets those in flight end until `deadline`, then cancels them and ends the
  /// threads.
  void close(std::chrono::milliseconds deadline);
  /// Joins and frees; on a library thread that is left to a thread of its own, in a forked child
  /// nothing is touched.
  static void destroy(Core* core) noexcept;

 private:
  void cancel_all();

  std::mutex close_mutex;
  bool is_stopped = false;
};

}  // namespace byway
