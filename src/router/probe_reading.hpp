// ProbeBody: what a probe sends, and readings of what comes back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/request.hpp>
#include <byway/response.hpp>

namespace byway::router {

/// A request of one fixed word and one token.
struct ProbeBody {
  Operation operation = Operation::chat;
  /// "max_tokens" or "max_completion_tokens"; chat and completions only.
  std::string_view length_field = {};
  bool asks_usage = false;
  bool has_tools = false;
  bool has_schema = false;
  std::string json() const;
};

/// Whether the server refused max_tokens and named max_completion_tokens instead.
bool wants_other_length(const Error& error);

/// Whether the tags speak of embeddings and not of chat.
bool is_for_embeddings(const std::vector<std::string>& tags);

bool has_note(const Response& response, std::string_view note);

/// Adds the names of rate-limit headers of the answer, each once.
void note_rate_headers(const Response& response, std::vector<std::string>& names);

/// The context length that a models answer tells of a model, under any of the names that servers
/// use; absent when it does not.
std::optional<std::int64_t> context_length_of(std::string_view models_json, std::string_view model);

}  // namespace byway::router
