#include "vault/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace byway::vault {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

Error refuse(const std::string& path, const std::string& why) {
  return Error(ErrorCode::vault_file_permissions, "key file " + path + " " + why);
}

Error error_of_open(const std::string& path, int reason) {
  switch (reason) {
    case ENOENT:
    case ENOTDIR: return Error(ErrorCode::vault_no_key, "there is no key file " + path);
    case ELOOP: return refuse(path, "is a symbolic link; name the file itself");
    case ENXIO:
    case ENODEV: return refuse(path, "is not a regular file");
    default: return refuse(path, "cannot be opened: " + std::generic_category().message(reason));
  }
}

Result<void> check_owner_and_mode(const std::string& path, const struct stat& found) {
  if (!S_ISREG(found.st_mode)) return refuse(path, "is not a regular file");
  if (found.st_uid != ::geteuid() && found.st_uid != 0) {
    return refuse(path, "belongs to another user; it must be ours or root's");
  }
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return refuse(path, "is open to group or others; run chmod 600 on it");
  }
  return {};
}

Error error_of_write(const std::string& path, int reason) {
  if (reason == EEXIST) {
    return Error(ErrorCode::store_exists,
                 "there is a file " + path + " already, and keys are never overwritten");
  }
  const bool is_full = reason == ENOSPC || reason == EDQUOT;
  return Error(is_full ? ErrorCode::store_disk_full : ErrorCode::store_io_error,
               "cannot write " + path + ": " + std::generic_category().message(reason));
}

bool write_all(int fd, std::string_view content) noexcept {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Makes the file's name as durable as its content.
bool sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.is_open() && ::fsync(opened.fd()) == 0;
}

}  // namespace

Result<Secret> read_private_file(const std::string& path, std::size_t bytes_max) {
  constexpr int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const Descriptor file(::open(path.c_str(), flags));
  if (!file.is_open()) return error_of_open(path, errno);
  struct stat found {};
  if (::fstat(file.fd(), &found) != 0) return error_of_open(path, errno);
  if (Result<void> checked = check_owner_and_mode(path, found); !checked) return checked.error();

  Secret buffer = Secret::zeros(bytes_max + 1);
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(file.fd(), buffer.mutable_bytes() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_of_open(path, errno);
    if (got == 0) return Secret::copy_of(buffer.expose_secret().substr(0, size));
    size += static_cast<std::size_t>(got);
  }
  return Error(ErrorCode::vault_key_format, "key file " + path + " is too long to hold a key");
}

Result<void> write_private_file(const std::string& path, std::string_view content) {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Descriptor file(::open(path.c_str(), flags, S_IRUSR | S_IWUSR));
  if (!file.is_open()) return error_of_write(path, errno);
  // The mode again, because a umask may have taken the owner's bits away.
  const bool is_durable = ::fchmod(file.fd(), S_IRUSR | S_IWUSR) == 0 &&
                          write_all(file.fd(), content) && ::fsync(file.fd()) == 0 &&
                          sync_folder_of(path);
  if (is_durable) return {};
  const int reason = errno;
  ::unlink(path.c_str());
  return error_of_write(path, reason);
}

}  // namespace byway::vault
