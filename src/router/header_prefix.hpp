// HeaderPrefix: with what the headers begin that tell of a call.
#pragma once

#include <string_view>

#include <byway/result.hpp>

namespace byway::router {

/// `x-<name>-`: an HTTP token of at most 64 bytes without capitals, so that no header of HTTP's own
/// begins with it. Code: request_header_invalid.
Result<void> check_header_prefix(std::string_view prefix);

}  // namespace byway::router
