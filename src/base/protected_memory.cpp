#include "base/protected_memory.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>

#include "base/digest.hpp"
#include "base/size_class.hpp"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define BYWAY_ADDRESS_SANITIZER
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define BYWAY_ADDRESS_SANITIZER
#endif
#ifdef BYWAY_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

namespace byway::base {
namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::uint32_t own_mapping = classes;
/// What a size may be at most, so that adding a header and rounding up cannot overflow.
constexpr std::size_t bytes_max = PTRDIFF_MAX - 2 * page_bytes;

/// Stands before each block's bytes. The bytes of a free block are all zero: fresh pages are, and
/// what was in use is wiped before it is freed.
struct alignas(16) Block {
  union {
    std::size_t size;  // in use: what was asked for
    Block* next;       // free
  };
  std::uint32_t size_class;
  std::uint16_t arena;
  bool is_locked;  // of a mapping of its own

  char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
  static Block* of(void* bytes) noexcept { return static_cast<Block*>(bytes) - 1; }
};
static_assert(sizeof(Block) == 16);

/// How many blocks go between a thread and its arena at once.
constexpr std::uint32_t batch_of(std::size_t size_class) noexcept {
  return static_cast<std::uint32_t>(std::clamp<std::size_t>(8192 / size_of(size_class), 1, 32));
}

/// How many a thread keeps.
constexpr auto kept_max = [] {
  std::array<std::uint32_t, classes> most = {};
  for (std::size_t size_class = 0; size_class < classes; ++size_class) {
    most[size_class] = 2 * batch_of(size_class);
  }
  return most;
}();

void poison(void* bytes, std::size_t size) noexcept {
#ifdef BYWAY_ADDRESS_SANITIZER
  ASAN_POISON_MEMORY_REGION(bytes, size);
#else
  static_cast<void>(bytes), static_cast<void>(size);
#endif
}
void unpoison(void* bytes, std::size_t size) noexcept {
#ifdef BYWAY_ADDRESS_SANITIZER
  ASAN_UNPOISON_MEMORY_REGION(bytes, size);
#else
  static_cast<void>(bytes), static_cast<void>(size);
#endif
}

/// What all threads share of one arena. It is never destroyed, for libcurl and static Secrets free
/// blocks until the very end.
struct Arena {
  constexpr Arena(std::size_t chunk_size, std::size_t largest, bool lock) noexcept
      : chunk_bytes(chunk_size), block_bytes_max(largest), wants_lock(lock) {}

