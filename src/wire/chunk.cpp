#include "wire/chunk.hpp"

namespace byway::wire {
namespace {

/// Choices from this index on are passed over: Byway refuses n over 1,024.
constexpr std::int64_t choices_max = 4096;

void take_string(JsonCursor& cursor, JsonString& target) {
  if (const auto text = cursor.string_or_skip(); text && !text->raw.empty()) target = *text;
}

void read_function(JsonCursor& cursor, ToolDelta& tool) {
  if (!cursor.enter_object_or_skip()) return;
  for (JsonString name; cursor.next_member(name);) {
    if (name == "arguments") {
      if (cursor.peek() == JsonKind::object) {
        tool.arguments_json = cursor.skip();
      } else {
        take_string(cursor, tool.arguments);
      }
    } else if (name == "name") {
      take_string(cursor, tool.name);
    } else {
      cursor.skip();
    }
  }
}

void read_tool(JsonCursor& cursor, Chunk& chunk) {
  if (!cursor.enter_object_or_skip()) return;
  ToolDelta& tool = chunk.tools.emplace_back();
  for (JsonString name; cursor.next_member(name);) {
    if (name == "index") {
      tool.index = cursor.integer_or_skip();
    } else if (name == "id") {
      take_string(cursor, tool.id);
    } else if (name == "function") {
      read_function(cursor, tool);
    } else {
      cursor.skip();
    }
  }
}

void read_tools(JsonCursor& cursor, Chunk& chunk) {
  if (!cursor.enter_array_or_skip()) return;
  while (cursor.next_element()) read_tool(cursor, chunk);
}

void read_content(JsonCursor& cursor, ChoiceDelta& choice) {
  if (cursor.peek() == JsonKind::array) {
    choice.content_parts = cursor.skip();
  } else {
    take_string(cursor, choice.content);
  }
}

/// A `delta` or a `message`.
void read_delta(JsonCursor& cursor, ChoiceDelta& choice, Chunk& chunk) {
  if (!cursor.enter_object_or_skip()) return;
  choice.has_delta = true;
  for (JsonString name; cursor.next_member(name);) {
    if (name == "content") {
      read_content(cursor, choice);
    } else if (name == "reasoning") {
      take_string(cursor, choice.reasoning);
    } else if (name == "reasoning_content") {
      take_string(cursor, choice.reasoning_content);
    } else if (name == "reasoning_details") {
      choice.reasoning_details = cursor.skip();
    } else if (name == "tool_calls") {
      read_tools(cursor, chunk);
    } else if (name == "function_call") {
      if (cursor.peek() == JsonKind::object) {
        read_function(cursor, chunk.tools.emplace_back());
      } else {
        cursor.skip();
      }
    } else if (name == "refusal") {
      take_string(cursor, choice.refusal);
    } else {
      cursor.skip();
    }
  }
}

void read_choice(JsonCursor& cursor, std::int64_t position, Chunk& chunk) {
  if (!cursor.enter_object_or_skip()) return;
  ChoiceDelta choice;
  std::int64_t index = position;
  choice.tools_begin = chunk.tools.size();
  std::string_view message;
  for (JsonString name; cursor.next_member(name);) {
    if (name == "index") {
      index = cursor.integer_or_skip().value_or(position);
    } else if (name == "delta") {
      read_delta(cursor, choice, chunk);
    } else if (name == "text") {
      choice.has_delta = true;
      take_string(cursor, choice.content);
    } else if (name == "finish_reason") {
      take_string(cursor, choice.finish);
    } else if (name == "message") {
      message = cursor.skip();
    } else if (name == "error") {
      choice.error = cursor.peek() == JsonKind::object ? cursor.skip() : std::string_view();
      if (choice.error.empty()) cursor.skip();
    } else {
      cursor.skip();
    }
  }
  // Perplexity repeats all text so far in a `message` beside each delta.
  if (!choice.has_delta && !message.empty()) {
    JsonCursor inside(message);
    read_delta(inside, choice, chunk);
  }
  choice.tools_end = chunk.tools.size();
  if (index < 0 || index >= choices_max) return;
  choice.index = static_cast<int>(index);
  chunk.choices.push_back(choice);
}

void read_choices(JsonCursor& cursor, Chunk& chunk) {
  if (cursor.peek() != JsonKind::array) {
    cursor.skip();
    return;
  }
  chunk.has_choices = true;
  cursor.enter_array();
  for (std::int64_t position = 0; cursor.next_element(); ++position) {
    read_choice(cursor, position, chunk);
  }
}

void read_error_flag(JsonCursor& cursor, Chunk& chunk) {
  switch (cursor.peek()) {
    case JsonKind::null: cursor.read_null(); return;
    case JsonKind::boolean: chunk.is_error = cursor.read_boolean() || chunk.is_error; return;
    case JsonKind::string:
      chunk.is_error = !cursor.read_string().raw.empty() || chunk.is_error;
      return;
    default: chunk.is_error = true; cursor.skip();
  }
}

void read_member(JsonCursor& cursor, const JsonString& name, Chunk& chunk) {
  if (name == "choices") {
    read_choices(cursor, chunk);
  } else if (name == "id") {
    take_string(cursor, chunk.id);
  } else if (name == "model") {
    take_string(cursor, chunk.model);
  } else if (name == "usage") {
    chunk.has_usage = cursor.peek() == JsonKind::object;
    chunk.usage = read_usage(cursor);
  } else if (name == "error") {
    read_error_flag(cursor, chunk);
  } else if (name == "object") {
    const auto object = cursor.string_or_skip();
    chunk.is_error = chunk.is_error || (object && *object == "error");
  } else {
    cursor.skip();
  }
}

void append_part(std::string& out, JsonCursor& cursor) {
  if (cursor.peek() == JsonKind::string) return cursor.read_string().append_to(out);
  if (!cursor.enter_object_or_skip()) return;
  for (JsonString name; cursor.next_member(name);) {
    if (name == "text" || name == "summary") {
      if (const auto text = cursor.string_or_skip()) text->append_to(out);
    } else {
      cursor.skip();
    }
  }
}

}  // namespace

void Chunk::clear() noexcept {
  is_error = has_choices = has_usage = false;
  usage = {};
  id = model = {};
  choices.clear();
  tools.clear();
}

bool read_chunk(std::string_view json, Chunk& chunk) {
  chunk.clear();
  JsonCursor cursor(json);
  if (cursor.peek() != JsonKind::object) return false;
  cursor.enter_object();
  for (JsonString name; cursor.next_member(name);) read_member(cursor, name, chunk);
  return cursor.finish();
}

void append_parts(std::string& out, std::string_view parts) {
  JsonCursor cursor(parts);
  if (!cursor.enter_array_or_skip()) return;
  while (cursor.next_element()) append_part(out, cursor);
}

}  // namespace byway::wire
