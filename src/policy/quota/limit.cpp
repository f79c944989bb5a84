#include "policy/quota/limit.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <tuple>

#include "base/digest.hpp"

namespace byway::policy {
namespace {

constexpr std::size_t digest_bytes = 16;

std::string shortened(const std::string& text) {
  if (text.size() <= Subject::bytes_max) return text;
  constexpr char digits[] = "0123456789abcdef";
  const base::Sha256 digest = base::sha256(text);
  std::string cut = text.substr(0, Subject::bytes_max - 2 * digest_bytes);
  for (std::size_t at = 0; at < digest_bytes; ++at) {
    cut += digits[digest[at] >> 4];
    cut += digits[digest[at] & 15];
  }
  return cut;
}

}  // namespace

Subject Subject::of(std::string_view kind, std::string_view name) {
  const std::string text = shortened(std::string(kind) + ":" + std::string(name));
  Subject subject;
  std::memcpy(subject.words_.data(), text.data(), text.size());
  subject.hash_ = hash_of(subject.words_.data());
  return subject;
}

std::uint64_t Subject::hash_of(const std::uint64_t* words) noexcept {
  std::uint64_t hash = 0x9E3779B97F4A7C15;
  for (std::size_t at = 0; at < std::tuple_size_v<decltype(words_)>; ++at) {
    hash = (hash ^ words[at]) * 0xFF51AFD7ED558CCD;
    hash ^= hash >> 32;
  }
  return hash;
}

std::string_view Subject::text() const noexcept {
  const char* text = reinterpret_cast<const char*>(words_.data());
  return {text, ::strnlen(text, bytes_max)};
}

Rate rate_of(const Limit& limit) noexcept {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  const auto per_minute =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(limit.limit, 1, most));
  return {per_minute, std::max<std::int64_t>(limit.burst > 0 ? limit.burst : limit.limit, 1)};
}

bool enforced_before(const Limit& left, const Limit& right) noexcept {
  const auto rank = [](const Limit& limit) {
    const auto group = is_cap(limit.kind) ? LimitKind::day : limit.kind;
    // A day's cap of the org comes after both of the key's.
    return is_cap(limit.kind) ? std::tuple(group, static_cast<int>(limit.breadth),
                                           static_cast<int>(limit.kind), limit.unit)
                              : std::tuple(group, static_cast<int>(limit.unit),
                                           static_cast<int>(limit.breadth), QuotaUnit::requests);
  };
  return rank(left) < rank(right);
}

}  // namespace byway::policy
