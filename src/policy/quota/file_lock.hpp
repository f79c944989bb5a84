// FileLock: an flock that the kernel drops when its process dies.
#pragma once

#include <string>

#include <byway/result.hpp>

namespace byway::policy {

/// A lock file, open; the lock is gone with the object or the process.
class FileLock {
 public:
  FileLock() noexcept = default;
  /// Makes the file, mode 0600, when it is missing. Code: store_io_error.
  static Result<FileLock> open(const std::string& path);
  explicit FileLock(int fd) noexcept : fd_(fd) {}
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

  bool is_open() const noexcept { return fd_ >= 0; }
  int fd() const noexcept { return fd_; }
  /// Waits. False when the system has no lock to give.
  bool lock() noexcept;
  bool try_lock() noexcept;
  /// Shared with others who share it.
  bool try_lock_shared() noexcept;
  /// By name, since a forked child shares the descriptor and must not keep the lock alive.
  void unlock() noexcept;

 private:
  bool take(int how) noexcept;
  int fd_ = -1;
};

}  // namespace byway::policy
