// A customer key: who may call what. Made once, given to a caller, checked with every call.
//
//     05_customer_key byway.db byo:demo/hello
#include <fmt/core.h>
#include <byway/byway.hpp>

int fail(const byway::Error& error) {
  fmt::print(stderr, "{}: {}\n", error.name(), error.message());
  return 1;
}

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: 05_customer_key STORE MODEL-ID\n");
    return 2;
  }
  auto router = byway::Router::open({.store = arguments[1]});  // calls without a key are refused
  if (!router) return fail(router.error());
  byway::Admin admin = router->admin_as_owner();

  byway::CustomerKeySettings settings{.name = "example"};
  settings.allow = std::vector<std::string>{arguments[2]};
  auto minted = admin.mint_customer_key(settings, byway::KeyMode::test);
  if (!minted) return fail(minted.error());
  const byway::Request request{.body = R"({"messages":[{"role":"user","content":"Hello"}]})",
                               .model = arguments[2],
                               .key = minted->key.expose_secret()};
  auto reply = router->call(request).get();
  if (!reply) return fail(reply.error());
  fmt::print("{}\n", reply->text());

  auto revoked = admin.revoke_customer_key(minted->record.id);
  if (!revoked) return fail(revoked.error());
  auto refused = router->call(request).get();
  if (refused) return 1;
  fmt::print("{} ({})\n", refused.error().name(), refused.error().reason());
  return 0;
}
