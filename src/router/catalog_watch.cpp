// The catalog of a registry file.
#include <new>
#include <utility>

#include "router/catalog_file.hpp"
#include "router/catalog_source.hpp"
#include "router/work_thread.hpp"

namespace byway::router {
namespace {

class FileSource final : public CatalogSource {
 public:
  explicit FileSource(const CatalogOptions& options)
      : CatalogSource(options), path_(options.registry), file_(options.registry, options) {}

  Result<void> start(std::chrono::milliseconds period) {
    auto loaded = file_.read();
    if (!loaded) return loaded.error();
    tell(publish(*std::move(loaded)));
    const auto watch = [this, period] {
      look();
      return std::chrono::nanoseconds(period);
    };
    auto thread = WorkThread::start("byway-registry", watch, period);
    if (!thread) return thread.error();
    thread_ = *std::move(thread);
    return {};
  }

  Result<void> poll() override {
    std::unique_lock lock(mutex_);
    if (!file_.has_changed()) {
      if (problem_) return *problem_;
      return {};
    }
    auto loaded = file_.read();
    problem_ = loaded ? std::nullopt : std::optional<Error>(loaded.error());
    const std::optional<Error> problem = problem_;
    const std::vector<Error> broken = loaded ? publish(*std::move(loaded)) : std::vector<Error>();
    const std::vector<Error> news = report(problem);
    // on_notice may ask for another look.
    lock.unlock();
    tell(broken);
    tell(news);
    if (problem) return *problem;
    return {};
  }

  Result<void> run(const std::function<void(CatalogDesk&)>&) override {
    return Error(ErrorCode::registry_read_only,
                 "the registry is the file " + path_ + "; change the file, it is read again");
  }

  bool is_read_only() const noexcept override { return true; }

 private:
  void look() noexcept {
    try {
      static_cast<void>(poll());
    } catch (...) {
      // Out of memory; the next change tries again.
    }
  }

  std::string path_;
  std::mutex mutex_;
  RegistryFile file_;
  std::optional<Error> problem_;
  /// Last, so that it ends first.
  std::unique_ptr<WorkThread> thread_;
};

}  // namespace

Result<std::unique_ptr<CatalogSource>> open_file_source(const CatalogOptions& options) {
  auto source = std::make_unique<FileSource>(options);
  if (Result<void> started = source->start(options.period); !started) return started.error();
  return std::unique_ptr<CatalogSource>(std::move(source));
}

}  // namespace byway::router
