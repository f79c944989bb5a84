// ResponseEvent: one event of a Responses stream, read into views.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/chunk.hpp"
#include "wire/json_cursor.hpp"
#include "wire/reply_words.hpp"

namespace byway::wire {

/// What the types of the Responses API mean to a fold (OpenAI API reference, "Streaming events").
enum class ResponseEventKind : std::uint8_t {
  other,
  text,
  refusal,
  reasoning,
  tool_begin,
  tool_arguments,
  tool_end,
  head,
  completed,
  failed,
};

struct ResponseEvent {
  ResponseEventKind kind = ResponseEventKind::other;
  JsonString delta = {};
  /// For the tool kinds.
  ToolDelta tool = {};
  /// The `response` object as JSON; empty for none.
  std::string_view response = {};
  bool is_error = false;
};

/// False when `json` is no JSON object. `event_type` stands in for a missing `type`.
bool read_response_event(std::string_view json, std::string_view event_type, ResponseEvent& event);

/// The members of a `response` object that are not output.
struct ResponseHead {
  JsonString id = {};
  JsonString model = {};
  JsonString status = {};
  /// Of incomplete_details.
  JsonString reason = {};
  bool has_usage = false;
  UsageReading usage = {};
  /// As JSON; empty when there is none.
  std::string_view error = {};
  std::string_view output = {};
};
ResponseHead read_response_head(std::string_view json);

/// What a response's end means as a finish reason: "completed", or why it is incomplete.
JsonString finish_of(const ResponseHead& head) noexcept;

/// One item of `output`: a function call read into `tool`, or the text of a message or of reasoning
/// appended.
enum class ItemKind : std::uint8_t { other, message, reasoning, tool };
ItemKind read_output_item(std::string_view json, ToolDelta& tool, std::string& text);

}  // namespace byway::wire
