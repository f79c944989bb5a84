// Uses what the library gives a stranger: a Result with an Error in it, thrown across the border.
#include <byway/error.hpp>
#include <byway/result.hpp>
#include <byway/version.hpp>

#include <cstdio>
#include <string>

#ifdef BYWAY_CONSUMER_ROUTER
#include <byway/router.hpp>
#endif

int main() {
  const byway::Error error(byway::ErrorCode::byo_endpoint_not_found, "there is no endpoint x");
  const byway::Result<int> result = error;
  std::string seen;
  try {
    seen = std::to_string(*result);
  } catch (const byway::ResultError& caught) {
    seen = caught.error().name();
  }
  std::printf("byway %s: %s\n", BYWAY_VERSION, seen.c_str());
#ifdef BYWAY_CONSUMER_ROUTER
  auto router = byway::Router::open({.store = "there-is-none.db"});
  if (router || router.error().code() != byway::ErrorCode::store_not_found) return 1;
#endif
  return seen == "byo_endpoint_not_found" ? 0 : 1;
}
