// expect: Cannot format an argument
// No formatter is found for a Secret.
#include <fmt/format.h>

#include <byway/secret.hpp>

std::string show(const byway::Secret& secret) {
#ifdef BAD
  return fmt::format("{}", secret);
#else
  return fmt::format("{}", secret.size());
#endif
}
