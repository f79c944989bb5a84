// Base64, as text that holds sealed keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace byway::registry {

/// RFC 4648 section 4, with padding.
std::string base64_of(std::string_view bytes);
/// Nothing unless the text is exactly what base64_of() makes of some bytes.
std::optional<std::string> bytes_of_base64(std::string_view text);

}  // namespace byway::registry
