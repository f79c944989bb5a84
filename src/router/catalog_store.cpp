// The catalog of a store.
#include <utility>

#include "base/request_id.hpp"
#include "router/catalog_access.hpp"
#include "router/catalog_audit.hpp"
#include "router/catalog_entries.hpp"
#include "router/catalog_keys.hpp"
#include "router/catalog_source.hpp"
#include "store/store_thread.hpp"

namespace byway::router {
namespace {

using store::AuditKey;
using store::RegistryStore;

class StoreSource final : public CatalogSource {
 public:
  StoreSource(const CatalogOptions& options, std::unique_ptr<CatalogKeys> keys)
      : CatalogSource(options),
        keys_(std::move(keys)),
        clock_(options.clock),
        entries_(options.waits_in_flight),
        access_(options.waits_in_flight),
        listener_(options.audit_listener) {}

  Result<void> start(RegistryStore store, std::chrono::milliseconds period) {
    if (Result<void> first = load(store); !first) return first;
    if (keys_problem_) return *keys_problem_;
    store::StoreThreadOptions options;
    options.period = period;
    options.periodic = [this](RegistryStore& opened) { look(opened); };
    auto thread = store::StoreThread::start(std::move(store), std::move(options));
    if (!thread) return thread.error();
    thread_ = *std::move(thread);
    return {};
  }

  Result<void> poll() override {
    return thread_->run([&](RegistryStore& store) { return refresh(store); });
  }

  Result<void> run(const std::function<void(CatalogDesk&)>& task) override {
    return thread_->run([&](RegistryStore& store) -> Result<void> {
      CatalogDesk desk{store, *keys_, *clock_};
      task(desk);
      look(store);
      return {};
    });
  }

  bool is_read_only() const noexcept override { return false; }

 private:
  /// A failure is for on_notice: nobody waits for this.
  void look(RegistryStore& store) noexcept {
    try {
      static_cast<void>(refresh(store));
    } catch (...) {
      // Out of memory; the next look tries again.
    }
  }

  Result<void> refresh(RegistryStore& store) {
    Result<void> done = refresh_quietly(store);
    tell(report(done ? std::nullopt : std::optional<Error>(done.error())));
    return done;
  }

  Result<void> refresh_quietly(RegistryStore& store) {
    auto revisions = store.revisions();
    if (!revisions) return revisions.error();
    if (*revisions != seen_) {
      if (Result<void> loaded = load(store); !loaded) return loaded;
    }
    if (keys_problem_) return *keys_problem_;
    return {};
  }

  Result<void> load(RegistryStore& store) {
    auto rows = store.load();
    if (!rows) return rows.error();
    if (rows->master_keys.empty()) {
      // The making of the store was cut short; this key is its first.
      auto finished = finish_making(store);
      if (!finished) return finished.error();
      rows = *std::move(finished);
    }
    // When another process has put a master key in place that is not here, everything but new keys
    // goes on working.
    Result<void> matched = keys_->match(rows->master_keys);
    keys_problem_ = matched ? std::nullopt : std::optional<Error>(matched.error());
    if (!matched && !thread_) return {};
    if (matched && rows->peppers.empty()) {
      auto peppered = add_pepper(store);
      if (!peppered) return peppered.error();
      rows = *std::move(peppered);
    }
    seen_ = rows->revisions;
    LoadedEntries loaded = entries_.load(*rows, keys_->vault());
    LoadedAccess access = access_.load(*rows, keys_->vault());
    loaded.access = std::move(access.records);
    loaded.problems = std::move(access.problems);
    if (!store.has_audit() && !loaded.access.peppers.empty()) {
      // Of the first pepper, so that a later one changes no signature.
      const AuditKey key = audit_key_of(*loaded.access.peppers.front());
      const bool is_new = rows->endpoints.empty() && rows->customer_keys.empty();
      Result<void> ready = store.prepare_audit(key, listener_, is_new);
      if (!ready) return ready;
    }
    tell(publish(std::move(loaded)));
    return {};
  }

  /// A store that is new, or of a version that had no customer keys, gets what they are hashed
  /// under. While its active master key is not here there is none, and no key can be made.
  Result<store::RegistryRows> add_pepper(RegistryStore& store) {
    vault::Vault& vault = keys_->vault();
    if (!vault.active_version()) return store.load();
    const auto id = base::make_ulid(clock_->wall_now());
    auto row = make_pepper(vault, 1, std::string(id.data(), id.size()));
    if (!row) return row.error();
    Result<void> done = store.transact([&]() -> Result<void> {
      auto rows = store.peppers();
      if (!rows) return rows.error();
      return rows->empty() ? store.insert_pepper(*row) : Result<void>();
    });
    // Another process has put another master key in place meanwhile; the next look tries again.
    if (!done && done.error().code() != ErrorCode::vault_kek_wrong) return done.error();
    return store.load();
  }

  Result<store::RegistryRows> finish_making(RegistryStore& store) {
    auto row = CatalogKeys::make_row(keys_->first(), store::MasterKeyState::active);
    if (!row) return row.error();
    Result<void> made = store.transact([&]() -> Result<void> {
      auto rows = store.master_keys();
      if (!rows) return rows.error();
      if (!rows->empty()) return {};
      auto version = store.insert_master_key(*row);
      if (!version) return version.error();
      return {};
    });
    if (!made) return made.error();
    return store.load();
  }

  std::unique_ptr<CatalogKeys> keys_;
  std::shared_ptr<Clock> clock_;
  CatalogEntries entries_;
  CatalogAccess access_;
  store::Revisions seen_;
  store::AuditListener listener_;
  std::optional<Error> keys_problem_;
  /// Last, so that it ends first.
  std::unique_ptr<store::StoreThread> thread_;
};

}  // namespace

Result<std::unique_ptr<CatalogSource>> open_store_source(const CatalogOptions& options) {
  auto store = RegistryStore::open(options.store);
  if (!store) return store.error();
  auto keys = CatalogKeys::load(options.store, options.master_key);
  if (!keys) return keys.error();
  auto source = std::make_unique<StoreSource>(options, *std::move(keys));
  Result<void> started = source->start(*std::move(store), options.period);
  if (!started) return started.error();
  return std::unique_ptr<CatalogSource>(std::move(source));
}

}  // namespace byway::router
