// Embedding vectors, as numbers or as base64.
#pragma once

#include <string_view>
#include <vector>

#include "wire/json_cursor.hpp"

namespace byway::wire {

/// Consumes one `embedding` value into `vector`: an array of numbers, or base64 of little-endian
/// IEEE 754 single floats (OpenAI's encoding_format "base64"). False, and an empty vector, for
/// anything else.
bool read_embedding(JsonCursor& cursor, std::vector<float>& vector);

/// Appends the floats; false when `text` is no base64 of whole floats (RFC 4648, padding optional).
bool append_base64_floats(std::string_view text, std::vector<float>& vector);

}  // namespace byway::wire
