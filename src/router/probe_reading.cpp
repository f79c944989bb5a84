#include "router/probe_reading.hpp"

#include <simdjson.h>

#include <algorithm>

namespace byway::router {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view rate_header_names[] = {
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-limit",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-tokenlimit-limit",
    "x-tokenlimit-remaining",
};

// vLLM, OpenRouter and LM Studio, Groq, Together; llama.cpp tells it inside `meta`.
constexpr std::string_view context_fields[] = {"max_model_len", "context_length", "context_window",
                                               "max_context_length", "n_ctx"};

std::optional<std::int64_t> context_length_in(dom::element row) {
  for (const std::string_view name : context_fields) {
    std::int64_t length = 0;
    if (row[name].get(length) == simdjson::SUCCESS && length > 0) return length;
  }
  return {};
}

}  // namespace

std::string ProbeBody::json() const {
  if (operation == Operation::embeddings) return R"({"input":"Hi"})";
  std::string text = operation == Operation::chat
                         ? R"({"messages":[{"role":"user","content":"Hi"}],")"
                         : R"({"prompt":"Hi",")";
  text.append(length_field).append(R"(":1)");
  if (asks_usage) text += R"(,"stream_options":{"include_usage":true})";
  if (has_tools) {
    text +=
        R"(,"tools":[{"type":"function","function":{"name":"noop","description":"Does nothing",)"
        R"("parameters":{"type":"object","properties":{}}}}])";
  }
  if (has_schema) {
    text += R"(,"response_format":{"type":"json_schema","json_schema":{"name":"empty",)"
            R"("schema":{"type":"object","properties":{},"additionalProperties":false}}})";
  }
  return text + "}";
}

bool wants_other_length(const Error& error) {
  return error.detail().find("max_completion_tokens") != std::string::npos;
}

bool is_for_embeddings(const std::vector<std::string>& tags) {
  const auto has = [&](std::string_view tag) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  };
  return has("embeddings") && !has("chat");
}

bool has_note(const Response& response, std::string_view note) {
  const std::vector<std::string>& notes = response.reply().notes;
  return std::find(notes.begin(), notes.end(), note) != notes.end();
}

void note_rate_headers(const Response& response, std::vector<std::string>& names) {
  for (const std::string_view name : rate_header_names) {
    if (response.header(name).empty()) continue;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }
}

std::optional<std::int64_t> context_length_of(std::string_view models_json,
                                              std::string_view model) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(models_json.data(), models_json.size()).get(root) != simdjson::SUCCESS) {
    return {};
  }
  dom::array rows;
  if (root["data"].get(rows) != simdjson::SUCCESS && root.get(rows) != simdjson::SUCCESS) return {};
  for (const dom::element row : rows) {
    std::string_view id;
    if (row["id"].get(id) != simdjson::SUCCESS || id != model) continue;
    if (const auto length = context_length_in(row)) return length;
    dom::element meta;
    if (row["meta"].get(meta) == simdjson::SUCCESS) return context_length_in(meta);
  }
  return {};
}

}  // namespace byway::router
