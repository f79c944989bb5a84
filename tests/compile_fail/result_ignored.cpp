// expect: nodiscard|unused-result
// An error that nobody looks at is an error that nobody sees.
#include <byway/result.hpp>

byway::Result<void> change();

bool change_it() {
#ifdef BAD
  change();
  return true;
#else
  return change().has_value();
#endif
}
