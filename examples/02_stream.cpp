// A streamed answer, printed as it comes. A stream that was cut is an error, never a short success.
//
//     02_stream byway.db byo:my-vllm/my-model
#include <fmt/core.h>
#include <byway/byway.hpp>
#include <cstdio>

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: 02_stream STORE MODEL-ID\n");
    return 2;
  }
  auto router = byway::Router::open({.store = arguments[1], .require_key = false});
  if (!router) {
    fmt::print(stderr, "{}\n", router.error().message());
    return 1;
  }
  auto stream = router->stream({.body = R"({"messages":[{"role":"user","content":"Hello"}],
                                            "stream_options":{"include_usage":true}})",
                                .model = arguments[2]});
  // The event and its text live until the next call of next().
  while (const byway::StreamEvent* event = stream.next()) {
    fmt::print("{}", event->text);
    std::fflush(stdout);
  }
  auto reply = stream.result();
  if (!reply) {
    fmt::print(stderr, "\n{}: {}\n", reply.error().name(), reply.error().message());
    return 1;
  }
  const byway::Usage* usage = reply->usage();
  fmt::print("\nfinish {}, {} tokens\n", reply->finish_reason(),
             usage ? usage->completion_tokens.value_or(0) : 0);
  return 0;
}
