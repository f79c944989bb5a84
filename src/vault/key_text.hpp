// A master key as text: hex or base64.
#pragma once

#include <string_view>

#include <byway/result.hpp>
#include <byway/secret.hpp>

namespace byway::vault {

/// 32 bytes from 64 hex digits of either case, or from base64 (RFC 4648 sections 4 and 5, with or
/// without padding, unused bits zero) and nothing around it. Code: vault_key_format.
Result<Secret> key_from_text(std::string_view text);

/// The same from a file's content: exactly 32 bytes, or one line of text with or without its line
/// end. Code: vault_key_format.
Result<Secret> key_from_content(std::string_view content);

/// 64 hex digits and a line feed.
Secret key_to_line(const Secret& key);

}  // namespace byway::vault
