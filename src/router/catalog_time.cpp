#include "router/catalog_time.hpp"

#include "base/time_text.hpp"

namespace byway::router {

std::string rfc3339(WallTime time) {
  return base::rfc3339(time);
}

}  // namespace byway::router
