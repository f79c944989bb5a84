// CatalogSource: where a catalog's endpoints come from; a store or a file.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <byway/admin.hpp>
#include <byway/result.hpp>

#include "registry/snapshot.hpp"
#include "router/catalog.hpp"

namespace byway::router {

/// Everything as it was read, and what is wrong with some.
struct LoadedEntries {
  std::vector<std::shared_ptr<const registry::Entry>> entries = {};
  std::vector<BrokenKey> broken = {};
  registry::AccessRecords access = {};
  /// What is wrong with what is no endpoint.
  std::vector<Error> problems = {};
};

/// *Safe from any thread.*
class CatalogSource {
 public:
  explicit CatalogSource(const CatalogOptions& options) : on_notice_(options.on_notice) {}
  CatalogSource(const CatalogSource&) = delete;
  virtual ~CatalogSource() = default;

  virtual Result<void> poll() = 0;
  /// Code: registry_read_only.
  virtual Result<void> run(const std::function<void(CatalogDesk&)>& task) = 0;
  virtual bool is_read_only() const noexcept = 0;

  const registry::SnapshotCell& snapshots() const noexcept { return cell_; }
  CatalogHealth health() const;
  /// Whether this thread is inside this source's on_notice.
  bool is_noticing_here() const noexcept;
  /// From now on nothing is told.
  void silence() noexcept { is_silent_.store(true); }

 protected:
  /// Puts the endpoints in place. Gives what is newly broken, for tell().
  std::vector<Error> publish(LoadedEntries loaded);
  /// What went wrong in looking for changes, or that nothing did. Gives it when it is news.
  std::vector<Error> report(const std::optional<Error>& problem);
  /// Not under a lock that on_notice might want.
  void tell(const std::vector<Error>& news) noexcept;

 private:
  std::function<void(const Error&)> on_notice_;
  std::atomic<bool> is_silent_{false};
  registry::SnapshotCell cell_;
  mutable std::mutex mutex_;
  CatalogHealth health_;
  /// Messages about broken keys that were noticed.
  std::vector<std::string> noticed_;
};

Result<std::unique_ptr<CatalogSource>> open_store_source(const CatalogOptions& options);
Result<std::unique_ptr<CatalogSource>> open_file_source(const CatalogOptions& options);

/// What is wrong with one endpoint, told with its name.
Error about_endpoint(std::string_view slug, const Error& error);

}  // namespace byway::router
