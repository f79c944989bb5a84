// Plays the bytes of a stream through parser and fold, in one piece and in many.
#pragma once

#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "wire/sse_parser.hpp"
#include "wire/stream_fold.hpp"

namespace byway::wire {

/// What a stream came to: the expected-result record of wire.md 4.1, and what the caller was told
/// on the way.
struct Played {
  std::optional<UpstreamFailure> failure = {};
  Reply reply = {};
  /// Text and reasoning as the events gave them, in order; "|" between events.
  std::string told_text = {};
  std::string told_reasoning = {};
  std::vector<ToolCall> told_tools = {};
  int preambles = 0;
  int deltas = 0;
  int others = 0;
  bool saw_done = false;
  std::string raw = {};

  bool operator==(const Played& other) const;
};

inline std::string describe(const Played& played) {
  std::string text = played.failure
                         ? "error(" + std::string(name_of(played.failure->upstream_class)) + ", " +
                               played.failure->cause + ")"
                         : "ok";
  for (const Choice& choice : played.reply.choices) {
    text += " [" + std::to_string(choice.index) + " text=" + choice.text +
            " reasoning=" + choice.reasoning + " finish=" + choice.finish + "/" + choice.finish_raw;
    for (const ToolCall& tool : choice.tools) {
      text += " tool(" + tool.id + "," + tool.name + "," + tool.arguments + ")";
    }
    text += "]";
  }
  const auto count = [](const std::optional<std::int64_t>& number) {
    return number ? std::to_string(*number) : std::string("-");
  };
  const Usage& usage = played.reply.usage;
  if (played.reply.has_usage) {
    text += " usage=" + count(usage.prompt_tokens) + "/" + count(usage.completion_tokens) + "/" +
            count(usage.total_tokens);
  }
  for (const std::string& note : played.reply.notes) text += " note:" + note;
  return text + " id=" + played.reply.id + " model=" + played.reply.model_served +
         " told=" + played.told_text + "/" + played.told_reasoning +
         " preambles=" + std::to_string(played.preambles) +
         " deltas=" + std::to_string(played.deltas) + " others=" + std::to_string(played.others);
}

inline bool Played::operator==(const Played& other) const {
  return describe(*this) == describe(other) && raw == other.raw;
}

struct Play {
  std::string bytes = {};
  Operation operation = Operation::chat;
  BytesEnd end = BytesEnd::clean;
  Dialect dialect = {};
  SseLimits limits = {};
};

/// Feeds `pieces`, stopping as the router does at done, a failure or a limit.
inline Played play_pieces(const Play& play, const std::vector<std::string_view>& pieces) {
  Played played;
  SseParser parser(play.limits);
  StreamFold fold(play.operation, play.dialect);
  const auto take = [&](const SseEvent& event) {
    for (const FoldStep& step : fold.feed(event)) {
      const StreamEvent& told = step.event;
      played.preambles += step.kind == FoldKind::preamble;
      played.deltas += step.kind == FoldKind::delta;
      played.others += step.kind == FoldKind::other;
      played.saw_done = played.saw_done || step.kind == FoldKind::done;
      if (!told.text.empty()) played.told_text.append(told.text).append("|");
      played.told_reasoning.append(told.reasoning);
      played.raw.append(told.data);
      for (const ToolPiece& piece : told.tools) {
        const auto slot = static_cast<std::size_t>(piece.slot);
        if (slot >= played.told_tools.size()) played.told_tools.resize(slot + 1);
        played.told_tools[slot].id += piece.id;
        played.told_tools[slot].name += piece.name;
        played.told_tools[slot].arguments += piece.arguments;
      }
    }
    return !fold.is_ended();
  };
  for (const std::string_view piece : pieces) {
    // A copy of its own, so that address sanitizer sees views that are kept too long.
    const std::string copy(piece);
    parser.feed(copy, take);
    if (fold.is_ended() || parser.fault() != SseFault::none) break;
  }
  if (!fold.is_ended() && parser.fault() == SseFault::none) parser.finish(take);
  BytesEnd end = play.end;
  if (fold.is_ended()) end = BytesEnd::stopped;
  if (parser.fault() != SseFault::none) end = BytesEnd::over_limit;
  played.failure = fold.finish(end, 200);
  played.reply = fold.take_reply();
  return played;
}

inline std::vector<std::string_view> random_pieces(std::string_view bytes, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::string_view> pieces;
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(bytes.size(), 1 + random() % 40);
    pieces.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return pieces;
}

}  // namespace byway::wire
