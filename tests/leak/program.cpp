// A program that holds one streamed call open: what tests/leak takes a core dump of. It never sees
// the upstream key but through Byway.
#include <unistd.h>

#include <cstdio>
#include <string>

#include <byway/byway.hpp>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto router = byway::Router::open({.store = argv[1], .require_key = false});
  if (!router) return std::fprintf(stderr, "%s\n", router.error().message().c_str()), 3;
  const auto health = router->health();
  if (!health.curl_memory_protected || !health.keys_excluded_from_dumps) return 4;
  // Several calls first, so that freed memory is looked at too.
  for (int i = 0; i < 3; ++i) {
    auto reply = router->call({.body = R"({"model":"byo:leaky/m","messages":[]})"}).get();
    if (!reply) return std::fprintf(stderr, "%s\n", reply.error().message().c_str()), 5;
  }
  auto stream =
      router->stream({.body = R"({"model":"byo:leaky/m","marker":"plain-marker-in-a-prompt"})"});
  const byway::StreamEvent* event = stream.next();
  while (event != nullptr && event->text.empty()) event = stream.next();
  if (event == nullptr) return std::fprintf(stderr, "%s\n", stream.error()->message().c_str()), 6;
  std::printf("streaming\n");
  std::fflush(stdout);
  while (stream.next() != nullptr) {
  }
  return 0;
}
