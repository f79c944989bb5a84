// Counts every allocation of the process by standing in for malloc and its kin: operator new and
// the C libraries below come here too. Built into the counting twins of the load programs alone,
// so that the others are timed without it.
#include <atomic>
#include <cerrno>
#include <cstddef>

#include "bench/meter.hpp"

namespace {

std::atomic<long> count{0};

}  // namespace

extern "C" {

// glibc's own, under the names that it keeps for those who replace it.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t items, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t items, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(items, size);
}
void* realloc(void* block, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(block, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  *block = __libc_memalign(alignment, size);
  return *block != nullptr ? 0 : ENOMEM;
}
}

namespace byway::bench {

long allocations() noexcept {
  return count.load(std::memory_order_relaxed);
}

}  // namespace byway::bench
