// LimitsLeft: what is left of the limits of a caller and an endpoint.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <byway/router.hpp>

#include "policy/limit_list.hpp"
#include "policy/quota/quota.hpp"

namespace byway::router {

/// The field that sets it: "rpm", "cap_tokens_day", ...
std::string_view name_of(const policy::Limit& limit) noexcept;
/// "key", "org" or "endpoint".
std::string_view owner_of(const policy::Limit& limit) noexcept;

/// Each limit of `list` with what a call could still take. Counts that nobody asked for since the
/// host started are read from the ledger first: waits for that, half a second at most, but never on
/// a loop thread.
void add_limits_left(std::vector<LimitLeft>& to, policy::Quota& quota,
                     const policy::LimitList& list);

/// The least that is left of each kind, into the metadata; takes no time for what is not known.
void note_limits_left(Metadata& metadata, const policy::Quota& quota,
                      const policy::LimitList& list);

}  // namespace byway::router
