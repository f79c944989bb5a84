// StreamEvent: one piece of a streamed reply, as views.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace byway {

/// A piece of a tool call. `name` and `id` are empty where this piece does not tell them.
struct ToolPiece {
  /// Which tool call of the choice, from 0, as folded: not the server's index, which servers omit,
  /// repeat or share.
  int slot = 0;
  std::string_view id = {};
  std::string_view name = {};
  /// The next characters of the arguments' JSON text.
  std::string_view arguments = {};
};

/// What an event is. `preamble` carries no content (a role, an empty delta), `delta` carries text,
/// reasoning or a tool piece, `other` anything else (usage alone, a finish).
enum class StreamEventKind : std::uint8_t { preamble, delta, other };

/// One event. All views live until the next event is asked for.
struct StreamEvent {
  StreamEventKind kind = StreamEventKind::other;
  /// The choice the fields below belong to.
  int choice = 0;
  /// Whole code points of valid UTF-8.
  std::string_view text = {};
  std::string_view reasoning = {};
  std::span<const ToolPiece> tools = {};
  /// The event's bytes as the server sent them, without framing; empty for an event that Byway made
  /// itself.
  std::string_view data = {};
};

}  // namespace byway
