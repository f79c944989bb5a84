#include "policy/quota/file_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace byway::policy {

Result<FileLock> FileLock::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0) return FileLock(fd);
  return Error(
      ErrorCode::store_io_error,
      fmt::format("{} cannot be opened: {}; check that the folder exists and may be written", path,
                  std::generic_category().message(errno)));
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

bool FileLock::take(int how) noexcept {
  while (::flock(fd_, how) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

bool FileLock::lock() noexcept {
  return take(LOCK_EX);
}

bool FileLock::try_lock() noexcept {
  return take(LOCK_EX | LOCK_NB);
}

bool FileLock::try_lock_shared() noexcept {
  return take(LOCK_SH | LOCK_NB);
}

void FileLock::unlock() noexcept {
  take(LOCK_UN);
}

}  // namespace byway::policy
