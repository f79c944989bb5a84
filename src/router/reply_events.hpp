// ReplyEvents: a whole reply told to someone who reads a stream.
#pragma once

#include <string_view>
#include <vector>

#include <byway/response.hpp>
#include <byway/stream_event.hpp>

namespace byway::router {

/// One delta for each choice; the first carries the reply's bytes as its data.
template <class F>
void tell_as_events(const Reply& reply, std::string_view body, F deliver) {
  for (const Choice& choice : reply.choices) {
    std::vector<ToolPiece> tools;
    for (const ToolCall& tool : choice.tools) {
      tools.push_back({static_cast<int>(tools.size()), tool.id, tool.name, tool.arguments});
    }
    StreamEvent event;
    event.kind = StreamEventKind::delta;
    event.choice = choice.index;
    event.text = choice.text;
    event.reasoning = choice.reasoning;
    event.tools = tools;
    if (&choice == &reply.choices.front()) event.data = body;
    deliver(event);
  }
}

}  // namespace byway::router
