// What the load programs share: their options and the request that all of them make.
#pragma once

#include <cstddef>
#include <string>

namespace byway::bench {

/// What the server does and what is measured.
enum class Mode : unsigned char {
  /// Whole answers of 1 kB; a unit is a call.
  json,
  /// 64 events in one send; a unit is an event.
  burst,
  /// One event per send, streams taking turns; a unit is an event.
  paced,
  /// Streams that fall silent after their first event.
  idle,
  /// Calls that are not answered until /wake.
  held,
};

/// Of the server's streams; `[DONE]` is not one.
inline constexpr long events_per_stream = 64;

/// PROGRAM PORT IN_FLIGHT TOTAL [json|burst|paced|idle|held]
struct Options {
  /// Ends the program when they make no sense.
  Options(int argc, char** argv);

  bool is_stream() const noexcept { return mode != Mode::json && mode != Mode::held; }
  /// Calls, or events.
  long units() const noexcept { return is_stream() ? total * events_per_stream : total; }
  /// Done before anything is measured, so that connections and caches are warm.
  long warm_up() const noexcept { return (is_stream() ? 1L : 8L) * in_flight; }
  /// "/v1/chat/completions" with the mode in place of v1.
  std::string path() const { return "/" + mode_name + "/chat/completions"; }
  std::string base_url() const {
    return "http://127.0.0.1:" + std::to_string(port) + "/" + mode_name;
  }

  int port = 0;
  int in_flight = 64;
  /// Calls or streams.
  long total = 20'000;
  Mode mode = Mode::json;
  std::string mode_name = "json";
};

inline constexpr const char* upstream_key = "sk-bench-0123456789abcdef0123456789abcdef";

/// About 1 kB of OpenAI-shaped JSON.
std::string request_body(const std::string& model, bool is_stream);

/// The head and body of a POST, for those who write sockets themselves.
std::string request_bytes(const Options& options);

/// Asks the server on a connection of its own, and gives the body of its answer.
std::string ask(int port, const std::string& path);

/// Requests that the server keeps waiting: calls without an answer, or silent streams.
long held_at(int port);

/// Ends the program: a benchmark that failed in part has measured nothing.
[[noreturn]] void fail(const char* what);

}  // namespace byway::bench
