// FieldChanges: FIELD=VALUE arguments.
#pragma once

#include <string>
#include <vector>

#include <byway/admin.hpp>
#include <byway/result.hpp>

namespace byway::cli {

/// Views into `texts`. Code: request_invalid, whose message says which is no FIELD=VALUE.
Result<std::vector<FieldChange>> field_changes(const std::vector<std::string>& texts);

}  // namespace byway::cli
