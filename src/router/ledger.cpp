#include "router/ledger.hpp"

#include <stdlib.h>

#include <filesystem>
#include <utility>

#include "router/work_thread.hpp"
#include "store/sqlite_quota.hpp"

namespace byway::router {
namespace {

using std::chrono::nanoseconds;

/// After a failure, so that a dead disk is not hammered.
constexpr std::chrono::milliseconds pause_after_failure(100);

/// Rates and in-flight shares need nothing durable, and caps are refused before they come here.
class NothingDurable final : public QuotaStore {
 public:
  Result<std::int64_t> extend(const QuotaWindow&, std::int64_t, std::int64_t) override {
    return Error(ErrorCode::registry_needs_store, "a cap needs a store");
  }
  Result<void> give_back(const QuotaWindow&, std::int64_t) override { return {}; }
  Result<void> settle(std::span<const QuotaUse>, std::span<const QuotaDoubt>) override {
    return {};
  }
};

/// A folder of this process alone, for the mapping of a router without a store.
class OwnFolder {
 public:
  OwnFolder() = default;
  OwnFolder(const OwnFolder&) = delete;
  ~OwnFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Result<std::string> make() {
    std::error_code failure;
    std::string name = (std::filesystem::temp_directory_path(failure) / "byway-XXXXXX").string();
    if (failure || ::mkdtemp(name.data()) == nullptr) {
      return Error(ErrorCode::store_io_error,
                   "no folder could be made for the limits of a registry without a store");
    }
    path_ = name;
    return name;
  }

 private:
  std::string path_;
};

class OpenLedger final : public Ledger {
 public:
  explicit OpenLedger(LedgerOptions options) : options_(std::move(options)) {}

  ~OpenLedger() override {
    thread_.reset();
    awake_.store(nullptr);
    // What this fails to write down stays charged.
    if (quota_) static_cast<void>(quota_->close(*store_));
  }

  Result<void> start() {
    policy::QuotaOptions wanted;
    wanted.store = options_.store;
    wanted.clock = options_.clock;
    wanted.on_alert = options_.on_alert;
    wanted.alert_percent = options_.alert_percent;
    wanted.wake = [this] { wake(); };
    if (options_.store.empty()) {
      auto folder = folder_.make();
      if (!folder) return folder.error();
      wanted.store = *folder + "/limits";
      wanted.sizes = {.slots = 1024, .owners = 16, .entries = 512};
      store_ = std::make_unique<NothingDurable>();
    } else {
      auto store = store::SqliteQuota::open(options_.store);
      if (!store) return store.error();
      store_ = *std::move(store);
    }
    auto quota = policy::Quota::open(std::move(wanted));
    if (!quota) return quota.error();
    quota_ = *std::move(quota);
    auto thread = WorkThread::start("byway-ledger", [this] { return work(); });
    if (!thread) return thread.error();
    thread_ = *std::move(thread);
    awake_.store(thread_.get());
    open_.store(quota_.get());
    return {};
  }

  Result<policy::Quota*> quota() override {
    if (!options_.store.empty()) return quota_.get();
    // Most registry files have no limits: nothing is made for them.
    std::call_once(started_, [this] {
      if (Result<void> done = start(); !done) failure_ = done.error();
    });
    if (failure_) return *failure_;
    return quota_.get();
  }
  policy::Quota* open_quota() noexcept override { return open_.load(); }

  const Clock& clock() const noexcept override { return *options_.clock; }

  std::string problem() const override {
    const std::lock_guard lock(mutex_);
    return problem_;
  }

 private:
  void wake() noexcept {
    if (WorkThread* worker = awake_.load()) worker->wake();
  }

  nanoseconds work() noexcept {
    std::string problem;
    nanoseconds next = pause_after_failure;
    try {
      auto done = quota_->work(*store_);
      if (done) next = *done;
      if (!done) problem = done.error().message();
    } catch (...) {
      // No memory; calls wait and the next work tries again.
      next = pause_after_failure;
    }
    const std::lock_guard lock(mutex_);
    problem_ = std::move(problem);
    return next;
  }

  LedgerOptions options_;
  OwnFolder folder_;
  std::unique_ptr<QuotaStore> store_;
  std::unique_ptr<policy::Quota> quota_;
  std::atomic<policy::Quota*> open_{nullptr};
  std::once_flag started_;
  std::optional<Error> failure_;
  mutable std::mutex mutex_;
  std::string problem_;
  std::atomic<WorkThread*> awake_{nullptr};
  std::unique_ptr<WorkThread> thread_;
};

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(LedgerOptions options) {
  const bool has_store = !options.store.empty();
  auto ledger = std::make_unique<OpenLedger>(std::move(options));
  if (has_store) {
    if (Result<void> started = ledger->start(); !started) return started.error();
  }
  return std::unique_ptr<Ledger>(std::move(ledger));
}

std::string_view label_of(std::string_view request_id) noexcept {
  constexpr std::string_view common = "bw-req-";
  if (request_id.starts_with(common)) request_id.remove_prefix(common.size());
  return request_id;
}

}  // namespace byway::router
