// expect: conver|no viable
// A Secret turns into text only where the danger is spelled out.
#include <string_view>

#include <byway/secret.hpp>

std::string_view text_of(const byway::Secret& secret) {
#ifdef BAD
  return secret;
#else
  return secret.expose_secret();
#endif
}