  const std::size_t chunk_bytes;
  /// Larger blocks are mappings of their own.
  const std::size_t block_bytes_max;
  const bool wants_lock;
  std::mutex mutex = {};
  Block* free[classes] = {};
  char* chunk = nullptr;
  char* chunk_end = nullptr;
  std::atomic<std::size_t> bytes_mapped = 0;
  std::atomic<std::size_t> bytes_locked = 0;
  std::atomic<bool> is_dumped = false;
};
static_assert(std::is_trivially_destructible_v<Arena>);

constexpr std::uint16_t scratch = 0;
constexpr std::uint16_t keys = 1;
/// The chunk of keys is small, so that at least a few fit the 64 KiB that old systems let one lock.
constinit Arena arenas[] = {{1 << 20, 128 << 10, false}, {32 << 10, 4 << 10, true}};

/// Blocks a thread keeps for itself, so that most requests take no lock.
struct List {
  Block* head;
  std::uint32_t count;
};
struct Cache {
  List lists[std::size(arenas)][classes];
  /// Set when the thread ends: whatever is still freed after that goes to the arena at once.
  bool is_closed;
};
constinit thread_local Cache cache = {};

struct Pages {
  char* start = nullptr;
  bool is_locked = false;
};

Pages map(Arena& arena, std::size_t size) noexcept {
  void* start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return {};
  if (madvise(start, size, MADV_DONTDUMP) != 0) arena.is_dumped = true;
  const bool is_locked = arena.wants_lock && mlock(start, size) == 0;
  if (is_locked) arena.bytes_locked += size;
  arena.bytes_mapped += size;
#ifdef BYWAY_ADDRESS_SANITIZER
  __lsan_register_root_region(start, size);
#endif
  return {static_cast<char*>(start), is_locked};
}

void unmap(Arena& arena, char* start, std::size_t size, bool is_locked) noexcept {
  unpoison(start, size);
#ifdef BYWAY_ADDRESS_SANITIZER
  __lsan_unregister_root_region(start, size);
#endif
  munmap(start, size);
  arena.bytes_mapped -= size;
  if (!is_locked) return;
  // A forked child has lost locks that its blocks still remember.
  std::size_t locked = arena.bytes_locked;
  while (!arena.bytes_locked.compare_exchange_weak(locked, locked - std::min(locked, size))) {
  }
}

/// Moves up to `count` blocks from the thread to its arena, whose mutex is held.
void give_back(Arena& arena, List& list, std::size_t size_class, std::uint32_t count) noexcept {
  for (; count > 0 && list.head != nullptr; --count, --list.count) {
    Block* block = list.head;
    list.head = block->next;
    block->next = arena.free[size_class];
    arena.free[size_class] = block;
  }
}

/// Most of libcurl's blocks are at most this large: their wiping stands here and needs no call.
constexpr std::size_t small_max = 96;

/// A block's bytes up to the next multiple of 16 are its own.
inline void wipe_small(Block* block) noexcept {
  constexpr std::size_t step = 16;
  unpoison(block->bytes(), size_of(block->size_class));
  char* const end = block->bytes() + block->size;
  for (char* at = block->bytes(); at < end; at += step) {
    __builtin_memset(at, 0, step);
    __asm__ __volatile__("" : : "r"(at) : "memory");
  }
}

/// Hands a thread's blocks back when it ends.
struct ThreadEnd {
  ~ThreadEnd() {
    cache.is_closed = true;
    for (std::size_t at = 0; at < std::size(arenas); ++at) {
      const std::lock_guard lock(arenas[at].mutex);
      for (std::size_t size_class = 0; size_class < classes; ++size_class) {
        List& list = cache.lists[at][size_class];
        give_back(arenas[at], list, size_class, list.count);
      }
    }
  }
};

void before_fork() {
  for (Arena& arena : arenas) arena.mutex.lock();
}
void after_fork_in_parent() {
  for (Arena& arena : arenas) arena.mutex.unlock();
}
void after_fork_in_child() {
  for (Arena& arena : arenas) {
    arena.bytes_locked = 0;  // mlock(2): locks are not inherited
    arena.mutex.unlock();
  }
}

/// To be called before an arena's mutex is taken: no thread may fork while another holds it, and
/// this thread's blocks must go back when it ends.
void prepare() noexcept {
  static const int registered =
      pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  static_cast<void>(registered);
  static thread_local const ThreadEnd thread_end;
}

/// Cuts one block from the chunk, from a new one when it is used up. The mutex is held.
Block* cut(Arena& arena, std::size_t size_class) noexcept {
  const std::size_t stride = sizeof(Block) + size_of(size_class);
  if (static_cast<std::size_t>(arena.chunk_end - arena.chunk) < stride) {
    const Pages pages = map(arena, arena.chunk_bytes);
    if (pages.start == nullptr) return nullptr;
    poison(pages.start, arena.chunk_bytes);
    arena.chunk = pages.start;
    arena.chunk_end = pages.start + arena.chunk_bytes;
  }
  auto* block = reinterpret_cast<Block*>(arena.chunk);
  arena.chunk += stride;
  unpoison(block, sizeof(Block));
  block->size_class = static_cast<std::uint32_t>(size_class);
  block->arena = static_cast<std::uint16_t>(&arena - arenas);
  return block;
}

/// Fills the thread's empty list. False when there is no memory.
[[gnu::noinline]] bool refill(std::uint16_t at, std::size_t size_class) noexcept {
  prepare();
  Arena& arena = arenas[at];
  List& list = cache.lists[at][size_class];
  const std::uint32_t wanted = cache.is_closed ? 1 : batch_of(size_class);
  const std::lock_guard lock(arena.mutex);
  for (; list.count < wanted; ++list.count) {
    Block* block = arena.free[size_class];
    if (block != nullptr) {
      arena.free[size_class] = block->next;
    } else {
      block = cut(arena, size_class);
      if (block == nullptr) break;
    }
    block->next = list.head;
    list.head = block;
  }
  return list.head != nullptr;
}

[[gnu::noinline]] void spill(std::uint16_t at, std::size_t size_class) noexcept {
  prepare();
  Arena& arena = arenas[at];
  List& list = cache.lists[at][size_class];
  const std::lock_guard lock(arena.mutex);
  give_back(arena, list, size_class, cache.is_closed ? list.count : batch_of(size_class));
}

std::size_t mapping_bytes(std::size_t size) noexcept {
  return (size + sizeof(Block) + page_bytes - 1) / page_bytes * page_bytes;
}

void* allocate_afresh(std::uint16_t arena, std::size_t size) noexcept;

[[gnu::noinline]] void* allocate_mapping(std::uint16_t arena, std::size_t size) noexcept {
  if (size > bytes_max) return nullptr;
  const Pages pages = map(arenas[arena], mapping_bytes(size));
  if (pages.start == nullptr) return nullptr;
  auto* block = reinterpret_cast<Block*>(pages.start);
  block->size = size;
  block->size_class = own_mapping;
  block->arena = arena;
  block->is_locked = pages.is_locked;
  return block->bytes();
}

[[gnu::noinline]] void free_mapping(Block* block) noexcept {
  wipe(block->bytes(), block->size);
  unmap(arenas[block->arena], reinterpret_cast<char*>(block), mapping_bytes(block->size),
        block->is_locked);
}

/// The ways through these two that are taken nearly always call nothing but at their end, so they
/// save no registers.
inline void* allocate(std::uint16_t arena, std::size_t size) noexcept {
  if (size > arenas[arena].block_bytes_max) return allocate_mapping(arena, size);
  const std::size_t size_class = class_of(size);
  List& list = cache.lists[arena][size_class];
  Block* block = list.head;
  if (block == nullptr) return allocate_afresh(arena, size);
  list.head = block->next;
  --list.count;
  block->size = size;
  unpoison(block->bytes(), size);
  return block->bytes();
}

[[gnu::noinline]] void* allocate_afresh(std::uint16_t arena, std::size_t size) noexcept {
  return refill(arena, class_of(size)) ? allocate(arena, size) : nullptr;
}

/// Puts a wiped block back.
inline void put_back(Block* block) noexcept {
  const std::size_t size_class = block->size_class;
  poison(block->bytes(), size_of(size_class));
  List& list = cache.lists[block->arena][size_class];
  block->next = list.head;
  list.head = block;
  if (++list.count > kept_max[size_class] || cache.is_closed) spill(block->arena, size_class);
}

[[gnu::noinline]] void release_large(Block* block) noexcept {
  wipe(block->bytes(), block->size);
  put_back(block);
}

inline void release(void* bytes) noexcept {
  if (bytes == nullptr) return;
  Block* block = Block::of(bytes);
  if (block->size_class == own_mapping) return free_mapping(block);
  if (block->size > small_max) return release_large(block);
  wipe_small(block);
  put_back(block);
}

/// Gives the block another size where it stands; false when it has no room.
bool resize(Block* block, std::size_t size) noexcept {
  if (block->size_class == own_mapping) {
    if (mapping_bytes(size) != mapping_bytes(block->size)) return false;
  } else if (size > size_of(block->size_class)) {
    return false;
  }
  if (size < block->size) {
    wipe(block->bytes() + size, block->size - size);
    poison(block->bytes() + size, block->size - size);
  }
  unpoison(block->bytes(), size);
  block->size = size;
  return true;
}

}  // namespace

