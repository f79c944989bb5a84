// Memory for keys and for libcurl: left out of core dumps, wiped when freed.
#pragma once

#include <cstddef>

namespace byway::base {

/// Two arenas. The scratch arena is large and not locked: libcurl takes all its memory there, since
/// headers with keys in them are copied through it. Its verbs behave like malloc and its kin, and
/// give nullptr when there is no memory. The key arena is small and locked as far as
/// RLIMIT_MEMLOCK allows: Secret lives there. Every block is aligned to 16 bytes and wiped before
/// it is free again; what an arena has mapped it keeps for the next block, except blocks of more
/// than 128 KiB (keys: 4 KiB). *Safe from any thread*; a forked child may go on using both.
void* protected_allocate(std::size_t size) noexcept;
void protected_free(void* block) noexcept;
/// The old block is wiped when the bytes move, and the cut-off end when it shrinks.
void* protected_reallocate(void* block, std::size_t size) noexcept;
void* protected_zero_allocate(std::size_t count, std::size_t size) noexcept;
char* protected_duplicate(const char* text) noexcept;

/// The key arena's own; the bytes are zero.
void* key_allocate(std::size_t size) noexcept;
void key_free(void* block) noexcept;

struct ProtectionStatus {
  /// All memory of both arenas is left out of core dumps.
  bool dump_excluded = false;
  /// All memory of the key arena is locked. A forked child loses its locks.
  bool locked = false;
  /// Of the key arena; what is mapped and not locked did not fit RLIMIT_MEMLOCK.
  std::size_t bytes_mapped = 0;
  std::size_t bytes_locked = 0;
};

/// Maps the first pages of the key arena when it has none, so that the answer is about real memory.
ProtectionStatus protection_status() noexcept;

}  // namespace byway::base
