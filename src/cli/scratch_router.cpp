#include "cli/scratch_router.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include <byway/admin.hpp>
#include <byway/vault.hpp>

#include "cli/output.hpp"

namespace byway::cli {

class ScratchRouter::Folder {
 public:
  Folder() {
    std::error_code ignored;
    path_ = (std::filesystem::temp_directory_path(ignored) / "byway-probe-XXXXXX").string();
    is_there_ = ::mkdtemp(path_.data()) != nullptr;
  }
  Folder(const Folder&) = delete;
  ~Folder() { remove(); }

  bool is_there() const noexcept { return is_there_; }
  const std::string& path() const noexcept { return path_; }
  void remove() const noexcept {
    std::error_code ignored;
    if (is_there_) std::filesystem::remove_all(path_, ignored);
  }

 private:
  std::string path_;
  bool is_there_ = false;
};

Result<ScratchRouter> ScratchRouter::open(const EndpointSettings& settings,
                                          std::optional<std::string_view> key) {
  ScratchRouter scratch;
  const auto folder = std::make_shared<Folder>();
  scratch.folder_ = folder;
  if (!folder->is_there()) {
    return Error(ErrorCode::store_io_error, "no temporary folder can be made at " + folder->path());
  }
  scratch.interrupt_ = std::make_unique<Interrupt>([folder] {
    folder->remove();
    ::_exit(exit_interrupted);
  });
  const std::string store = folder->path() + "/probe.db";
  const auto master = std::make_shared<const Secret>(generate_master_key());
  const auto source = KeySource::callback([master]() -> Result<Secret> { return master->clone(); });
  const auto made = create_store({.path = store, .master_key = source, .org = settings.org});
  if (!made) return made.error();
  auto router = Router::open(
      {.store = store, .master_key = source, .org = settings.org, .require_key = false});
  if (!router) return router.error();
  scratch.router_.emplace(*std::move(router));
  auto added = scratch.router_->admin_as_owner().add_endpoint(settings, key);
  if (!added) return added.error();
  return scratch;
}

}  // namespace byway::cli
