// Repairs text so that it is valid UTF-8, and writes JSON scalars.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace byway::wire {

bool is_utf8(std::string_view bytes) noexcept;
/// Appends `bytes` with every byte that belongs to no well-formed sequence replaced by U+FFFD.
/// True when something was replaced.
bool append_repaired(std::string& out, std::string_view bytes);
/// `text` as a JSON string literal, quotes included.
std::string json_quote(std::string_view text);
void append_integer(std::string& out, std::int64_t number);
/// The longest prefix of at most `bytes_max` bytes that ends between two characters.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace byway::wire
