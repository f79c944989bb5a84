// expect: deleted
// A stream has one reader.
#include <byway/stream.hpp>

byway::Stream second(byway::Stream& first) {
#ifdef BAD
  return first;
#else
  return std::move(first);
#endif
}
