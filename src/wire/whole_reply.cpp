#include "wire/whole_reply.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "wire/ascii.hpp"
#include "wire/chunk.hpp"
#include "wire/embedding.hpp"
#include "wire/json_write.hpp"
#include "wire/reply_fold.hpp"
#include "wire/response_event.hpp"

namespace byway::wire {
namespace {

void fold_text_reply(std::string_view json, ReplyFold& fold) {
  Chunk chunk;
  if (!read_chunk(json, chunk)) return;
  fold.begin(json.size());
  fold.take_head(chunk);
  for (const ChoiceDelta& choice : chunk.choices) {
    // The entries of a whole list are calls of their own, whatever they call themselves (Ollama
    // gives all of them index 0).
    for (std::size_t tool = choice.tools_begin; tool < choice.tools_end; ++tool) {
      chunk.tools[tool].index = static_cast<std::int64_t>(tool);
    }
    fold.take_choice(choice, chunk);
  }
}

/// One reply, or an array of them: what old llama.cpp builds answer to n > 1, all with index 0.
void read_text_reply(std::string_view body, Reply& reply) {
  JsonCursor cursor(body);
  if (cursor.peek() != JsonKind::array) {
    ReplyFold fold;
    fold_text_reply(body, fold);
    reply = fold.take();
    return;
  }
  cursor.enter_array();
  while (cursor.next_element()) {
    ReplyFold fold;
    fold_text_reply(cursor.skip(), fold);
    Reply part = fold.take();
    if (reply.choices.empty()) {
      reply = std::move(part);
      continue;
    }
    for (Choice& choice : part.choices) {
      choice.index = static_cast<int>(reply.choices.size());
      reply.choices.push_back(std::move(choice));
    }
  }
}

void read_response_output(std::string_view output, ReplyFold& fold) {
  JsonCursor cursor(output);
  if (!cursor.enter_array_or_skip()) return;
  for (std::int64_t position = 0; cursor.next_element(); ++position) {
    ToolDelta tool;
    std::string text;
    const ItemKind kind = read_output_item(cursor.skip(), tool, text);
    tool.index = position;
    if (kind == ItemKind::message) fold.choice(0).text.append(text);
    if (kind == ItemKind::reasoning) fold.choice(0).reasoning.append(text);
    if (kind == ItemKind::tool) fold.take_tool(0, tool);
  }
}

void read_response_reply(std::string_view body, Reply& reply) {
  const ResponseHead head = read_response_head(body);
  ReplyFold fold;
  fold.begin(body.size());
  fold.take_id(head.id);
  fold.take_model(head.model);
  if (head.has_usage) fold.take_usage(head.usage);
  read_response_output(head.output, fold);
  if (fold.has_choices()) {
    std::string finish;
    finish_of(head).append_to(finish);
    fold.finish_choice(0, finish);
  }
  reply = fold.take();
}

/// One row of a list: what embeddings, rerank and models call its parts.
struct Row {
  std::int64_t index = 0;
  std::optional<double> score = {};
  std::string id = {};
  std::vector<float> vector = {};
  bool has_vector = false;
};

Row read_row(JsonCursor& cursor, std::int64_t position) {
  Row row;
  row.index = position;
  if (cursor.peek() == JsonKind::string) {
    cursor.read_string().append_to(row.id);
    return row;
  }
  if (!cursor.enter_object_or_skip()) return row;
  for (JsonString name; cursor.next_member(name);) {
    if (name == "index") {
      row.index = cursor.integer_or_skip().value_or(position);
    } else if (name == "embedding") {
      row.has_vector = read_embedding(cursor, row.vector);
    } else if (name == "relevance_score" || name == "score" || name == "logit") {
      if (cursor.peek() == JsonKind::number) {
        row.score = double_of(cursor.read_number());
      } else {
        cursor.skip();
      }
    } else if (name == "id" || (name == "name" && row.id.empty()) ||
               (name == "model" && row.id.empty())) {
      if (const auto text = cursor.string_or_skip()) {
        row.id.clear();
        text->append_to(row.id);
      }
    } else {
      cursor.skip();
    }
  }
  return row;
}

std::vector<Row> read_rows(JsonCursor& cursor) {
  std::vector<Row> rows;
  if (!cursor.enter_array_or_skip()) return rows;
  for (std::int64_t position = 0; cursor.next_element(); ++position) {
    rows.push_back(read_row(cursor, position));
  }
  return rows;
}

bool is_list_name(Operation operation, const JsonString& name) noexcept {
  if (name == "data") return true;
  if (operation == Operation::rerank) return name == "results" || name == "rankings";
  return operation == Operation::models && name == "models";
}

/// The rows of a list in any of its shapes (T56, T58, T59), with id, model and usage beside it.
std::vector<Row> read_list(Operation operation, std::string_view body, Reply& reply) {
  JsonCursor cursor(body);
  if (cursor.peek() == JsonKind::array) return read_rows(cursor);
  std::vector<Row> rows;
  if (!cursor.enter_object_or_skip()) return rows;
  ReplyFold head;
  for (JsonString name; cursor.next_member(name);) {
    if (is_list_name(operation, name) && cursor.peek() == JsonKind::array) {
      rows = read_rows(cursor);
    } else if (name == "usage") {
      const bool has_usage = cursor.peek() == JsonKind::object;
      const UsageReading usage = read_usage(cursor);
      if (has_usage) head.take_usage(usage);
    } else if (name == "model") {
      if (const auto text = cursor.string_or_skip()) head.take_model(*text);
    } else if (name == "id") {
      if (const auto text = cursor.string_or_skip()) head.take_id(*text);
    } else {
      cursor.skip();
    }
  }
  reply = head.take();
  return rows;
}

/// Whether the sorted rows are one vector per input, all of one width.
bool are_vectors(const std::vector<Row>& rows) {
  std::int64_t expected = 0;
  return std::all_of(rows.begin(), rows.end(), [&](const Row& row) {
    return row.has_vector && !row.vector.empty() && row.index == expected++ &&
           row.vector.size() == rows.front().vector.size();
  });
}

void read_embeddings(std::string_view body, Reply& reply) {
  std::vector<Row> rows = read_list(Operation::embeddings, body, reply);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& left, const Row& right) { return left.index < right.index; });
  // judge_whole() refuses such a body for its rows; base64 that does not decode is found here.
  if (!are_vectors(rows)) {
    reply.notes.emplace_back("embedding_rows");
    return;
  }
  reply.has_embeddings = true;
  for (Row& row : rows) reply.embeddings.push_back(std::move(row.vector));
}

