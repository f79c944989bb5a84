// Writes text as a JSON string.
#pragma once

#include <string>
#include <string_view>

namespace byway::base {

/// Appends `text` as a JSON string literal, quotes included. Control characters, quotes and
/// backslashes are escaped; bytes that are not UTF-8 become U+FFFD, so that what comes out is
/// always valid JSON.
void append_json_quoted(std::string& out, std::string_view text);

}  // namespace byway::base
