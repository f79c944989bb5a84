// expect: deleted
// A result is taken once, so there is one Pending.
#include <byway/pending.hpp>

byway::Pending<int> second(byway::Pending<int>& first) {
#ifdef BAD
  return first;
#else
  return std::move(first);
#endif
}
