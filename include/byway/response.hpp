// Response: what the upstream said, its bytes and readings of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/metadata.hpp>
#include <byway/result.hpp>

namespace byway {

/// One tool call of a reply. `arguments` is JSON text as the model wrote it.
struct ToolCall {
  std::string id = {};
  std::string name = {};
  std::string arguments = {};
};

/// Token counts as the upstream sent them; what it did not send stays absent. Never added up from
/// parts.
struct Usage {
  std::optional<std::int64_t> prompt_tokens = {};
  std::optional<std::int64_t> completion_tokens = {};
  std::optional<std::int64_t> total_tokens = {};
  std::optional<std::int64_t> cached_tokens = {};
  std::optional<std::int64_t> reasoning_tokens = {};
};

/// One answer of several (`n` > 1), by index.
struct Choice {
  int index = 0;
  std::string text = {};
  /// Thinking, under whichever name the server sends it.
  std::string reasoning = {};
  std::vector<ToolCall> tools = {};
  /// OpenAI's word where the server's maps to one ("eos_token" is "stop"), else the server's own;
  /// empty when unknown.
  std::string finish = {};
  /// The server's own word.
  std::string finish_raw = {};
};

/// One row of a rerank or models answer.
struct Item {
  /// The document's index in the request; the row number for models.
  std::int64_t index = 0;
  /// Rerank only.
  double score = 0;
  /// Models only: the upstream's model id.
  std::string id = {};
};

/// Everything read from a reply, whole or folded from a stream; on a failed stream, what had
/// arrived.
struct Reply {
  std::vector<Choice> choices = {};
  Usage usage = {};
  bool has_usage = false;
  /// embeddings: one vector per input, in input order.
  std::vector<std::vector<float>> embeddings = {};
  bool has_embeddings = false;
  std::vector<Item> items = {};
  bool has_items = false;
  /// The upstream's id and model of the reply; empty when not told.
  std::string id = {};
  std::string model_served = {};
  /// Deviations worth knowing: "no_done", "unclean_end", "unexpected_stream", ... in order, each
  /// once. "ignored:<name>": a member of the request that this kind of server takes and forgets.
  std::vector<std::string> notes = {};
  /// Content events handed over: text, reasoning or tool pieces; 0 for a whole reply.
  std::int64_t deltas = 0;
};

namespace router {
class Call;
class PendingCall;
}  // namespace router

/// A successful reply. Movable; *one thread at a time*. Views live as long as the Response.
class Response {
 public:
  /// The upstream's bytes, untouched. Of a stream: empty (the events were the bytes).
  std::string_view body() const noexcept;
  /// The text of choice 0, empty for none.
  std::string_view text() const;
  std::string_view reasoning() const;
  const std::vector<ToolCall>& tool_calls() const;
  std::string_view finish_reason() const;
  /// Absent when the server sent none.
  const Usage* usage() const;
  const std::vector<std::vector<float>>& embeddings() const;
  /// Rows of a rerank (best first) or models answer.
  const std::vector<Item>& items() const;
  /// Everything at once. The first reading parses the body; later ones are free.
  const Reply& reply() const;
  /// Names the model served too, which is read from the reply.
  const Metadata& metadata() const;
  /// An upstream header of the answer, by lower-case name; empty when absent. Its own `x-byway-...`
  /// and RouterOptions::header_prefix are never there.
  std::string_view header(std::string_view name) const noexcept;

  /// A reply that no upstream sent: a policy's own answer. `body` is JSON as an upstream would send
  /// it; the call fills in the metadata.
  static Response of(std::string body);

  struct State;
  explicit Response(std::unique_ptr<State> state) noexcept;  // made by the router
  Response(Response&&) noexcept;
  Response& operator=(Response&&) noexcept;
  ~Response();

 private:
  friend class router::Call;
  friend class router::PendingCall;
  std::unique_ptr<State> state_;
};

}  // namespace byway
