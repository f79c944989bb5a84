// What is known of a call beside its answer, as the headers that a server would pass on; and a word
// when 80 % of a cap are used.
//
//     07_metadata byway.db byo:my-vllm/my-model
#include <fmt/core.h>
#include <byway/byway.hpp>
#include <utility>

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: 07_metadata STORE MODEL-ID\n");
    return 2;
  }
  byway::RouterOptions options{.store = arguments[1], .require_key = false};
  options.on_alert = [](const byway::QuotaAlert& alert) {
    fmt::print(stderr, "{}: {} of {} used\n", alert.subject, alert.used, alert.limit);
  };
  auto router = byway::Router::open(std::move(options));
  if (!router) {
    fmt::print(stderr, "{}\n", router.error().message());
    return 1;
  }
  auto reply = router
                   ->call({.body = R"({"messages":[{"role":"user","content":"Hello"}]})",
                           .model = arguments[2]})
                   .get();
  auto headers = reply ? byway::headers_of(*reply) : byway::headers_of(reply.error());
  for (const auto& [name, value] : *headers) fmt::print("{}: {}\n", name, value);
  return reply ? 0 : 1;
}
