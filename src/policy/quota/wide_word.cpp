#include "policy/quota/wide_word.hpp"

#include <bit>

namespace byway::policy {
namespace {

// libatomic's functions may hide a lock of one process's own, so the older builtins are used, which
// are the instruction or do not link.
using Half [[gnu::may_alias]] = std::uint64_t;

static_assert(std::endian::native == std::endian::little);

}  // namespace

Counted WideWord::load() const noexcept {
  const auto* halves = reinterpret_cast<const Half*>(&bits_);
  for (;;) {
    const std::uint64_t count = __atomic_load_n(&halves[0], __ATOMIC_SEQ_CST);
    const std::uint64_t mark = __atomic_load_n(&halves[1], __ATOMIC_SEQ_CST);
    // The same count after the mark was read: both were there at once, when the mark was read.
    if (__atomic_load_n(&halves[0], __ATOMIC_SEQ_CST) == count) {
      return {static_cast<std::int64_t>(count), mark};
    }
  }
}

// g++ 12's thread sanitizer would do this under a lock of one process's own (mutex128 of its
// tsan_interface_atomic.cpp), which other processes do not see.
__attribute__((no_sanitize("thread"))) bool WideWord::change(const Counted& from,
                                                             const Counted& to) noexcept {
  const auto bits = [](const Counted& counted) {
    return static_cast<Bits>(counted.mark) << 64 | static_cast<std::uint64_t>(counted.count);
  };
  return __sync_bool_compare_and_swap(&bits_, bits(from), bits(to));
}

void WideWord::reset(const Counted& to) noexcept {
  while (!change(load(), to)) {
  }
}

}  // namespace byway::policy
