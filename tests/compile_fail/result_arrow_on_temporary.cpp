// expect: deleted
// `make()->size()` would hand out a pointer into a Result that is already gone.
#include <string>

#include <byway/result.hpp>

byway::Result<std::string> make();

std::size_t size_of_made() {
#ifdef BAD
  return make()->size();
#else
  auto made = make();
  return made->size();
#endif
}
