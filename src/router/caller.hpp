// Caller: who a customer key stands for.
#pragma once

#include <memory>
#include <string_view>

#include <byway/clock.hpp>
#include <byway/result.hpp>

#include "registry/access.hpp"

namespace byway::router {

/// The hash that is kept of a customer key.
registry::KeyVerifier verifier_of(const registry::Pepper& pepper, std::string_view key);
registry::KeyVerifier verifier_of(const registry::Pepper& pepper, const Secret& key);

/// The record of a key that is good now. One HMAC, also for an id that does not exist, so that the
/// time tells nothing; compared in constant time. No lock, no I/O. Code: invalid_api_key, its
/// reason "missing", "malformed", "unknown", or, once the secret has matched, "revoked" or
/// "expired".
Result<std::shared_ptr<const registry::KeyRecord>> check_customer_key(
    const registry::Access& access, std::string_view key, WallTime now);

/// invalid_api_key with the reason.
Error bad_key(std::string_view reason);

/// Whether a record that matched is good now. Codes: invalid_api_key (revoked, expired).
Result<void> check_state(const registry::KeyRecord& record, WallTime now);

}  // namespace byway::router