void* protected_allocate(std::size_t size) noexcept {
  return allocate(scratch, size);
}

void protected_free(void* block) noexcept {
  release(block);
}

void* protected_reallocate(void* block, std::size_t size) noexcept {
  if (block == nullptr) return protected_allocate(size);
  if (size > bytes_max) return nullptr;
  const std::size_t before = Block::of(block)->size;
  if (resize(Block::of(block), size)) return block;
  void* moved = protected_allocate(size);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(before, size));
  release(block);
  return moved;
}

void* protected_zero_allocate(std::size_t count, std::size_t size) noexcept {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
  return protected_allocate(bytes);  // a free block is all zero
}

char* protected_duplicate(const char* text) noexcept {
  const std::size_t size = std::strlen(text) + 1;
  void* copy = protected_allocate(size);
  if (copy != nullptr) std::memcpy(copy, text, size);
  return static_cast<char*>(copy);
}

void* key_allocate(std::size_t size) noexcept {
  return allocate(keys, size);
}

void key_free(void* block) noexcept {
  release(block);
}

ProtectionStatus protection_status() noexcept {
  if (arenas[keys].bytes_mapped == 0) key_free(key_allocate(1));
  ProtectionStatus status;
  status.bytes_mapped = arenas[keys].bytes_mapped;
  status.bytes_locked = arenas[keys].bytes_locked;
  status.locked = status.bytes_mapped != 0 && status.bytes_locked == status.bytes_mapped;
  status.dump_excluded = !arenas[keys].is_dumped && !arenas[scratch].is_dumped;
  return status;
}

}  // namespace byway::base
