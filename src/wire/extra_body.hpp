// What an endpoint may add to every body it is sent.
#pragma once

#include <string_view>

#include <byway/result.hpp>

namespace byway::wire {

/// Whether `text` may be an endpoint's extra body: a JSON object without messages, model and
/// stream, no name twice at any level. Empty is fine. Code: registry_field_invalid.
Result<void> validate_extra_body(std::string_view text);

}  // namespace byway::wire
