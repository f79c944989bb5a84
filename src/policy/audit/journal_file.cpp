#include "policy/audit/journal_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace byway::policy {
namespace {

Error journal_error(std::string_view what, const std::string& path, int number) {
  const ErrorCode code = number == ENOSPC ? ErrorCode::store_disk_full : ErrorCode::store_io_error;
  return Error(code, fmt::format("{} {}: {}", what, path, std::generic_category().message(number)));
}

std::string path_of(const std::string& store, std::uint32_t number) {
  return fmt::format("{}-audit-{}", store, number);
}

std::size_t bytes_of(std::uint32_t cells) {
  return sizeof(JournalHeader) + std::size_t{cells} * sizeof(JournalCell);
}

}  // namespace

std::uint64_t checksum_of(const JournalCell& cell, std::int64_t number) noexcept {
  constexpr std::uint64_t prime = 0x9E37'79B9'7F4A'7C15;
  std::uint64_t sum = static_cast<std::uint64_t>(number) * prime + cell.size;
  sum = (sum ^ static_cast<std::uint64_t>(cell.call)) * prime;
  // Whole words; what lies behind the record in its last word is zero.
  for (std::size_t at = 0; at < cell.size; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, cell.bytes.data() + at, 8);
    sum = (sum ^ word) * prime;
    sum ^= sum >> 29;
  }
  return sum;
}

JournalFile::JournalFile(FileLock lock, std::string path, std::uint32_t number) noexcept
    : lock_(std::move(lock)), path_(std::move(path)), name_(std::to_string(number)) {}

JournalFile::JournalFile(JournalFile&& other) noexcept
    : lock_(std::move(other.lock_)),
      path_(std::move(other.path_)),
      name_(std::move(other.name_)),
      bytes_(other.bytes_),
      cells_(other.cells_),
      header_(std::exchange(other.header_, nullptr)),
      cells_start_(other.cells_start_) {}

JournalFile::~JournalFile() {
  unmap();
}

void JournalFile::unmap() noexcept {
  if (header_ != nullptr) ::munmap(std::exchange(header_, nullptr), bytes_);
}

Result<void> JournalFile::map(std::size_t bytes) {
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, lock_.fd(), 0);
  if (mapped == MAP_FAILED) return journal_error("cannot map", path_, errno);
  bytes_ = bytes;
  header_ = static_cast<JournalHeader*>(mapped);
  cells_start_ = reinterpret_cast<JournalCell*>(header_ + 1);
  cells_ = static_cast<std::uint32_t>((bytes - sizeof(JournalHeader)) / sizeof(JournalCell));
  return {};
}

bool JournalFile::is_of(std::string_view log) const noexcept {
  return header_->complete.load(std::memory_order_acquire) == 1 &&
         header_->magic == journal_magic && header_->version == journal_version &&
         header_->cell_bytes == sizeof(JournalCell) && header_->cells == cells_ &&
         std::string_view(header_->log.data(), header_->log.size()) == log;
}

bool JournalFile::find(std::string_view log) {
  struct stat found {};
  if (::fstat(lock_.fd(), &found) != 0) return false;
  const auto bytes = static_cast<std::size_t>(found.st_size);
  const bool is_whole =
      bytes >= bytes_of(1) && (bytes - sizeof(JournalHeader)) % sizeof(JournalCell) == 0;
  return is_whole && map(bytes) && is_of(log);
}

/// Cut to nothing first, so that every byte is zero.
Result<void> JournalFile::make(std::string_view log, std::uint32_t cells) {
  unmap();
  if (::ftruncate(lock_.fd(), 0) != 0) return journal_error("cannot empty", path_, errno);
  const std::size_t bytes = bytes_of(cells);
  const int failed = ::posix_fallocate(lock_.fd(), 0, static_cast<off_t>(bytes));
  if (failed != 0) return journal_error("there is no room for", path_, failed);
  if (Result<void> mapped = map(bytes); !mapped) return mapped;
  header_->magic = journal_magic;
  header_->version = journal_version;
  header_->cell_bytes = sizeof(JournalCell);
  header_->cells = cells_;
  log.substr(0, header_->log.size()).copy(header_->log.data(), header_->log.size());
  header_->complete.store(1, std::memory_order_release);
  return {};
}

Result<std::optional<JournalFile>> JournalFile::take(const std::string& store, std::uint32_t number,
                                                     std::string_view log, std::uint32_t cells) {
  std::string path = path_of(store, number);
  Result<FileLock> lock = FileLock::open(path);
  if (!lock) return lock.error();
  if (!lock->try_lock()) return std::optional<JournalFile>();
  JournalFile file(std::move(*lock), std::move(path), number);
  if (!file.find(log)) {
    if (Result<void> made = file.make(log, cells); !made) return made.error();
  }
  return std::optional<JournalFile>(std::move(file));
}

std::optional<JournalFile> JournalFile::take_found(const std::string& store, std::uint32_t number,
                                                   std::string_view log) {
  std::string path = path_of(store, number);
  if (::access(path.c_str(), F_OK) != 0) return {};
  Result<FileLock> lock = FileLock::open(path);
  if (!lock || !lock->try_lock()) return {};
  JournalFile file(std::move(*lock), std::move(path), number);
  if (!file.find(log)) return {};
  return file;
}

Result<void> JournalFile::resize(std::string_view log, std::uint32_t cells) {
  const std::int64_t next = header_->next.load();
  const std::int64_t dropped = header_->dropped.load();
  if (Result<void> made = make(log, cells); !made) return made;
  header_->next.store(next);
  header_->dropped.store(dropped);
  return {};
}

}  // namespace byway::policy
