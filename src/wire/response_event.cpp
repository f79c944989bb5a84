#include "wire/response_event.hpp"

namespace byway::wire {
namespace {

JsonString take_string(JsonCursor& cursor) {
  return cursor.string_or_skip().value_or(JsonString());
}

ResponseEventKind kind_of(std::string_view type) noexcept {
  struct Row {
    std::string_view type;
    ResponseEventKind kind;
  };
  static constexpr Row rows[] = {
      {"response.output_text.delta", ResponseEventKind::text},
      {"response.function_call_arguments.delta", ResponseEventKind::tool_arguments},
      {"response.reasoning_text.delta", ResponseEventKind::reasoning},
      {"response.reasoning_summary_text.delta", ResponseEventKind::reasoning},
      {"response.reasoning.delta", ResponseEventKind::reasoning},
      {"response.refusal.delta", ResponseEventKind::refusal},
      {"response.output_item.added", ResponseEventKind::tool_begin},
      {"response.output_item.done", ResponseEventKind::tool_end},
      {"response.created", ResponseEventKind::head},
      {"response.in_progress", ResponseEventKind::head},
      {"response.completed", ResponseEventKind::completed},
      {"response.incomplete", ResponseEventKind::completed},
      {"response.failed", ResponseEventKind::failed},
      {"response.cancelled", ResponseEventKind::failed},
      {"error", ResponseEventKind::failed},
  };
  for (const Row& row : rows) {
    if (row.type == type) return row.kind;
  }
  return ResponseEventKind::other;
}

bool is_told_error(JsonCursor& cursor) {
  const JsonKind kind = cursor.peek();
  const std::string_view value = cursor.skip();
  return kind != JsonKind::null && kind != JsonKind::none && value != "\"\"" && value != "false";
}

/// Text of `content` or `summary`, which are lists of parts.
void append_item_text(std::string& text, JsonCursor& cursor) {
  append_parts(text, cursor.skip());
}

}  // namespace

bool read_response_event(std::string_view json, std::string_view event_type, ResponseEvent& event) {
  event = {};
  JsonCursor cursor(json);
  if (cursor.peek() != JsonKind::object) return false;
  JsonString type{event_type, false};
  std::optional<std::int64_t> output_index;
  std::string_view item;
  cursor.enter_object();
  for (JsonString name; cursor.next_member(name);) {
    if (name == "type") {
      type = cursor.string_or_skip().value_or(type);
    } else if (name == "delta") {
      event.delta = take_string(cursor);
    } else if (name == "output_index") {
      output_index = cursor.integer_or_skip();
    } else if (name == "item") {
      item = cursor.skip();
    } else if (name == "response") {
      event.response = cursor.skip();
    } else if (name == "error") {
      event.is_error = is_told_error(cursor);
    } else {
      cursor.skip();
    }
  }
  if (!cursor.finish()) return false;
  event.kind = kind_of(type.raw);
  if (event.kind == ResponseEventKind::tool_begin || event.kind == ResponseEventKind::tool_end) {
    std::string unused;
    if (read_output_item(item, event.tool, unused) != ItemKind::tool) {
      event.kind = ResponseEventKind::other;
    }
  } else if (event.kind == ResponseEventKind::tool_arguments) {
    event.tool.arguments = event.delta;
  }
  event.tool.index = output_index;
  return true;
}

ResponseHead read_response_head(std::string_view json) {
  ResponseHead head;
  JsonCursor cursor(json);
  if (!cursor.enter_object_or_skip()) return head;
  for (JsonString name; cursor.next_member(name);) {
    if (name == "id") {
      head.id = take_string(cursor);
    } else if (name == "model") {
      head.model = take_string(cursor);
    } else if (name == "status") {
      head.status = take_string(cursor);
    } else if (name == "usage") {
      head.has_usage = cursor.peek() == JsonKind::object;
      head.usage = read_usage(cursor);
    } else if (name == "error") {
      const JsonKind kind = cursor.peek();
      const std::string_view error = cursor.skip();
      if (kind == JsonKind::object || kind == JsonKind::string) head.error = error;
    } else if (name == "output") {
      head.output = cursor.skip();
    } else if (name == "incomplete_details") {
      if (!cursor.enter_object_or_skip()) continue;
      for (JsonString detail; cursor.next_member(detail);) {
        if (detail == "reason") {
          head.reason = take_string(cursor);
        } else {
          cursor.skip();
        }
      }
    } else {
      cursor.skip();
    }
  }
  return head;
}

JsonString finish_of(const ResponseHead& head) noexcept {
  if (!head.reason.raw.empty()) return head.reason;
  if (!head.status.raw.empty()) return head.status;
  return {"completed", false};
}

ItemKind read_output_item(std::string_view json, ToolDelta& tool, std::string& text) {
  JsonCursor cursor(json);
  if (!cursor.enter_object_or_skip()) return ItemKind::other;
  JsonString type;
  JsonString item_id;
  for (JsonString name; cursor.next_member(name);) {
    if (name == "type") {
      type = take_string(cursor);
    } else if (name == "call_id") {
      tool.id = take_string(cursor);
    } else if (name == "id") {
      item_id = take_string(cursor);
    } else if (name == "name") {
      tool.name = take_string(cursor);
    } else if (name == "arguments") {
      if (cursor.peek() == JsonKind::object) {
        tool.arguments_json = cursor.skip();
      } else {
        tool.arguments = take_string(cursor);
      }
    } else if (name == "content" || name == "summary") {
      append_item_text(text, cursor);
    } else {
      cursor.skip();
    }
  }
  if (type == "function_call") {
    if (tool.id.raw.empty()) tool.id = item_id;
    return ItemKind::tool;
  }
  if (type == "message") return ItemKind::message;
  return type == "reasoning" ? ItemKind::reasoning : ItemKind::other;
}

}  // namespace byway::wire
