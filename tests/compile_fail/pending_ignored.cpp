// expect: nodiscard|unused-result
// A dropped Pending cancels its call.
#include <byway/pending.hpp>

byway::Pending<int> call();

bool start() {
#ifdef BAD
  call();
  return false;
#else
  return call().is_ready();
#endif
}
