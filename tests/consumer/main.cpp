// Uses what the library gives a stranger: a Result with an Error in it, thrown across the border,
// and a router that will not open.
#include <byway/error.hpp>
#include <byway/result.hpp>
#include <byway/router.hpp>
#include <byway/version.hpp>

#include <cstdio>

int main() {
  auto router = byway::Router::open({.store = "there-is-none.db"});
  try {
    router->close();
  } catch (const byway::ResultError& caught) {
    const byway::Error& error = caught.error();
    std::printf("byway %s: %s\n", BYWAY_VERSION, error.json().c_str());
    return error.code() == byway::ErrorCode::store_not_found ? 0 : 1;
  }
  return 1;
}
