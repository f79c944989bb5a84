// TokenLine: the header line of a token that the application gives.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <byway/result.hpp>
#include <byway/secret.hpp>

namespace byway::router {

/// RouterOptions::token.
using TokenSource = std::function<Result<Secret>(std::string_view slug, bool is_refused)>;

/// "Authorization: Bearer <token>"; null when the source gives an empty one. Codes: the source's
/// own; vault_no_key when it throws; those of vault::validate_upstream_secret(); vault_memory.
Result<std::shared_ptr<const Secret>> token_line(const TokenSource& source, std::string_view slug,
                                                 bool is_refused);

}  // namespace byway::router
