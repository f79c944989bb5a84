// MetadataHeaders: what is known of a call as HTTP headers, for servers that pass results on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <byway/response.hpp>
#include <byway/result.hpp>

namespace byway {

/// One header line in two parts; both may be written to the wire as they are.
struct MetadataHeader {
  std::string name = {};
  std::string value = {};
  bool operator==(const MetadataHeader&) const = default;
};

inline constexpr std::string_view default_header_prefix = "x-byway-";

/// In this order, each after `prefix`: `provider`, `model-served`, `request-id`, `latency-ms`,
/// `overhead-us` (both whole, rounded), `attempts`, `fallback` ("true", else no header),
/// `pii-redacted`, `key-generation`, `ratelimit-remaining-requests`, `ratelimit-remaining-tokens`,
/// `cap-remaining-day`, `-month`, `cap-remaining-tokens-day`, `-month`. What is absent leaves no
/// header, and neither does text that is no header value (a control character, a byte that is not
/// ASCII) or is longer than 1,024 bytes. A prefix is `x-`, a name and `-`: an HTTP token of at most
/// 64 bytes without capitals; else request_header_invalid.
Result<std::vector<MetadataHeader>> headers_of(const Response& response,
                                               std::string_view prefix = default_header_prefix);

/// The same of a failed or refused call, and `Retry-After` in whole seconds, rounded up. An Error
/// that is no call's has Retry-After at most.
Result<std::vector<MetadataHeader>> headers_of(const Error& error,
                                               std::string_view prefix = default_header_prefix);

}  // namespace byway
