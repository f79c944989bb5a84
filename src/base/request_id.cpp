#include "base/request_id.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstdint>

#include "base/fork_guard.hpp"

namespace byway::base {
namespace {

/// xoshiro256** (Blackman and Vigna, 2018). Reseeded in a forked child, so that ids never repeat
/// across processes.
class Generator {
 public:
  std::uint64_t next() noexcept {
    if (!seeded_ || generation_ != fork_generation()) seed();
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

 private:
  static std::uint64_t rotate(std::uint64_t value, int bits) noexcept {
    return (value << bits) | (value >> (64 - bits));
  }
  void seed() noexcept {
    std::size_t got = 0;
    auto* bytes = reinterpret_cast<unsigned char*>(state_);
    while (got < sizeof(state_)) {
      const ssize_t n = getrandom(bytes + got, sizeof(state_) - got, 0);
      if (n > 0) got += static_cast<std::size_t>(n);
    }
    generation_ = fork_generation();
    seeded_ = true;
  }

  std::uint64_t state_[4] = {};
  std::uint32_t generation_ = 0;
  bool seeded_ = false;
};

thread_local Generator generator;

}  // namespace

std::uint64_t random_bits() noexcept {
  return generator.next();
}

std::array<char, 26> make_ulid(WallTime wall) noexcept {
  static constexpr char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch());
  auto ms = static_cast<std::uint64_t>(since.count());
  std::array<char, 26> id{};
  for (std::size_t at = 10; at-- > 0; ms >>= 5) id[at] = digits[ms & 31];
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = generator.next();
    for (std::size_t at = 0; at < 8; ++at, bits >>= 5) id[10 + half * 8 + at] = digits[bits & 31];
  }
  return id;
}

RequestId make_request_id(WallTime wall) noexcept {
  static constexpr std::string_view prefix = "bw-req-";
  RequestId id{};
  const auto ulid = make_ulid(wall);
  std::copy(ulid.begin(), ulid.end(), std::copy(prefix.begin(), prefix.end(), id.begin()));
  return id;
}

}  // namespace byway::base
