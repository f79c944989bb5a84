// Response: what the upstream said, its bytes and readings of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// What Byway knows of a call beside the reply.
struct Metadata {
  /// "byo:<slug>".
  std::string provider = {};
  /// The model named upstream.
  std::string model = {};
  std::string model_served = {};
  /// "bw-req-" + 26 characters.
  std::string request_id = {};
  /// The upstream's HTTP status.
  int status = 0;
  /// Tries that were started, libcurl's own re-sends included.
  int attempts = 0;
  /// From call() to the result.
  std::chrono::nanoseconds latency = {};
  /// Our own share of the latency: admission, encoding, reading; no waiting.
  std::chrono::nanoseconds overhead = {};
  /// From call() to the first content event; zero for a whole reply.
  std::chrono::nanoseconds first_token = {};
  /// Which generation of the upstream key was used; 0 for an endpoint without a key.
  std::uint64_t key_generation = 0;
  /// The alias that was named, and whether its first candidate was passed over.
  std::string alias = {};
  bool is_fallback = false;
  /// What is left after this call of the tightest limit of each kind; absent where none is set.
  std::optional<std::int64_t> remaining_requests = {};
  std::optional<std::int64_t> remaining_tokens = {};
  std::optional<std::int64_t> cap_remaining_day = {};
  std::optional<std::int64_t> cap_remaining_month = {};
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
  /// An upstream header of the answer, by lower-case name; empty when absent.
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
