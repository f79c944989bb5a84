#include "cli/scratch_router.hpp"

#include <cstdlib>
#include <memory>
#include <utility>

#include <byway/admin.hpp>
#include <byway/vault.hpp>

namespace byway::cli {

Result<ScratchRouter> ScratchRouter::open(const EndpointSettings& settings,
                                          std::optional<std::string_view> key) {
  std::error_code ignored;
  std::string path =
      (std::filesystem::temp_directory_path(ignored) / "byway-probe-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) {
    return Error(ErrorCode::store_io_error, "no temporary folder can be made at " + path);
  }
  ScratchRouter scratch;
  scratch.folder_ = Folder(path);
  const std::string store = path + "/probe.db";
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

ScratchRouter::~ScratchRouter() {
  // Before its files go.
  router_.reset();
}

void ScratchRouter::remove_files() noexcept {
  folder_.remove();
}

}  // namespace byway::cli
