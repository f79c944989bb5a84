// expect: conver|cannot
// A Result is no value: it is tested first.
#include <byway/result.hpp>

byway::Result<int> count();

int twice() {
#ifdef BAD
  const int value = count();
#else
  const int value = count().value_or(0);
#endif
  return 2 * value;
}
