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

/// What `echo` has to give back: several tokens in any vocabulary.
inline constexpr std::string_view echo_prompt = "One two three four five";

/// A request of fixed words; of one token unless said otherwise.
struct ProbeBody {
  Operation operation = Operation::chat;
  /// "max_tokens" or "max_completion_tokens"; chat and completions only.
  std::string_view length_field = {};
  bool asks_usage = false;
  bool has_tools = false;
  /// With tools: that one is called.
  bool must_call = false;
  bool has_schema = false;
  bool has_logprobs = false;
  /// Completions only: the prompt back, with log probabilities.
  bool has_echo = false;
  int length = 1;
  std::string json() const;
};

/// Whether the server refused max_tokens and named max_completion_tokens instead.
bool wants_other_length(const Error& error);

/// Whether the tags speak of embeddings and not of chat.
bool is_for_embeddings(const std::vector<std::string>& tags);

bool has_note(const Response& response, std::string_view note);

/// Adds the names of rate-limit headers of the answer, each once.
void note_rate_headers(const Response& response, std::vector<std::string>& names);

/// Whether the reply's first choice has log probabilities of at least so many tokens that can be
/// true: none above zero, absent for the first token at most, and not one number for all.
bool has_logprobs(std::string_view reply_json, std::size_t tokens_min);

/// Whether the text is an object that the schema of ProbeBody allows.
bool keeps_probe_schema(std::string_view text);

/// `owned_by` of each listed model that has one.
std::vector<std::string> owners_in(std::string_view models_json);

/// The context length that a models answer tells of a model, under any of the names that servers
/// use; absent when it does not.
std::optional<std::int64_t> context_length_of(std::string_view models_json, std::string_view model);

}  // namespace byway::router
