// StreamFold: the events of a stream folded into one reply, and the verdict on how it ended.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <byway/request.hpp>
#include <byway/response.hpp>
#include <byway/stream_event.hpp>

#include "wire/dialect.hpp"
#include "wire/failure.hpp"
#include "wire/sse_parser.hpp"

namespace byway::wire {

/// What an event turned out to be. `done` is the server's word that nothing more comes ([DONE],
/// response.completed): end the transfer. `failed` is an error event or a finish that says so: end
/// the transfer, finish() has the failure.
enum class FoldKind : std::uint8_t { preamble, delta, other, done, failed };

struct FoldStep {
  FoldKind kind = FoldKind::other;
  /// Set for preamble, delta and other; all views live until the next feed(). When one event of the
  /// server holds several choices, only the first step carries `data`.
  StreamEvent event = {};
  /// Only usage and nothing else: not for the caller when only Byway asked for it.
  bool is_usage_only = false;
};

/// How the bytes came to their end. `stopped` is ours, after done or failed.
enum class BytesEnd : std::uint8_t { stopped, clean, unclean, over_limit };

/// Folds chat, completions and responses streams by invariants I1, I3 and I6-I10. *One thread at a
/// time.*
class StreamFold {
 public:
  /// `dialect` must outlive the fold.
  StreamFold(Operation operation, const Dialect& dialect);
  StreamFold(StreamFold&&) noexcept;
  StreamFold& operator=(StreamFold&&) noexcept;
  ~StreamFold();

  /// Folds one event and says what it was, in no, one or several steps; comments, pings and junk
  /// give none. After done or failed nothing is folded any more.
  std::span<const FoldStep> feed(const SseEvent& event);

  /// The verdict by I1, once, after the last event: nothing is a success. The failure is
  /// stream_error, or the error event's own class when no delta came before it; stream_truncated
  /// with cause "done_without_finish", "no_finish" or "net_cut".
  std::optional<UpstreamFailure> finish(BytesEnd how, int http_status);

  /// What was folded so far, notes included; the fold is spent.
  Reply take_reply();

  /// The model that the server has named so far; the owner's to mask.
  std::string& model_served() noexcept;
  bool has_content() const noexcept;
  bool is_ended() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace byway::wire
