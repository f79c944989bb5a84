// expect: deleted
// A second copy of a key is asked for by name: clone().
#include <byway/secret.hpp>

byway::Secret second(const byway::Secret& first) {
#ifdef BAD
  return first;
#else
  return first.clone();
#endif
}
