// ReplyFold: chunks folded into a Reply, choice by choice.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/response.hpp>
#include <byway/stream_event.hpp>

#include "wire/chunk.hpp"

namespace byway::wire {

/// What one choice of one chunk added. Views live until the next begin().
struct Added {
  int choice = 0;
  std::string_view text = {};
  std::string_view reasoning = {};
  std::size_t pieces_begin = 0;
  std::size_t pieces_end = 0;
  bool has_content() const noexcept {
    return !text.empty() || !reasoning.empty() || pieces_begin != pieces_end;
  }
};

/// Folds tool calls by invariant I9, text and reasoning in their order, usage by I10. *One thread
/// at a time.*
class ReplyFold {
 public:
  /// Starts a new event of at most `bytes` bytes: views given before are lost.
  void begin(std::size_t bytes);

  /// Takes id, model and usage.
  void take_head(const Chunk& chunk);
  Added take_choice(const ChoiceDelta& delta, const Chunk& chunk);
  void take_usage(const UsageReading& reading);
  void take_id(const JsonString& id);
  void take_model(const JsonString& model);

  /// Of a Responses stream, whose text is all choice 0's.
  std::string_view take_text(const JsonString& text);
  std::string_view take_reasoning(const JsonString& text);
  /// Whether the call of that server's index has arguments already.
  bool has_arguments(int choice, std::optional<std::int64_t> index);

  /// One piece of a tool call, by I9.
  void take_tool(int choice, const ToolDelta& delta);
  void note(std::string_view word);
  /// Sets the finish of a choice, once; later words are passed over.
  void finish_choice(int choice, std::string_view raw);

  /// What was taken so far; the owner's to mask.
  std::string& model_served() noexcept { return reply_.model_served; }
  const std::vector<ToolPiece>& pieces() const noexcept { return pieces_; }
  /// The choice of that index, made when it is new.
  Choice& choice(int index);
  bool has_choices() const noexcept { return !reply_.choices.empty(); }
  /// Whether each choice has a finish; false when there is none.
  bool are_choices_finished() const noexcept;

  /// The reply with its choices by index, missing tool ids made up and noted, and "tool_calls" as
  /// the finish of a choice that has some, whatever the server called it (vLLM says "stop" when the
  /// tool was named in the request).
  Reply take();

 private:
  /// The escape of a high surrogate that waits for its other half in the next event: relays that
  /// cut text by UTF-16 units send it so.
  using Half = std::string;
  struct Slot {
    /// The server's index.
    std::optional<std::int64_t> index = {};
    Half arguments = {};
  };
  using Slots = std::vector<Slot>;
  struct Halves {
    Half text = {};
    Half reasoning = {};
  };

  std::size_t place_of(int index);
  static std::size_t slot_of(const ToolDelta& delta, const Slots& slots, const Choice& choice);
  std::string& scratch();
  std::string_view view(const JsonString& string);
  /// The same with the half that came before; a half at the end is kept for the next.
  std::string_view joined_view(const JsonString& string, Half& half);
  void finish_half(const Half& half, std::string& text);
  /// A copy of the end of `text` that lives as long as the other views.
  std::string_view view_of_end(const std::string& text, std::size_t begin);

  Reply reply_;
  /// By place in the reply.
  std::vector<Slots> slots_;
  std::vector<Halves> halves_;
  /// By choice index: place in the reply plus one, 0 for none yet.
  std::vector<std::size_t> places_;
  std::vector<ToolPiece> pieces_;
  /// Decoded strings of this event. Most have none, so scratch() reserves it, once, for all that an
  /// event can need: it never reallocates within one.
  std::string scratch_;
  std::size_t scratch_bytes_max_ = 0;
};

}  // namespace byway::wire
