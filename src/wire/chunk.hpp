// Chunk: one JSON text of a chat or completions reply, read into views: an event of a stream, or
// the whole reply.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json_cursor.hpp"
#include "wire/reply_words.hpp"

namespace byway::wire {

/// One entry of `tool_calls`, or the older `function_call`.
struct ToolDelta {
  /// Absent is not 0 (SamSaffron/term-llm#314).
  std::optional<std::int64_t> index = {};
  JsonString id = {};
  JsonString name = {};
  JsonString arguments = {};
  /// Arguments that came as an object instead of text.
  std::string_view arguments_json = {};
};

struct ChoiceDelta {
  int index = 0;
  /// Whether there is a delta, a message or a text at all: Azure sends choices without.
  bool has_delta = false;
  JsonString content = {};
  /// Content that came as a list of parts (Databricks), as JSON.
  std::string_view content_parts = {};
  JsonString refusal = {};
  JsonString reasoning = {};
  JsonString reasoning_content = {};
  std::string_view reasoning_details = {};
  JsonString finish = {};
  /// A choice's own error (OpenRouter), as JSON.
  std::string_view error = {};
  std::size_t tools_begin = 0;
  std::size_t tools_end = 0;
};

/// Holds views of the text it was read from, and its vectors between readings.
struct Chunk {
  bool is_error = false;
  bool has_choices = false;
  bool has_usage = false;
  UsageReading usage = {};
  JsonString id = {};
  JsonString model = {};
  std::vector<ChoiceDelta> choices = {};
  std::vector<ToolDelta> tools = {};

  void clear() noexcept;
  /// Whether something is there that a reply is made of; `{}` has nothing.
  bool has_meaning() const noexcept { return is_error || has_choices || has_usage; }
};

/// Reads `json` into `chunk`, which is cleared first. False when it is no JSON object. Everything
/// may be missing or null.
bool read_chunk(std::string_view json, Chunk& chunk);

/// Appends the text of a list of parts: {"type":"text","text":"..."}, the "summary" of reasoning
/// details, or plain strings.
void append_parts(std::string& out, std::string_view parts);

}  // namespace byway::wire
