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

/// Adds what is a log probability; false at one that cannot be.
bool add_logprob(dom::element value, std::vector<double>& found) {
  if (value.is_null()) return found.empty();  // the first token of a prompt has none
  double number = 1;
  if (value.get(number) != simdjson::SUCCESS || number > 1e-6) return false;
  found.push_back(number);
  return true;
}

/// `logprobs` of a choice: OpenAI's chat form, or that of completions, which some servers use for
/// chat too.
bool read_logprobs(dom::element logprobs, std::vector<double>& found) {
  dom::array tokens;
  if (logprobs["content"].get(tokens) == simdjson::SUCCESS) {
    for (const dom::element token : tokens) {
      dom::element value;
      if (token["logprob"].get(value) != simdjson::SUCCESS || !add_logprob(value, found)) {
        return false;
      }
    }
    return true;
  }
  if (logprobs["token_logprobs"].get(tokens) != simdjson::SUCCESS) return false;
  for (const dom::element value : tokens) {
    if (!add_logprob(value, found)) return false;
  }
  return true;
}

}  // namespace

std::string ProbeBody::json() const {
  if (operation == Operation::embeddings) return R"({"input":"Hi"})";
  std::string text = R"({"prompt":"Hi",")";
  if (operation == Operation::chat) text = R"({"messages":[{"role":"user","content":"Hi"}],")";
  if (has_echo) text.assign(R"({"prompt":")").append(echo_prompt).append(R"(",")");
  text.append(length_field).append("\":").append(std::to_string(length));
  if (has_echo) text += R"(,"echo":true,"logprobs":1)";
  if (has_logprobs) text += R"(,"logprobs":true,"top_logprobs":1)";
  if (asks_usage) text += R"(,"stream_options":{"include_usage":true})";
  if (has_tools) {
    text +=
        R"(,"tools":[{"type":"function","function":{"name":"noop","description":"Does nothing",)"
        R"("parameters":{"type":"object","properties":{}}}}])";
    if (must_call) text += R"(,"tool_choice":"required")";
  }
  if (has_schema) {
    text += R"(,"response_format":{"type":"json_schema","json_schema":{"name":"flag",)"
            R"("schema":{"type":"object","properties":{"ok":{"type":"boolean"}},)"
            R"("required":["ok"],"additionalProperties":false}}})";
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

bool has_logprobs(std::string_view reply_json, std::size_t tokens_min) {
  dom::parser parser;
  dom::element root;
  dom::element logprobs;
  if (parser.parse(reply_json.data(), reply_json.size()).get(root) != simdjson::SUCCESS ||
      root["choices"].at(0)["logprobs"].get(logprobs) != simdjson::SUCCESS) {
    return false;
  }
  std::vector<double> found;
  if (!read_logprobs(logprobs, found) || found.size() < tokens_min) return false;
  // One number for every token is a placeholder, and so is a certainty of all of them.
  const auto differs = [&](double value) { return value != found.front(); };
  return found.size() == 1 ? found.front() != 0 : std::any_of(found.begin(), found.end(), differs);
}

bool keeps_probe_schema(std::string_view text) {
  dom::parser parser;
  dom::object object;
  bool flag = false;
  return parser.parse(text.data(), text.size()).get(object) == simdjson::SUCCESS &&
         object.size() == 1 && object["ok"].get(flag) == simdjson::SUCCESS;
}

std::vector<std::string> owners_in(std::string_view models_json) {
  std::vector<std::string> owners;
  dom::parser parser;
  dom::element root;
  dom::array rows;
  if (parser.parse(models_json.data(), models_json.size()).get(root) != simdjson::SUCCESS ||
      (root["data"].get(rows) != simdjson::SUCCESS && root.get(rows) != simdjson::SUCCESS)) {
    return owners;
  }
  for (const dom::element row : rows) {
    std::string_view owner;
    if (row["owned_by"].get(owner) == simdjson::SUCCESS) owners.emplace_back(owner);
  }
  return owners;
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
