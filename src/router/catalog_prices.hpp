// CatalogPrices: a money cap is refused where a price is missing, never silently ignored.
#pragma once

#include <string_view>

#include <byway/result.hpp>

#include "router/catalog.hpp"

namespace byway::router {

/// Whether both prices stand at every enabled endpoint that a key with a money cap may use, by name
/// or through an alias, and at every one of an org that has such a cap. To be asked inside the
/// transaction of each change that may bring the two together. Code: registry_field_invalid.
Result<void> check_prices(CatalogDesk& desk, std::string_view org);

}  // namespace byway::router
