// expect: operator<<
// No stream takes a Secret.
#include <ostream>

#include <byway/secret.hpp>

void show(std::ostream& out, const byway::Secret& secret) {
#ifdef BAD
  out << secret;
#else
  out << secret.size();
#endif
}
