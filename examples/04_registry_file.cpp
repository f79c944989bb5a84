// The registry as a file: no store, endpoints in TOML, their keys from the environment. The file is
// read again when it changes; one that is wrong is reported and the old one stays in force.
//
//     MY_KEY=... 04_registry_file byway.toml byo:local/hello
#include <fmt/core.h>
#include <byway/byway.hpp>

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: MY_KEY=... 04_registry_file FILE.toml MODEL-ID\n");
    return 2;
  }
  auto router = byway::Router::open(
      {.registry = arguments[1], .require_key = false, .on_notice = [](const byway::Error& error) {
         fmt::print(stderr, "{}\n", error.message());
       }});
  if (!router) {
    fmt::print(stderr, "{}: {}\n", router.error().name(), router.error().message());
    return 1;
  }
  const auto endpoints = router->admin_as_owner().endpoints();
  if (!endpoints) {
    fmt::print(stderr, "{}\n", endpoints.error().message());
    return 1;
  }
  for (const byway::Endpoint& endpoint : *endpoints) {
    fmt::print("{} {} key {}\n", endpoint.settings.slug, endpoint.settings.base_url,
               endpoint.has_key ? endpoint.key_preview : "none");
  }
  auto reply = router
                   ->call({.operation = byway::Operation::embeddings,
                           .body = R"({"input":["a bridge","a byway"]})",
                           .model = arguments[2]})
                   .get();
  if (!reply) {
    fmt::print(stderr, "{}: {}\n", reply.error().name(), reply.error().message());
    return 1;
  }
  fmt::print("{} vectors of {}\n", reply->embeddings().size(), reply->embeddings().front().size());
  return 0;
}
