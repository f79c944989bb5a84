// One call: a question, an answer, and who gave it.
//
//     byway init && byway endpoint add ...      makes the store and the endpoint
//     01_call byway.db byo:my-vllm/my-model
#include <fmt/core.h>
#include <byway/byway.hpp>

namespace {

int fail(const byway::Error& error) {
  fmt::print(stderr, "{}: {}\n", error.name(), error.message());
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: 01_call STORE MODEL-ID\n");
    return 2;
  }
  // A program of one user: no customer keys.
  auto router = byway::Router::open({.store = arguments[1], .require_key = false});
  if (!router) return fail(router.error());
  auto reply = router
                   ->call({.operation = byway::Operation::chat,
                           .body = R"({"messages":[{"role":"user","content":"Hello"}]})",
                           .model = arguments[2]})
                   .get();
  if (!reply) return fail(reply.error());
  fmt::print("{}\n{}\n", reply->text(), reply->metadata().provider);
  return 0;
}
