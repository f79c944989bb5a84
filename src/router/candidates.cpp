#include "router/candidates.hpp"

#include <cstddef>

namespace byway::router {
namespace {

/// SplitMix64 (Steele, Lea, Flood 2014): every seed gives a good stream.
std::uint64_t next(std::uint64_t& state) noexcept {
  state += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31);
}

}  // namespace

std::uint64_t seed_of(std::string_view request_id) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a
  for (const char byte : request_id) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
  }
  return hash;
}

std::vector<std::string_view> candidates_of(const Alias& alias, std::uint64_t seed) {
  std::vector<std::string_view> ordered;
  ordered.reserve(alias.models.size());
  std::vector<const AliasModel*> left;
  std::uint64_t total = 0;
  for (const AliasModel& model : alias.models) {
    if (!model.weight) {
      ordered.emplace_back(model.model);
      continue;
    }
    left.push_back(&model);
    total += static_cast<std::uint64_t>(*model.weight);
  }
  while (!left.empty()) {
    // The bias of the remainder is below 2^-38: at most 64 weights of a million each.
    std::uint64_t drawn = next(seed) % total;
    std::size_t at = 0;
    while (drawn >= static_cast<std::uint64_t>(*left[at]->weight)) {
      drawn -= static_cast<std::uint64_t>(*left[at]->weight);
      ++at;
    }
    ordered.emplace_back(left[at]->model);
    total -= static_cast<std::uint64_t>(*left[at]->weight);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return ordered;
}

}  // namespace byway::router
