#include "policy/quota/live_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/network_file_system.hpp"

namespace byway::policy {
namespace {

Error io_error(std::string_view what, const std::string& path, int number) {
  const ErrorCode code = number == ENOSPC ? ErrorCode::store_disk_full : ErrorCode::store_io_error;
  return Error(code, fmt::format("{} {}: {}", what, path, std::generic_category().message(number)));
}

std::size_t bytes_of(const LiveSizes& sizes) {
  return sizeof(LiveHeader) + std::size_t{sizes.slots} * sizeof(LiveSlot) +
         std::size_t{sizes.owners} * sizes.entries * sizeof(LiveEntry);
}

std::string boot_id_of_system() {
  std::array<char, 40> text{};
  const int fd = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "unknown";
  const ssize_t size = ::read(fd, text.data(), 36);
  ::close(fd);
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

Result<void> check_local(const FileLock& file, const std::string& path) {
  struct statfs found {};
  if (::fstatfs(file.fd(), &found) != 0) return io_error("cannot look at", path, errno);
  if (!base::is_network_file_system(found.f_type)) return {};
  return Error(ErrorCode::store_io_error,
               fmt::format("{} is on a network file system, which no processes can share; put the "
                           "store on a local disk",
                           path));
}

}  // namespace

LiveFile::LiveFile(FileLock file, FileLock table, std::string store) noexcept
    : file_(std::move(file)), table_(std::move(table)), store_(std::move(store)) {}

LiveFile::LiveFile(LiveFile&& other) noexcept
    : file_(std::move(other.file_)),
      table_(std::move(other.table_)),
      store_(std::move(other.store_)),
      threads_(std::move(other.threads_)),
      bytes_(std::exchange(other.bytes_, 0)),
      header_(std::exchange(other.header_, nullptr)),
      slots_(other.slots_),
      entries_(other.entries_) {}

LiveFile::~LiveFile() {
  if (header_ != nullptr) ::munmap(header_, bytes_);
}

LiveFile::Guard::Guard(LiveFile& file) : file_(file), threads_(*file.threads_) {
  file_.table_.lock();
}

LiveFile::Guard::~Guard() {
  file_.table_.unlock();
}

Result<LiveFile> LiveFile::open(const Options& options) {
  Result<FileLock> table = FileLock::open(options.store + "-live-lock");
  if (!table) return table.error();
  const std::string path = options.store + "-live";
  Result<FileLock> file = FileLock::open(path);
  if (!file) return file.error();
  if (Result<void> local = check_local(*file, path); !local) return local.error();
  LiveFile live(std::move(*file), std::move(*table), options.store);
  const std::string boot_id = options.boot_id.empty() ? boot_id_of_system() : options.boot_id;
  {
    const Guard guard(live);
    if (Result<void> mapped = live.map(options, boot_id); !mapped) return mapped.error();
    if (!live.file_.try_lock_shared()) return io_error("cannot share", path, errno);
  }
  return live;
}

Result<void> LiveFile::allocate(std::size_t bytes) {
  const std::string path = store_ + "-live";
  // Cut to nothing first, so that every byte is zero.
  if (::ftruncate(file_.fd(), 0) != 0) return io_error("cannot empty", path, errno);
  const int failed = ::posix_fallocate(file_.fd(), 0, static_cast<off_t>(bytes));
  if (failed != 0) return io_error("there is no room for", path, failed);
  return {};
}

bool LiveFile::has_layout(std::size_t bytes, const LiveSizes& sizes) const noexcept {
  return header_->complete.load(std::memory_order_acquire) == 1 && header_->magic == live_magic &&
         header_->version == live_version && header_->slot_bytes == sizeof(LiveSlot) &&
         header_->sizes == sizes && bytes == bytes_;
}

void LiveFile::set_up(const LiveSizes& sizes, std::string_view boot_id,
                      std::int64_t cold_ns) noexcept {
  header_->magic = live_magic;
  header_->version = live_version;
  header_->slot_bytes = sizeof(LiveSlot);
  header_->sizes = sizes;
  header_->boot_id.fill('\0');
  boot_id.substr(0, header_->boot_id.size() - 1).copy(header_->boot_id.data(), boot_id.size());
  header_->cold_ns = cold_ns;
  header_->complete.store(1, std::memory_order_release);
}

Result<void> LiveFile::map(const Options& options, std::string_view boot_id) {
  const std::string path = store_ + "-live";
  struct stat found {};
  if (::fstat(file_.fd(), &found) != 0) return io_error("cannot look at", path, errno);
  const auto size = static_cast<std::size_t>(found.st_size);
  bytes_ = bytes_of(options.sizes);
  const bool is_alone = file_.try_lock();
  const bool was_there = size != 0;
  if (is_alone && size != bytes_) {
    if (Result<void> made = allocate(bytes_); !made) return made;
  } else if (size != bytes_) {
    return Error(ErrorCode::store_io_error,
                 fmt::format("{} is in use by another version of Byway; end its processes", path));
  }
  void* mapped = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file_.fd(), 0);
  if (mapped == MAP_FAILED) return io_error("cannot map", path, errno);
  header_ = static_cast<LiveHeader*>(mapped);
  slots_ = reinterpret_cast<LiveSlot*>(header_ + 1);
  entries_ = reinterpret_cast<LiveEntry*>(slots_ + options.sizes.slots);
  const bool is_ours =
      has_layout(bytes_, options.sizes) && std::string_view(header_->boot_id.data()) == boot_id;
  if (is_ours) return {};
  if (!is_alone) {
    return Error(ErrorCode::store_io_error,
                 fmt::format("{} is in use by another version of Byway; end its processes", path));
  }
  // Counts of another boot may be older than what was used: everything starts from the ledger, and
  // buckets start full.
  if (Result<void> made = allocate(bytes_); !made) return made;
  set_up(options.sizes, boot_id, was_there ? std::max<std::int64_t>(options.now_ns, 1) : 0);
  return {};
}

bool LiveFile::is_alone() {
  const bool is_alone = file_.try_lock();
  file_.try_lock_shared();
  return is_alone;
}

Result<FileLock> LiveFile::owner_lock(std::uint32_t owner) const {
  return FileLock::open(fmt::format("{}-owner-{}", store_, owner));
}

}  // namespace byway::policy
