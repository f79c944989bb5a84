// How long a server asks to wait: one parser for all forms.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <byway/clock.hpp>

#include "wire/dialect.hpp"
#include "wire/http_headers.hpp"

namespace byway::wire {

/// "2", "0.5", "250ms", "6m0s", "1h2m3.5s", an HTTP date, RFC 3339, epoch seconds or milliseconds:
/// the time from `now`, never negative; nothing when it is none of these. A bare number is read in
/// `unit`; `automatic` takes it for seconds unless it is so large that it must be an epoch.
std::optional<std::chrono::milliseconds> parse_wait(std::string_view value, WallTime now,
                                                    ResetUnit unit = ResetUnit::automatic);

/// "Please retry after 20 seconds" (Azure), "try again in 1.5s" (OpenAI).
std::optional<std::chrono::milliseconds> wait_in_prose(std::string_view text);

/// In this order: retry-after-ms, retry-after, then the reset of a bucket whose remaining count is
/// 0, under the usual names and the dialect's. Never negative, not clamped: a wish over the cap
/// means another endpoint. Nothing when the server said nothing.
std::optional<std::chrono::milliseconds> retry_after(HeadersView headers, WallTime now,
                                                     const Dialect& dialect);

}  // namespace byway::wire
