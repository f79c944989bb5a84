// WideWord: a count and the mark of who changed it last, changed as one.
#pragma once

#include <cstdint>

namespace byway::policy {

struct Counted {
  std::int64_t count = 0;
  /// Who made it so; 0 for nobody.
  std::uint64_t mark = 0;
  bool operator==(const Counted&) const = default;
};

/// 16 bytes that several processes may share. *Safe from any thread.* Zero bytes are a valid word.
class alignas(16) WideWord {
 public:
  /// A state that the word really had.
  Counted load() const noexcept;
  /// False when the word was not `from` any more. A full barrier.
  bool change(const Counted& from, const Counted& to) noexcept;
  /// Only while nobody else can see the word.
  void reset(const Counted& to) noexcept;

 private:
  // The type of the compiler's own 16-byte operations, which is not in the standard.
  __extension__ typedef unsigned __int128 Bits;
  Bits bits_ = 0;
};

static_assert(sizeof(WideWord) == 16);

}  // namespace byway::policy
