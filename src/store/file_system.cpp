#include "store/file_system.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/network_file_system.hpp"

namespace byway::store {
namespace {

Error error_of(std::string_view what, const std::string& path) {
  return Error(ErrorCode::store_io_error,
               fmt::format("{} {}: {}", what, path, std::generic_category().message(errno)));
}

}  // namespace

std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

bool is_network_file_system(long type) noexcept {
  return base::is_network_file_system(type);
}

Result<void> check_file_system(const std::string& path) {
  const std::string folder = folder_of(path);
  struct statfs found {};
  if (::statfs(folder.c_str(), &found) != 0) return error_of("no store can be in", folder);
  if (!is_network_file_system(found.f_type)) return {};
  return Error(ErrorCode::store_io_error,
               fmt::format("{} is on a network file system, where locks do not hold; put the store "
                           "on a local disk",
                           folder));
}

bool has_file(const std::string& path) noexcept {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 || errno != ENOENT;
}

Result<void> make_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return error_of("cannot make", path);
  ::close(fd);
  return {};
}

Result<void> sync_folder(const std::string& path) {
  const std::string folder = folder_of(path);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return error_of("cannot open", folder);
  const int status = ::fsync(fd);
  // Some file systems have nothing to make durable and say EINVAL.
  const bool is_done = status == 0 || errno == EINVAL;
  Result<void> result = is_done ? Result<void>() : Result<void>(error_of("cannot sync", folder));
  ::close(fd);
  return result;
}

}  // namespace byway::store
