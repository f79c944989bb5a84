// The runs of transcripts as JSON, for programs that make their calls with another client.
#pragma once

#include <string>
#include <vector>

#include "wire/player/transcript.hpp"

namespace byway::wire_player {

/// One JSON object on a line for each run: {"name","slug","base","dialect","has_key","lines":[],
/// "options":{},"model","body","is_library_only","records":[],"notes":[],"lacks":[],"ranges":[[]],
/// "lengths":[[]]}. "records" are JSON objects themselves.
std::string run_list(const std::vector<Run>& runs);

}  // namespace byway::wire_player
