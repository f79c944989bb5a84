// Usage and finish reasons, under all their names.
#pragma once

#include <string_view>

#include <byway/response.hpp>

#include "wire/json_cursor.hpp"

namespace byway::wire {

/// OpenAI's word for a server's finish reason: "eos_token" and "eos" are "stop", "max_tokens" is
/// "length"; its own word where there is none.
std::string_view finish_word(std::string_view raw) noexcept;

/// What a `usage` member told.
struct UsageReading {
  Usage usage = {};
  /// Some count is there and not zero. Zeros alone mean "not counted yet" (Ollama's completions).
  bool is_counted = false;
  /// A count is negative, no integer, or a part larger than its whole.
  bool is_inconsistent = false;
};

/// Consumes the value of `usage`: prompt_tokens or input_tokens, completion_tokens or
/// output_tokens, total_tokens, and from the details cached_tokens and reasoning_tokens.
UsageReading read_usage(JsonCursor& cursor);

}  // namespace byway::wire
