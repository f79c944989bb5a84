// Whether a call record is the one that a transcript expects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wire/player/transcript.hpp"

namespace byway::wire_player {

/// What differs, a line each. `record` is what `byway call --record` prints.
std::vector<std::string> check_record(const Expected& expected, std::string_view record);

/// The attempts that the record names.
int attempts_of(std::string_view record);

}  // namespace byway::wire_player
