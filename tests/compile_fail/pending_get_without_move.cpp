// expect: this|rvalue|discards
// get() consumes the Pending, so that a second get() shows in the text.
#include <byway/pending.hpp>

byway::Result<int> finish(byway::Pending<int> pending) {
#ifdef BAD
  return pending.get();
#else
  return std::move(pending).get();
#endif
}
