// Router: the face of Byway. Opens a store or a registry file, makes calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/admin.hpp>
#include <byway/audit.hpp>
#include <byway/capability_record.hpp>
#include <byway/clock.hpp>
#include <byway/metadata_headers.hpp>
#include <byway/pending.hpp>
#include <byway/policy.hpp>
#include <byway/quota_alert.hpp>
#include <byway/request.hpp>
#include <byway/response.hpp>
#include <byway/result.hpp>
#include <byway/stream.hpp>
#include <byway/transport.hpp>
#include <byway/vault.hpp>

namespace byway {

/// What a call does at an in-flight limit that is reached: it is refused (rate_limit_exceeded), or
/// stands in line until its deadline, first come first served.
enum class OnLimit : std::uint8_t { reject, wait };

/// How to open a router. Precedence of what can be said twice: call, endpoint, these options,
/// default.
struct RouterOptions {
  /// The SQLite store made by `byway init`. Exactly one of `store` and `registry` is given.
  std::string store = {};
  /// A TOML file as the read-only registry, reloaded when it changes.
  std::string registry = {};
  /// Where the master key comes from; by default BYWAY_MASTER_KEY, then `<store>.key`.
  KeySource master_key = {};
  /// The org of calls without a customer key, and of admin_as_owner(). A key brings its own.
  std::string org = "local";
  /// Whether every call must present a customer key. A key that is given is always checked.
  bool require_key = true;
  /// Bytes of a request body at most; more is request_too_large. Default 32 MiB.
  std::size_t request_bytes_max = std::size_t{32} << 20;
  /// Decoded bytes of a whole reply at most. Default 32 MiB.
  std::size_t reply_bytes_max = std::size_t{32} << 20;
  /// Bytes of one streamed event at most; more ends the stream as a protocol_error. Default 8 MiB.
  std::size_t event_bytes_max = std::size_t{8} << 20;
  /// Bytes of unread events per stream before the upstream is held back. Default 256 KiB.
  std::size_t stream_buffer_bytes = std::size_t{256} << 10;
  Timeouts timeouts = {};
  /// With which headers begin that tell of a call (headers_of): `x-`, a name and `-`, an HTTP token
  /// of at most 64 bytes without capitals. A caller's headers that begin with it, or with x-byway-,
  /// are never sent upstream, and a server's are not in Response::header; so take a name that no
  /// server uses.
  std::string header_prefix = std::string(default_header_prefix);
  /// Rates and caps always refuse.
  OnLimit on_limit = OnLimit::reject;
  /// The application's own rules, in the order in which they are asked: after the limits and caps.
  std::vector<Policy> policies = {};
  /// Gives the short-lived token (Entra, Vertex, OAuth) of an endpoint that has no upstream key; an
  /// empty Secret is none. Sent as `Authorization: Bearer`. Asked for each attempt, so the
  /// application keeps what is still good; `is_refused` says that the server answered 401 to the
  /// last one, and the call is then made once more with what this gives, whatever its `attempts`.
  /// Called on a library thread; must not block for long. A failure is the call's.
  std::function<Result<Secret>(std::string_view slug, bool is_refused)> token = {};
  /// Hears of what no caller can be told: a registry file that would not load, a record that does
  /// not open. Called on a library thread; must not block, and is heard no more once the last
  /// router is gone. Nothing else is ever printed.
  std::function<void(const Error&)> on_notice = {};
  /// Hears that `alert_percent` of a day's or month's cap is used; see QuotaAlert. Called on a
  /// library thread of its own: it may be slow, and it may throw; no call waits for it. What does
  /// not fit into the bounded queue before it is counted in Health. Dropping the last Router waits
  /// for it: what is in the queue is still told for at most 2 s, the rest is lost, and the call
  /// that has begun must return (so it never waits for the thread that drops). Nothing is heard
  /// afterwards. Of a store only.
  std::function<void(const QuotaAlert&)> on_alert = {};
  /// 1 to 100, of the limit, rounded up to a whole unit; else request_invalid.
  int alert_percent = 80;
  /// Hear of audit records and of signed heads; see AuditSink. Dropping the last Router waits for
  /// them as for on_alert. Of a store only.
  std::vector<std::shared_ptr<AuditSink>> audit_sinks = {};
  /// A test's own transport and clock; by default libcurl and the system's.
  std::shared_ptr<Transport> transport = {};
  std::shared_ptr<Clock> clock = {};
};

/// Exact while no call begins or ends: accepted = durable + queued + dropped.
struct AuditHealth {
  /// Records of this process's calls.
  std::int64_t accepted = 0;
  std::int64_t durable = 0;
  /// Safe from kill -9; durable within 50 ms.
  std::int64_t queued = 0;
  /// Refusals that found no room; the log tells of them as a gap.
  std::int64_t dropped = 0;
  /// Why calls are refused with policy_audit_unavailable; empty while all is well.
  std::string problem = {};
  /// Records and heads that sinks were too slow for, and times that a sink threw.
  std::int64_t sink_drops = 0;
  std::int64_t sink_failures = 0;
};

/// How a router is doing.
struct Health {
  /// Byway initialised libcurl first, so that keys inside libcurl's memory are wiped and left out
  /// of core dumps.
  bool curl_memory_protected = false;
  /// Pages that hold keys are left out of core dumps, and locked into memory.
  bool keys_excluded_from_dumps = false;
  bool keys_locked = false;
  /// Endpoints whose sealed key does not open.
  std::vector<std::string> broken_endpoints = {};
  /// Why quota could not be made durable lately; empty when it could. Calls that need it wait.
  std::string ledger_problem = {};
  /// Why the last reload of the registry failed; empty when it did not.
  std::string registry_problem = {};
  std::int64_t calls_in_flight = 0;
  /// Completions and hooks that held a loop thread for more than 50 ms.
  std::int64_t slow_completions = 0;
  AuditHealth audit = {};
  /// Alerts that on_alert was too slow for, and times that it threw.
  std::int64_t alert_drops = 0;
  std::int64_t alert_failures = 0;
};

/// A model of an alias that would be passed over, and the rule that says so. Models that the
/// customer key may not name are not told of.
struct DroppedCandidate {
  std::string model = {};
  Error reason;
};

/// A limit that a call would be held to, and what is left of it: of a rate what fits now, of a cap
/// what its window still holds.
struct LimitLeft {
  /// "key", "org" or "endpoint".
  std::string owner = {};
  /// The field that sets it: "rpm", "tpm", "in_flight", "cap_day", "cap_month",
  /// "cap_tokens_day", "cap_tokens_month", "cap_money_month".
  std::string name = {};
  std::int64_t limit = 0;
  std::int64_t left = 0;
};

/// Who administers.
struct AdminOptions {
  /// A customer key, whose role and org decide what may be done.
  std::string_view key = {};
};

/// What `explain` says of a call that is not made.
struct Explanation {
  std::string provider = {};
  std::string endpoint_id = {};
  std::string upstream_model = {};
  std::string url = {};
  std::string dialect = {};
  std::uint64_t key_generation = 0;
  Timeouts timeouts = {};
  /// What probes have learned of the endpoint; absent for nothing. It never refuses a call.
  std::optional<CapabilityRecord> capabilities = {};
  /// The customer key's bare id; empty for the owner.
  std::string key_id = {};
  std::string org = {};
  /// The alias that was named; empty without.
  std::string alias = {};
  std::vector<DroppedCandidate> dropped = {};
  /// In the order in which they are enforced, the endpoint's last.
  std::vector<LimitLeft> limits = {};
  /// Absent when the call would be sent.
  std::optional<Error> refusal = {};
};

/// A handle: copies are cheap and share everything. *Safe from any thread.* The last copy cancels
/// what is in flight and joins the library's threads; dropped on a library thread, the join is left
/// to another thread. A forked child gets internal_used_after_fork.
class Router {
 public:
  /// Opens the store or registry and starts the threads.
  /// Codes: store_not_found, store_schema_newer, store_io_error, store_corrupt, vault_kek_wrong,
  /// vault_no_key, vault_file_permissions, vault_key_format, registry_invalid_file, request_invalid
  /// (both or neither of store and registry; alert_percent), request_header_invalid
  /// (header_prefix).
  static Result<Router> open(RouterOptions options);

  /// Makes one call. Never blocks and never throws; a refusal comes through the Pending like every
  /// other result. Codes: those of error_codes.def from request_ to upstream_error; see
  /// docs/guide/errors.md.
  Pending<Response> call(const Request& request);

  /// The same, streamed: `"stream": true` is sent. chat, completions and responses only.
  Stream stream(const Request& request);

  /// What a call with this model and key would do; sends nothing and uses no quota. May wait up to
  /// half a second for counts to be read from the store.
  Explanation explain(const Request& request) const;

  /// Administration as the holder of a customer key, in the key's org. Every method checks the key
  /// again: a revocation binds handles that are out. Code: invalid_api_key.
  Result<Admin> admin(AdminOptions options) const;

  /// Administration as the built-in owner of the org: for programs of one user.
  Admin admin_as_owner() const;

  Health health() const;

  /// Refuses new calls (internal_closed), waits up to `deadline` for those in flight, then cancels
  /// the rest.
  void close(std::chrono::milliseconds deadline = std::chrono::seconds(10));

  struct Core;
  explicit Router(std::shared_ptr<Core> core) noexcept;  // made by open
  Router(const Router&) noexcept;
  Router(Router&&) noexcept;
  Router& operator=(const Router&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace byway
