// LiveFile: `<store>-live`, mapped; and the locks beside it.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include <byway/result.hpp>

#include "policy/quota/file_lock.hpp"
#include "policy/quota/live_layout.hpp"

namespace byway::policy {

/// The mapping that all processes of a host share, preallocated so that no write to it can run out
/// of disk. *Safe from any thread*, except opening and closing.
class LiveFile {
 public:
  struct Options {
    /// The store's path; the file is `<store>-live`.
    std::string store;
    LiveSizes sizes = {};
    /// Boot time now, and the boot's id; empty reads the system's.
    std::int64_t now_ns = 0;
    std::string boot_id = {};
  };
  /// Makes the file, or wipes it when it is of an earlier boot; one of another version or size is
  /// replaced when no process has it open. Codes: store_io_error (also for a network file system,
  /// and for another version in use), store_disk_full.
  static Result<LiveFile> open(const Options& options);
  LiveFile(LiveFile&& other) noexcept;
  LiveFile& operator=(LiveFile&&) = delete;
  ~LiveFile();

  LiveHeader& header() const noexcept { return *header_; }
  const LiveSizes& sizes() const noexcept { return header_->sizes; }
  LiveSlot& slot(std::uint32_t at) const noexcept { return slots_[at]; }
  LiveEntry& entry(std::uint32_t owner, std::uint32_t at) const noexcept {
    return entries_[owner * header_->sizes.entries + at];
  }

  /// One at a time on the host: makes and retires slots, reserves, settles. Held for milliseconds.
  class Guard {
   public:
    explicit Guard(LiveFile& file);
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard();

   private:
    LiveFile& file_;
    std::unique_lock<std::mutex> threads_;
  };

  /// Whether no other process (or Quota) has the file open. Needs the Guard; with `true` nobody can
  /// open it before the Guard is gone.
  bool is_alone();
  /// The lock file of an owner, not locked yet. Code: store_io_error.
  Result<FileLock> owner_lock(std::uint32_t owner) const;

 private:
  LiveFile(FileLock file, FileLock table, std::string store) noexcept;
  Result<void> map(const Options& options, std::string_view boot_id);
  Result<void> allocate(std::size_t bytes);
  bool has_layout(std::size_t bytes, const LiveSizes& sizes) const noexcept;
  void set_up(const LiveSizes& sizes, std::string_view boot_id, std::int64_t cold_ns) noexcept;

  FileLock file_;
  FileLock table_;
  std::string store_;
  std::unique_ptr<std::mutex> threads_ = std::make_unique<std::mutex>();
  std::size_t bytes_ = 0;
  LiveHeader* header_ = nullptr;
  LiveSlot* slots_ = nullptr;
  LiveEntry* entries_ = nullptr;
};

}  // namespace byway::policy
