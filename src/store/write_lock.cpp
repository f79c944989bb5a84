#include "store/write_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

namespace byway::store {

WriteLock::WriteLock(int fd, std::string path) noexcept : fd_(fd), path_(std::move(path)) {}

WriteLock::WriteLock(WriteLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

WriteLock& WriteLock::operator=(WriteLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

WriteLock::~WriteLock() {
  if (fd_ >= 0) ::close(fd_);
}

WriteLock::Guard::Guard(Guard&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

// Unlocked by name: a child that was forked meanwhile shares the descriptor and must not keep the
// lock alive.
WriteLock::Guard::~Guard() {
  if (fd_ >= 0) ::flock(fd_, LOCK_UN);
}

Result<WriteLock> WriteLock::open(const std::string& store_path) {
  std::string path = store_path + "-lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return Error(ErrorCode::store_io_error,
                 fmt::format("the store's lock file {} cannot be opened: {}; check that the folder "
                             "exists and may be written",
                             path, std::generic_category().message(errno)));
  }
  return WriteLock(fd, std::move(path));
}

Result<WriteLock::Guard> WriteLock::take(std::chrono::milliseconds limit) const {
  // Polled, since flock knows no time limit; a writer holds it for about a millisecond.
  const auto until = std::chrono::steady_clock::now() + limit;
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) {
      return Error(ErrorCode::store_io_error, fmt::format("{} cannot be locked: {}", path_,
                                                          std::generic_category().message(errno)));
    }
    if (std::chrono::steady_clock::now() >= until) {
      ErrorFields fields;
      fields.code = ErrorCode::store_locked;
      fields.retryable = true;
      fields.message = fmt::format("another process held the store's lock {} for {} ms; try again",
                                   path_, limit.count());
      return Error(std::move(fields));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return Guard(fd_);
}

}  // namespace byway::store
