// MemberNames: which of some names a body has members of.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace byway::wire {

/// Those of `names` that are names of top-level members of `body`, which is a JSON object, in their
/// order. Linear time.
std::vector<std::string_view> members_among(std::string_view body,
                                            std::span<const std::string> names);

}  // namespace byway::wire
