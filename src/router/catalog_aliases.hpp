// What administration does with aliases, on the store thread.
#pragma once

#include <string_view>

#include <byway/alias.hpp>
#include <byway/result.hpp>

#include "router/catalog.hpp"

namespace byway::router {

/// Whoever may not write keys may not change an alias that the list of a key names, since that
/// grants its models. Code: policy_forbidden.
Result<void> check_grant(CatalogDesk& desk, std::string_view org, std::string_view alias,
                         bool may_write_keys);

/// Puts a checked alias in place, after check_grant().
Result<void> put_alias(CatalogDesk& desk, const Alias& alias, bool may_write_keys);

}  // namespace byway::router
