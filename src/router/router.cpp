#include <byway/router.hpp>

#include <string>
#include <utility>

#include "base/fork_guard.hpp"
#include "base/protected_memory.hpp"
#include "base/tail.hpp"
#include "router/admission.hpp"
#include "router/audit_desk.hpp"
#include "router/audit_policy.hpp"
#include "router/caller.hpp"
#include "router/catalog_audit.hpp"
#include "router/core.hpp"
#include "router/header_prefix.hpp"
#include "router/limit_policy.hpp"
#include "router/pending_call.hpp"
#include "router/stream_state.hpp"
#include "transport/curl_global.hpp"
#include "transport/curl_transport.hpp"

namespace byway {

Router::Router(std::shared_ptr<Core> core) noexcept : core_(std::move(core)) {}
Router::Router(const Router&) noexcept = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(const Router&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

namespace {

Result<void> open_audit(auto& core, const std::string& store) {
  const auto key = router::audit_key_of(core.catalog->snapshots().current()->access());
  if (store.empty() || !key) return {};
  auto desk = router::AuditDesk::open({.store = store,
                                       .key = *key,
                                       .listener = router::listener_of(core.audit_observer.get()),
                                       .clock = core.clock});
  if (!desk) return desk.error();
  core.audit = *std::move(desk);
  return {};
}

Result<void> check_options(const RouterOptions& options) {
  if (options.store.empty() == options.registry.empty()) {
    return Error(
        ErrorCode::request_invalid,
        "give exactly one of store (a file made by byway init) and registry (a TOML file)");
  }
  if (options.alert_percent < 1 || options.alert_percent > 100) {
    return Error(ErrorCode::request_invalid, "alert_percent is " +
                                                 std::to_string(options.alert_percent) +
                                                 ": give a share of the limit, 1 to 100");
  }
  return router::check_header_prefix(options.header_prefix);
}

/// The application's own functions that hear of the log and of caps, each on its thread.
Result<void> start_observers(auto& core, const RouterOptions& options) {
  constexpr std::size_t alerts_waiting_max = 1024;
  if (options.store.empty()) return {};
  if (!options.audit_sinks.empty()) {
    auto observer = policy::AuditObserver::start(options.audit_sinks);
    if (!observer) return observer.error();
    core.audit_observer = *std::move(observer);
  }
  if (options.on_alert) {
    auto observer = base::Observer::start("byway-alerts", alerts_waiting_max);
    if (!observer) return observer.error();
    core.alert_observer = *std::move(observer);
  }
  return {};
}

Result<void> open_ledger(auto& core, const RouterOptions& options) {
  router::LedgerOptions wanted{
      .store = options.store, .clock = core.clock, .alert_percent = options.alert_percent};
  if (base::Observer* observer = core.alert_observer.get()) {
    // Shared, since a copy of the application's function may throw or cost what it likes.
    const auto tell = std::make_shared<const decltype(options.on_alert)>(options.on_alert);
    wanted.on_alert = [observer, tell](const QuotaAlert& alert) {
      observer->offer([tell, alert] { return base::throws([&] { (*tell)(alert); }); });
    };
  }
  auto ledger = router::Ledger::open(std::move(wanted));
  if (!ledger) return ledger.error();
  core.ledger = *std::move(ledger);
  return {};
}

AuditHealth health_of(const router::AuditDesk* desk, const policy::AuditObserver* observer) {
  AuditHealth health;
  if (desk != nullptr) {
    const policy::AuditCounts counts = desk->log().counts();
    health = {.accepted = counts.accepted,
              .durable = counts.durable,
              .queued = counts.queued,
              .dropped = counts.dropped,
              .problem = counts.problem};
  }
  if (observer != nullptr) {
    const base::ObserverCounts counts = observer->counts();
    health.sink_drops = counts.dropped;
    health.sink_failures = counts.failed;
  }
  return health;
}

}  // namespace

Result<Router> Router::open(RouterOptions options) {
  if (Result<void> good = check_options(options); !good) return good.error();
  // libcurl first: whoever initialises it first decides where its memory comes from.
  if (auto ready = transport::initialise_curl(); !ready) return ready.error();
  std::shared_ptr<Core> core(new Core(), &Core::destroy);
  core->clock = options.clock ? options.clock : Clock::system();
  core->fork_generation = base::fork_generation();
  auto loop = transport::EventLoop::start(core->clock);
  if (!loop) return loop.error();
  core->loop = *std::move(loop);
  if (options.transport) {
    core->transport = options.transport;
  } else {
    auto curl = transport::CurlTransport::create();
    if (!curl) return curl.error();
    core->transport = *std::move(curl);
  }
  core->loop->post(
      [transport = core->transport, loop = core->loop.get()] { transport->attach(*loop); });
  if (Result<void> started = start_observers(*core, options); !started) return started.error();
  auto catalog =
      router::Catalog::open({.store = options.store,
                             .registry = options.registry,
                             .master_key = options.master_key,
                             .on_notice = options.on_notice,
                             .clock = core->clock,
                             .waits_in_flight = options.on_limit == OnLimit::wait,
                             .audit_listener = router::listener_of(core->audit_observer.get())});
  if (!catalog) return catalog.error();
  core->catalog = *std::move(catalog);
  if (Result<void> opened = open_audit(*core, options.store); !opened) return opened.error();
  if (Result<void> opened = open_ledger(*core, options); !opened) return opened.error();
  // The order of enforcement: limits and caps, the application's own, the audit log.
  std::vector<Policy> policies = {router::LimitPolicy(*core->ledger)};
  policies.insert(policies.end(), options.policies.begin(), options.policies.end());
  if (!options.store.empty()) policies.emplace_back(router::AuditPolicy(core->audit.get()));
  core->chain = std::make_shared<const router::Chain>(std::move(policies));
  core->options = std::move(options);
  return Router(std::move(core));
}

Pending<Response> Router::call(const Request& request) {
  std::byte* states = nullptr;
  auto call = base::make_shared_with_tail<router::PendingCall>(core_->chain->state_bytes(), states);
  call->submit(*core_, request, states);
  return Pending<Response>(std::move(call));
}

Stream Router::stream(const Request& request) {
  std::byte* states = nullptr;
  auto state = base::make_shared_with_tail<Stream::State>(core_->chain->state_bytes(), states);
  state->submit(*core_, request, states);
  return Stream(std::move(state));
}

Health Router::health() const {
  const base::ProtectionStatus memory = base::protection_status();
  const router::CatalogHealth catalog = core_->catalog->health();
  base::ObserverCounts alerts;
  if (core_->alert_observer) alerts = core_->alert_observer->counts();
  return Health{.curl_memory_protected = transport::is_curl_memory_protected(),
                .keys_excluded_from_dumps = memory.dump_excluded,
                .keys_locked = memory.locked,
                .broken_endpoints = catalog.broken_endpoints,
                .ledger_problem = core_->ledger->problem(),
                .registry_problem = catalog.registry_problem,
                .calls_in_flight = core_->calls_in_flight.load(),
                .slow_completions = core_->slow_completions.load(),
                .audit = health_of(core_->audit.get(), core_->audit_observer.get()),
                .alert_drops = alerts.dropped,
                .alert_failures = alerts.failed};
}

Result<Admin> Router::admin(AdminOptions options) const {
  const auto snapshot = core_->catalog->snapshots().current();
  auto record =
      router::check_customer_key(snapshot->access(), options.key, core_->clock->wall_now());
  if (!record) return record.error();
  return Admin(core_->catalog, (*record)->key.org, (*record)->key.id);
}

Admin Router::admin_as_owner() const {
  return Admin(core_->catalog, core_->options.org);
}

void Router::close(std::chrono::milliseconds deadline) {
  core_->close(deadline);
}

}  // namespace byway
