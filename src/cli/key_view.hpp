// A customer key, as JSON and for people. No secret is in it: there is none in a CustomerKey.
#pragma once

#include <string>

#include <byway/customer_key.hpp>

namespace byway::cli {

/// "good", "revoked" or "expired", by this machine's clock.
std::string state_of(const CustomerKey& key);

/// The fields under their names, and what Byway knows beside them.
std::string json_of(const CustomerKey& key);
std::string describe(const CustomerKey& key);

/// Its limits in a few words.
std::string limits_text(const CustomerKeySettings& settings);
/// "all", "none" or the items.
std::string allow_text(const CustomerKeySettings& settings);

}  // namespace byway::cli
