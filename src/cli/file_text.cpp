#include "cli/file_text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace byway::cli {
namespace {

Error failed(const char* verb, const std::string& path, int fault) {
  return Error(ErrorCode::store_io_error, std::string("cannot ") + verb + " " + path + ": " +
                                              std::generic_category().message(fault));
}

}  // namespace

Result<std::string> read_text(const std::string& path) {
  const bool is_stdin = path == "-";
  const int fd = is_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("read", path, errno);
  std::string text;
  int fault = 0;
  while (true) {
    const std::size_t size = text.size();
    constexpr std::size_t step = std::size_t{64} << 10;
    text.resize(size + step);
    const ssize_t count = ::read(fd, text.data() + size, step);
    text.resize(size + static_cast<std::size_t>(count > 0 ? count : 0));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fault = errno;
    if (count <= 0) break;
  }
  if (!is_stdin) ::close(fd);
  if (fault != 0) return failed("read", is_stdin ? "standard input" : path, fault);
  return text;
}

Result<void> write_text(const std::string& path, const std::string& text) {
  std::string beside = path + ".XXXXXX";
  const int fd = ::mkstemp(beside.data());
  if (fd < 0) return failed("write", path, errno);
  std::string_view rest = text;
  int fault = 0;
  while (fault == 0 && !rest.empty()) {
    const ssize_t count = ::write(fd, rest.data(), rest.size());
    if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) fault = errno;
  }
  if (::fsync(fd) != 0 && fault == 0) fault = errno;
  if (::close(fd) != 0 && fault == 0) fault = errno;
  if (fault == 0 && std::rename(beside.c_str(), path.c_str()) != 0) fault = errno;
  if (fault == 0) return {};
  ::unlink(beside.c_str());
  return failed("write", path, fault);
}

}  // namespace byway::cli