void read_rerank(std::string_view body, Reply& reply) {
  for (const Row& row : read_list(Operation::rerank, body, reply)) {
    reply.items.push_back({row.index, row.score.value_or(0), {}});
  }
  std::stable_sort(reply.items.begin(), reply.items.end(),
                   [](const Item& left, const Item& right) { return left.score > right.score; });
  reply.has_items = true;
}

void read_models(std::string_view body, Reply& reply) {
  std::int64_t position = 0;
  for (Row& row : read_list(Operation::models, body, reply)) {
    reply.items.push_back({position++, 0, std::move(row.id)});
  }
  reply.has_items = true;
}

}  // namespace

void read_whole_reply(Operation operation, std::string_view body, Reply& reply) {
  body = trimmed(body);
  std::string repaired;
  const bool is_repaired = !is_utf8(body) && append_repaired(repaired, body);
  if (is_repaired) body = repaired;
  switch (operation) {
    case Operation::chat:
    case Operation::completions: read_text_reply(body, reply); break;
    case Operation::responses: read_response_reply(body, reply); break;
    case Operation::embeddings: read_embeddings(body, reply); break;
    case Operation::rerank: read_rerank(body, reply); break;
    case Operation::models: read_models(body, reply); break;
  }
  if (is_repaired) reply.notes.emplace_back("invalid_utf8");
}

}  // namespace byway::wire
