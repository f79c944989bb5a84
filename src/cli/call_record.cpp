#include "cli/call_record.hpp"

#include <fmt/format.h>

#include "cli/json.hpp"

namespace byway::cli {
namespace {

const Choice& first_choice(const Reply& reply) {
  static const Choice none;
  for (const Choice& choice : reply.choices) {
    if (choice.index == 0) return choice;
  }
  return none;
}

std::string tools_json(const Choice& choice) {
  return json_list(choice.tools, [](const ToolCall& tool) {
    return Json()
        .text("id", tool.id)
        .text("name", tool.name)
        .text("arguments", tool.arguments)
        .str();
  });
}

Json& add_choice(Json& json, const Choice& choice) {
  return json.text("text", choice.text)
      .text("reasoning", choice.reasoning)
      .raw("tools", tools_json(choice))
      .text_or_null("finish", choice.finish);
}

std::string usage_json(const Reply& reply) {
  if (!reply.has_usage) return "null";
  const Usage& usage = reply.usage;
  Json json;
  json.number("prompt_tokens", usage.prompt_tokens);
  json.number("completion_tokens", usage.completion_tokens);
  json.number("total_tokens", usage.total_tokens);
  if (usage.cached_tokens) json.number("cached_tokens", usage.cached_tokens);
  if (usage.reasoning_tokens) json.number("reasoning_tokens", usage.reasoning_tokens);
  return json.str();
}

std::string embeddings_json(const Reply& reply) {
  if (!reply.has_embeddings) return "null";
  return json_list(reply.embeddings, [](const std::vector<float>& vector) {
    return json_list(vector, [](float value) { return fmt::format("{}", value); });
  });
}

std::string items_json(Operation operation, const Reply& reply) {
  if (!reply.has_items) return "null";
  return json_list(reply.items, [&](const Item& item) {
    if (operation == Operation::models) return json_text(item.id);
    return Json().number("index", item.index).raw("score", fmt::format("{}", item.score)).str();
  });
}

std::string milliseconds(std::chrono::nanoseconds time) {
  return json_number(static_cast<double>(time.count()) / 1e6, 1);
}

void add_metadata(Json& json, const Metadata& metadata, const Reply& reply) {
  json.number("attempts", metadata.attempts);
  json.text_or_null("provider", metadata.provider);
  json.text_or_null("model_served", reply.model_served);
  json.text_or_null("request_id", metadata.request_id);
  if (metadata.status == 0) {
    json.null("status");
  } else {
    json.number("status", metadata.status);
  }
  json.raw("latency_ms", milliseconds(metadata.latency));
  json.number("overhead_us", metadata.overhead.count() / 1000);
}

}  // namespace

std::string record_error(const Error& error) {
  Json json;
  json.text("code", error.name());
  json.text_or_null("class", name_of(error.upstream_class()));
  json.text_or_null("cause", error.cause());
  if (error.http_status() == 0) {
    json.null("status");
  } else {
    json.number("status", error.http_status());
  }
  json.text("message", error.message()).flag("retryable", error.retryable());
  json.text("sent", name_of(error.sent()));
  const auto wait = error.retry_after();
  json.number("retry_after_ms", wait ? std::optional<std::int64_t>(wait->count()) : std::nullopt);
  return json.str();
}

std::string call_record(Operation operation, const Result<Response>& result, const Reply& partial) {
  const Reply& reply = result ? result->reply() : partial;
  Json json;
  json.flag("ok", result.has_value());
  json.raw("error", result ? "null" : record_error(result.error()));
  add_choice(json, first_choice(reply));
  json.raw("usage", usage_json(reply)).raw("embeddings", embeddings_json(reply));
  json.raw("items", items_json(operation, reply));
  json.raw("notes", json_list(reply.notes, json_text)).number("deltas", reply.deltas);
  add_metadata(json, result ? result->metadata() : result.error().metadata(), reply);
  if (reply.choices.size() > 1) {
    json.raw("choices", json_list(reply.choices, [](const Choice& choice) {
               Json one;
               return add_choice(one.number("index", choice.index), choice).str();
             }));
  }
  return json.str();
}

}  // namespace byway::cli
