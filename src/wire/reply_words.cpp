#include "wire/reply_words.hpp"

#include <optional>

namespace byway::wire {
namespace {

using Count = std::optional<std::int64_t>;

/// Consumes a count; null is absent, anything but a whole number from 0 is odd.
void read_count(JsonCursor& cursor, Count& count, UsageReading& reading) {
  const JsonKind kind = cursor.peek();
  const Count told = cursor.integer_or_skip();
  if (kind == JsonKind::null) return;
  if (!told || *told < 0) {
    reading.is_inconsistent = true;
    return;
  }
  count = told;
}

void read_details(JsonCursor& cursor, UsageReading& reading) {
  if (!cursor.enter_object_or_skip()) return;
  for (JsonString name; cursor.next_member(name);) {
    if (name == "cached_tokens") {
      read_count(cursor, reading.usage.cached_tokens, reading);
    } else if (name == "reasoning_tokens") {
      read_count(cursor, reading.usage.reasoning_tokens, reading);
    } else {
      cursor.skip();
    }
  }
}

bool exceeds(const Count& part, const Count& whole) noexcept {
  return part && whole && *part > *whole;
}

bool is_positive(const Count& count) noexcept {
  return count.value_or(0) > 0;
}

}  // namespace

std::string_view finish_word(std::string_view raw) noexcept {
  struct Word {
    std::string_view raw;
    std::string_view word;
  };
  static constexpr Word words[] = {
      {"eos", "stop"},
      {"eos_token", "stop"},
      {"stop_sequence", "stop"},
      {"stop_token", "stop"},
      {"end_turn", "stop"},
      {"STOP", "stop"},
      {"COMPLETE", "stop"},
      {"complete", "stop"},
      {"max_tokens", "length"},
      {"MAX_TOKENS", "length"},
      {"max_output_tokens", "length"},
      {"model_length", "length"},
      {"tool_use", "tool_calls"},
      {"tool_call", "tool_calls"},
      {"SAFETY", "content_filter"},
      {"completed", "stop"},
  };
  for (const Word& word : words) {
    if (raw == word.raw) return word.word;
  }
  return raw;
}

UsageReading read_usage(JsonCursor& cursor) {
  UsageReading reading;
  Usage& usage = reading.usage;
  if (!cursor.enter_object_or_skip()) return reading;
  for (JsonString name; cursor.next_member(name);) {
    if (name == "prompt_tokens" || name == "input_tokens") {
      read_count(cursor, usage.prompt_tokens, reading);
    } else if (name == "completion_tokens" || name == "output_tokens") {
      read_count(cursor, usage.completion_tokens, reading);
    } else if (name == "total_tokens") {
      read_count(cursor, usage.total_tokens, reading);
    } else if (name == "reasoning_tokens") {
      read_count(cursor, usage.reasoning_tokens, reading);
    } else if (name == "prompt_tokens_details" || name == "input_tokens_details" ||
               name == "completion_tokens_details" || name == "output_tokens_details") {
      read_details(cursor, reading);
    } else {
      cursor.skip();
    }
  }
  reading.is_counted = is_positive(usage.prompt_tokens) || is_positive(usage.completion_tokens) ||
                       is_positive(usage.total_tokens);
  reading.is_inconsistent = reading.is_inconsistent ||
                            exceeds(usage.reasoning_tokens, usage.completion_tokens) ||
                            exceeds(usage.cached_tokens, usage.prompt_tokens);
  return reading;
}

}  // namespace byway::wire
