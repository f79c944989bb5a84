// What an upstream key may be, and what may be shown of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <byway/result.hpp>

namespace byway::vault {

inline constexpr std::size_t upstream_secret_bytes_max = 8192;

/// Printable ASCII, no space at either end, 1 to 8,192 bytes: what one header value can carry.
/// Code: vault_secret_invalid, with a message that says where but never what.
Result<void> validate_upstream_secret(std::string_view secret);

/// First 4 characters and "...", or "****" for fewer than 12 (governance.md section 1).
std::string preview_of(std::string_view secret);

}  // namespace byway::vault
