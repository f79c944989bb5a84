// JournalFile: `<store>-audit-N`, the mapped ring in which a process keeps what is not durable yet.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <byway/result.hpp>

#include "policy/quota/file_lock.hpp"

namespace byway::policy {

constexpr std::uint64_t journal_magic = 0x5449'4455'4157'5942;  // "BYWAUDIT"
constexpr std::uint32_t journal_version = 1;
constexpr std::size_t record_bytes_max = 736;

struct alignas(64) JournalHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t cell_bytes;
  std::uint32_t cells;
  /// The log that it belongs to: a journal of a store that was replaced is not this one's.
  std::array<char, 16> log;
  /// 1 when all of the above is written.
  std::atomic<std::uint32_t> complete;
  /// 1 from the time a process takes the journal until it leaves it with nothing in it.
  std::atomic<std::uint32_t> used;
  /// The number that follows the last one in here, once the journal was left or buried.
  std::atomic<std::int64_t> next;
  /// Records that found no room, since the journal was made.
  std::atomic<std::int64_t> dropped;
};

/// One record. Written in full before `published`; the checksum is for pages that a power loss
/// tore.
struct alignas(64) JournalCell {
  /// The record's number + 1; the numbers of a cell differ by the ring's size.
  std::atomic<std::int64_t> published;
  std::int64_t call;
  std::uint64_t checksum;
  std::uint32_t size;
  std::uint32_t spare;
  std::array<char, record_bytes_max> bytes;
};

static_assert(std::atomic<std::int64_t>::is_always_lock_free);
static_assert(sizeof(JournalCell) == 768);

/// Over number, call, size and bytes: tells a torn cell, not a forged one.
std::uint64_t checksum_of(const JournalCell& cell, std::int64_t number) noexcept;

/// A journal that this process holds the lock of. Opening and dropping: *one thread at a time*.
class JournalFile {
 public:
  static constexpr std::uint32_t files_max = 256;

  /// Absent when another process holds it. A file that is missing or of another log is made anew,
  /// preallocated, so that no write to it can run out of disk; one that is of this log keeps its
  /// size and what is in it. Codes: store_io_error, store_disk_full.
  static Result<std::optional<JournalFile>> take(const std::string& store, std::uint32_t number,
                                                 std::string_view log, std::uint32_t cells);
  /// One that is there and is this log's. Absent otherwise.
  static std::optional<JournalFile> take_found(const std::string& store, std::uint32_t number,
                                               std::string_view log);
  /// Makes it anew with another size. Nothing may be in it.
  Result<void> resize(std::string_view log, std::uint32_t cells);
  JournalFile(JournalFile&& other) noexcept;
  JournalFile& operator=(JournalFile&&) = delete;
  ~JournalFile();

  JournalHeader& header() const noexcept { return *header_; }
  std::uint32_t cells() const noexcept { return cells_; }
  JournalCell& cell(std::int64_t number) const noexcept {
    return cells_start_[static_cast<std::uint64_t>(number) % cells_];
  }
  const std::string& name() const noexcept { return name_; }

 private:
  JournalFile(FileLock lock, std::string path, std::uint32_t number) noexcept;
  /// Whether the file, as it is, is mapped and this log's.
  bool find(std::string_view log);
  Result<void> map(std::size_t bytes);
  void unmap() noexcept;
  bool is_of(std::string_view log) const noexcept;
  Result<void> make(std::string_view log, std::uint32_t cells);

  FileLock lock_;
  std::string path_;
  std::string name_;
  std::size_t bytes_ = 0;
  std::uint32_t cells_ = 0;
  JournalHeader* header_ = nullptr;
  JournalCell* cells_start_ = nullptr;
};

}  // namespace byway::policy
