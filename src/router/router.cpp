#include <byway/router.hpp>

#include <utility>

#include "base/fork_guard.hpp"
#include "router/admission.hpp"
#include "router/core.hpp"
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

Result<Router> Router::open(RouterOptions options) {
  if (options.store.empty() == options.registry.empty()) {
    return Error(
        ErrorCode::request_invalid,
        "give exactly one of store (a file made by byway init) and registry (a TOML file)");
  }
  // libcurl first: whoever initialises it first decides where its memory comes from.
  if (auto ready = transport::initialise_curl(); !ready) return ready.error();
  std::shared_ptr<Core> core(new Core(), &Core::destroy);
  core->clock = options.clock ? options.clock : Clock::system();
  core->fork_generation = base::fork_generation();
  auto loop = transport::EventLoop::start(core->clock);
  if (!loop) return Core::discard(std::move(core), loop.error());
  core->loop = *std::move(loop);
  if (options.transport) {
    core->transport = options.transport;
  } else {
    auto curl = transport::CurlTransport::create();
    if (!curl) return Core::discard(std::move(core), curl.error());
    core->transport = *std::move(curl);
  }
  core->loop->post(
      [transport = core->transport, loop = core->loop.get()] { transport->attach(*loop); });
  auto catalog = router::Catalog::open(catalog_options(options));
  if (!catalog) return Core::discard(std::move(core), catalog.error());
  core->catalog = *std::move(catalog);
  core->options = std::move(options);
  return Router(std::move(core));
}

Pending<Response> Router::call(const Request& request) {
  auto call = std::make_shared<router::PendingCall>();
  call->submit(*core_, request);
  return Pending<Response>(std::move(call));
}

Stream Router::stream(const Request& request) {
  auto state = std::make_shared<Stream::State>();
  state->submit(*core_, request);
  return Stream(std::move(state));
}

Admin Router::admin_as_owner() const {
  return Admin(core_->catalog, core_->options.org);
}

void Router::close(std::chrono::milliseconds deadline) {
  core_->close(deadline);
}

}  // namespace byway
