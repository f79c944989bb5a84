// Wall time as the registry keeps it.
#pragma once

#include <string>

#include <byway/clock.hpp>

namespace byway::router {

/// RFC 3339, UTC, whole seconds.
std::string rfc3339(WallTime time);

}  // namespace byway::router
