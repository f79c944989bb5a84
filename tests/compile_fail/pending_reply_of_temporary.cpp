// expect: deleted
// `call().get()->...` would hand out a view into a reply that is gone.
#include <string>

#include <byway/pending.hpp>

byway::Pending<std::string> call();

std::size_t length() {
#ifdef BAD
  return call().get()->size();
#else
  auto reply = call().get();
  return reply->size();
#endif
}
