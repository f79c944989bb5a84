#include "router/catalog.hpp"

#include <algorithm>
#include <new>
#include <thread>
#include <utility>

#include "base/fork_guard.hpp"
#include "router/catalog_source.hpp"
#include "transport/event_loop.hpp"

namespace byway::router {
namespace {

thread_local const CatalogSource* noticing_source = nullptr;

}  // namespace

CatalogHealth CatalogSource::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

bool CatalogSource::is_noticing_here() const noexcept {
  return noticing_source == this;
}

void CatalogSource::tell(const std::vector<Error>& news) noexcept {
  if (!on_notice_) return;
  const CatalogSource* before = std::exchange(noticing_source, this);
  for (const Error& error : news) {
    if (is_silent_.load()) break;
    try {
      on_notice_(error);
    } catch (...) {
      // The application's function; nobody is here to tell.
    }
  }
  noticing_source = before;
}

std::vector<Error> CatalogSource::publish(LoadedEntries loaded) {
  cell_.publish(std::make_shared<const registry::Snapshot>(std::move(loaded.entries),
                                                           std::move(loaded.access)));
  std::vector<Error> news;
  const std::lock_guard lock(mutex_);
  health_.broken_endpoints.clear();
  std::vector<std::string> noticed;
  for (const BrokenKey& broken : loaded.broken) {
    health_.broken_endpoints.push_back(broken.slug);
    loaded.problems.push_back(about_endpoint(broken.slug, broken.error));
  }
  for (Error& error : loaded.problems) {
    noticed.push_back(error.message());
    const bool is_old =
        std::find(noticed_.begin(), noticed_.end(), error.message()) != noticed_.end();
    if (!is_old) news.push_back(std::move(error));
  }
  noticed_ = std::move(noticed);
  return news;
}

std::vector<Error> CatalogSource::report(const std::optional<Error>& problem) {
  const std::lock_guard lock(mutex_);
  const std::string message = problem ? problem->message() : std::string();
  if (message == health_.registry_problem) return {};
  health_.registry_problem = message;
  if (!problem) return {};
  return {*problem};
}

Error about_endpoint(std::string_view slug, const Error& error) {
  ErrorFields fields = error.fields();
  const std::string name = "byo:" + std::string(slug);
  fields.message = "endpoint " + name + ": " + fields.message;
  fields.endpoint = name;
  return Error(std::move(fields));
}

struct Catalog::State {
  /// Shared with whoever is inside poll() or run(), for on_notice may drop the catalog there.
  std::shared_ptr<CatalogSource> source;
  std::shared_ptr<Clock> clock;
  std::uint32_t fork_generation = base::fork_generation();
};

// A forked child has no threads to join and may not touch their locks; a thread cannot join itself.
void Catalog::Drop::operator()(State* state) const noexcept {
  if (state->fork_generation != base::fork_generation()) return;
  if (!state->source->is_noticing_here()) {
    delete state;
    return;
  }
  state->source->silence();
  std::thread([state] { delete state; }).detach();
}

Catalog::Catalog(std::unique_ptr<State, Drop> state) noexcept : state_(std::move(state)) {}
Catalog::~Catalog() = default;

Result<std::shared_ptr<Catalog>> Catalog::open(CatalogOptions options) try {
  if (options.store.empty() == options.registry.empty()) {
    return Error(ErrorCode::request_invalid, "give exactly one of store and registry");
  }
  auto source = options.store.empty() ? open_file_source(options) : open_store_source(options);
  if (!source) return source.error();
  std::unique_ptr<State, Drop> state(new State{*std::move(source), options.clock});
  return std::make_shared<Catalog>(std::move(state));
} catch (const std::bad_alloc&) {
  return Error(ErrorCode::internal_out_of_memory, "no memory is left for the registry");
}

const registry::SnapshotCell& Catalog::snapshots() const noexcept {
  return state_->source->snapshots();
}

CatalogHealth Catalog::health() const {
  return state_->source->health();
}

bool Catalog::is_read_only() const noexcept {
  return state_->source->is_read_only();
}

const Clock& Catalog::clock() const noexcept {
  return *state_->clock;
}

Result<void> Catalog::poll() {
  const std::shared_ptr<CatalogSource> source = state_->source;
  return source->poll();
}

Result<void> Catalog::run(const std::function<void(CatalogDesk&)>& task) try {
  if (transport::EventLoop::current() != nullptr) {
    return Error(ErrorCode::internal_would_block_loop,
                 "administration waits for the store, which a loop thread must not");
  }
  const std::shared_ptr<CatalogSource> source = state_->source;
  return source->run(task);
} catch (const std::bad_alloc&) {
  return Error(ErrorCode::internal_out_of_memory, "no memory is left for the change");
} catch (const ResultError& failure) {
  return failure.error();
}

}  // namespace byway::router
