// Catalog: the registry as it is now, from a store or a registry file, kept up to date.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <byway/clock.hpp>
#include <byway/result.hpp>
#include <byway/vault.hpp>

#include "registry/snapshot.hpp"
#include "store/audit_chain.hpp"

namespace byway::store {
class RegistryStore;
}

namespace byway::router {

class CatalogKeys;

struct CatalogOptions {
  /// Exactly one of the two.
  std::string store = {};
  std::string registry = {};
  /// By default BYWAY_MASTER_KEY, then "<store>.key". A registry file needs one only for keys that
  /// are sealed.
  KeySource master_key = {};
  /// Hears of a file that would not load and of keys that do not open, on a library thread or the
  /// one that opens or polls.
  std::function<void(const Error&)> on_notice = {};
  std::shared_ptr<Clock> clock = Clock::system();
  /// A call stands in line for an in-flight share and is not refused.
  bool waits_in_flight = false;
  /// Hears of the audit records of administrative changes, on the store thread.
  store::AuditListener audit_listener = {};
  /// How often it looks for changes by others, in the system's time.
  std::chrono::milliseconds period = std::chrono::milliseconds(250);
};

struct CatalogHealth {
  /// Slugs of endpoints whose key does not open, or whose settings this version cannot read.
  std::vector<std::string> broken_endpoints = {};
  /// Why the last look for changes failed; empty when it did not.
  std::string registry_problem = {};
};

/// What administration works with, on the store thread.
struct CatalogDesk {
  store::RegistryStore& store;
  CatalogKeys& keys;
  const Clock& clock;
};

/// *Safe from any thread*, loop threads excepted where a verb says that it waits. Dropped on its
/// own thread (inside on_notice), the join is left to another.
class Catalog {
 public:
  /// Opens and loads; the snapshot is there when this returns. A wrong master key is found here.
  /// Codes: those of Router::open.
  static Result<std::shared_ptr<Catalog>> open(CatalogOptions options);

  const registry::SnapshotCell& snapshots() const noexcept;
  CatalogHealth health() const;
  bool is_read_only() const noexcept;
  const Clock& clock() const noexcept;

  /// Looks for changes by others now, and waits for it. Codes: those of the store, or of the
  /// registry file; the old snapshot stays then.
  Result<void> poll();

  /// Runs `task(CatalogDesk&) -> Result<T>` on the store thread and waits; whether it succeeds or
  /// not, what changed is in the snapshot before this returns. Codes: registry_read_only,
  /// internal_would_block_loop, internal_closed, internal_used_after_fork, and the task's own.
  template <class Fn>
  std::invoke_result_t<Fn&, CatalogDesk&> change(Fn task) {
    std::optional<std::invoke_result_t<Fn&, CatalogDesk&>> result;
    Result<void> ran = run([&](CatalogDesk& desk) { result.emplace(task(desk)); });
    if (!ran) return ran.error();
    return std::move(*result);
  }

  struct State;
  struct Drop {
    void operator()(State* state) const noexcept;
  };
  explicit Catalog(std::unique_ptr<State, Drop> state) noexcept;
  Catalog(const Catalog&) = delete;
  ~Catalog();

 private:
  Result<void> run(const std::function<void(CatalogDesk&)>& task);

  std::unique_ptr<State, Drop> state_;
};

}  // namespace byway::router
