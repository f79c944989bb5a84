#include "cli/field_changes.hpp"

namespace byway::cli {

Result<std::vector<FieldChange>> field_changes(const std::vector<std::string>& texts) {
  std::vector<FieldChange> changes;
  for (const std::string_view text : texts) {
    const std::size_t at = text.find('=');
    if (at == std::string_view::npos || at == 0) {
      return Error(ErrorCode::request_invalid, "'" + std::string(text) + "' is not FIELD=VALUE");
    }
    changes.push_back({text.substr(0, at), text.substr(at + 1)});
  }
  return changes;
}

}  // namespace byway::cli
