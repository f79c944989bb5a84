// The URL of an operation: the base as it was given, the dialect's path, the queries.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <byway/request.hpp>
#include <byway/result.hpp>

#include "wire/dialect.hpp"

namespace byway::wire {

using QueryPair = std::pair<std::string, std::string>;

/// The base without its trailing slashes, '/', the path of the operation ("^/" counts from the
/// host's root), then the queries: the base's first, the dialect's, the endpoint's. Never guesses a
/// "/v1" (wire.md 1.1). `base_url` is one that the registry accepted. Code: request_unsupported
/// when the dialect has no such path.
Result<std::string> operation_url(std::string_view base_url, const Dialect& dialect,
                                  Operation operation, std::string_view upstream_model,
                                  std::span<const QueryPair> endpoint_query = {});

/// The same for the dialect's probe path; "^/" as above.
std::string probe_url(std::string_view base_url, const Dialect& dialect,
                      std::span<const QueryPair> endpoint_query = {});

/// A pasted base that ends in an operation's path: `base_url` is what should be stored and
/// `suffix` what was cut off, empty when nothing was.
struct StrippedUrl {
  std::string base_url = {};
  std::string suffix = {};
};
StrippedUrl strip_operation(std::string_view base_url);

/// Appends `text` with every byte outside RFC 3986's unreserved set percent-encoded, '/' too.
void append_percent_encoded(std::string& out, std::string_view text);

}  // namespace byway::wire
