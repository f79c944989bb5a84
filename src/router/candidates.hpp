// Candidates: the order in which an alias's models are tried.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <byway/alias.hpp>

namespace byway::router {

/// A number of the draw that a request id stands for; the same for the same id, on every machine.
std::uint64_t seed_of(std::string_view request_id) noexcept;

/// All of the alias's model ids, each once: as they are listed, or with weights one draw after the
/// other without putting back, so that the first is drawn by its weight. Views into the alias. The
/// one place that decides the order; trying the next one after a failure will read on in it.
std::vector<std::string_view> candidates_of(const Alias& alias, std::uint64_t seed);

}  // namespace byway::router
