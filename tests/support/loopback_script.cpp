// How a script is played, and the usual scripts.
#include <algorithm>
#include <array>
#include <charconv>

#include "support/loopback_server.hpp"

namespace byway::testing_support {
namespace {

using Clock = std::chrono::steady_clock;

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

}  // namespace

std::string bytes_of(const SendHead& head) {
  std::string text = "HTTP/1.1 " + std::to_string(head.status);
  text += head.status == 200 ? " OK\r\n" : " Status\r\n";
  for (const auto& [name, value] : head.headers) text += name + ": " + value + "\r\n";
  switch (head.framing) {
    case Framing::chunked: text += "Transfer-Encoding: chunked\r\n"; break;
    case Framing::length: text += "Content-Length: " + std::to_string(head.length) + "\r\n"; break;
    case Framing::until_close: text += "Connection: close\r\n"; break;
    case Framing::as_given: break;
  }
  return text + "\r\n";
}

std::string bytes_of(const SendChunk& chunk) {
  std::array<char, 24> size;
  const auto end = std::to_chars(size.begin(), size.end(), chunk.bytes.size(), 16).ptr;
  std::string text(size.data(), end);
  return text.append("\r\n").append(chunk.bytes).append("\r\n");
}

std::string bytes_of(const SendEnd&) {
  return "0\r\n\r\n";
}

Script json_reply(std::string body, int status) {
  return {SendHead{.status = status,
                   .headers = {{"Content-Type", "application/json"}},
                   .framing = Framing::length,
                   .length = body.size()},
          Send{std::move(body)}};
}

Script event_stream(const std::vector<std::string>& events, bool has_end_marker) {
  Script script{SendHead{.headers = {{"Content-Type", "text/event-stream"}}}};
  for (const std::string& event : events) script.push_back(SendChunk{"data: " + event + "\n\n"});
  if (has_end_marker) script.push_back(SendChunk{"data: [DONE]\n\n"});
  script.push_back(SendEnd{});
  return script;
}

Responder always(Script script) {
  return [script = std::move(script)](const SeenRequest&) { return script; };
}

Responder by_connection(std::vector<std::vector<Script>> scripts) {
  return [scripts = std::move(scripts)](const SeenRequest& request) {
    const auto connection = static_cast<std::size_t>(request.connection - 1);
    const auto& answers = scripts[std::min(connection, scripts.size() - 1)];
    return answers[std::min(static_cast<std::size_t>(request.number - 1), answers.size() - 1)];
  };
}

Ending LoopbackServer::send(Wire& wire, std::string_view bytes) {
  const Ending ending = wire.write(bytes);
  if (ending == Ending::done)
    note([&] { counts_.bytes_sent += static_cast<std::int64_t>(bytes.size()); });
  return ending;
}

Ending LoopbackServer::play(Wire& wire, const Script& script) {
  for (const Action& action : script) {
    if (const Ending ending = play(wire, action); ending != Ending::done) return ending;
  }
  return Ending::done;
}

Ending LoopbackServer::play(Wire& wire, const Action& action) {
  const auto drip = [&](const Drip& it) {
    for (const char& byte : it.bytes) {
      if (const Ending ending = send(wire, {&byte, 1}); ending != Ending::done) return ending;
      if (const Ending ending = wire.pause_until(Clock::now() + it.each); ending != Ending::done)
        return ending;
    }
    return Ending::done;
  };
  return std::visit(Overloaded{
                        [&](const Send& it) { return send(wire, it.bytes); },
                        [&](const SendHead& it) { return send(wire, bytes_of(it)); },
                        [&](const SendChunk& it) { return send(wire, bytes_of(it)); },
                        [&](const SendEnd& it) { return send(wire, bytes_of(it)); },
                        [&](const Sleep& it) { return wire.pause_until(Clock::now() + it.time); },
                        drip,
                        [&](const Hold&) { return wire.pause_until(Clock::time_point::max()); },
                        [&](const Reset&) {
                          wire.reset();
                          return Ending::closed;
                        },
                        [&](const Finish& it) {
                          wire.finish(it.says_goodbye);
                          return Ending::closed;
                        },
                    },
                    action);
}

}  // namespace byway::testing_support
