// Reads one dialect from JSON that says everything, `extends` already followed.
#pragma once

#include <string_view>

#include <byway/result.hpp>

#include "wire/dialect.hpp"

namespace byway::wire {

/// `json` must be valid JSON without a name twice. Code: registry_field_invalid, naming the key.
Result<Dialect> read_dialect(std::string_view json);

}  // namespace byway::wire
