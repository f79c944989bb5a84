// A policy of your own: at night only judges may call.
//
//     06_policy byway.toml byo:demo/hello
#include <ctime>

#include <fmt/core.h>
#include <byway/byway.hpp>

struct QuietHours {
  int from = 22;
  int until = 6;
  byway::Verdict admit(byway::CallState& call) {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    const bool is_night = local.tm_hour >= from || local.tm_hour < until;
    if (!is_night || call.facts().purpose == byway::Purpose::judge) return byway::Proceed();
    return byway::Error(byway::ErrorCode::policy_forbidden, "not at night");
  }
  void settle(const byway::CallState& call, const byway::Outcome& outcome) noexcept {
    fmt::print(stderr, "{} {}: {}\n", call.facts().request_id, call.facts().model,
               outcome.error ? outcome.error->name() : "ok");
  }
};

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: 06_policy REGISTRY.toml MODEL-ID\n");
    return 2;
  }
  auto router = byway::Router::open(
      {.registry = arguments[1], .require_key = false, .policies = {QuietHours{}}});
  if (!router) {
    fmt::print(stderr, "{}: {}\n", router.error().name(), router.error().message());
    return 1;
  }
  auto reply = router
                   ->call({.body = R"({"messages":[{"role":"user","content":"Hello"}]})",
                           .model = arguments[2],
                           .purpose = byway::Purpose::judge})
                   .get();
  if (!reply) {
    fmt::print(stderr, "{}: {}\n", reply.error().name(), reply.error().message());
    return 1;
  }
  fmt::print("{}\n", reply->text());
  return 0;
}
