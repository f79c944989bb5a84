// Error: what went wrong, as a value; one pointer wide, immutable, cheap to copy.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <byway/metadata.hpp>

namespace byway {

/// Numbers and names are stable across versions; error_codes.def is the only list.
enum class ErrorCode : int {
#define BYWAY_ERROR(number, name, http, type, meaning) name = number,
#include <byway/error_codes.def>
#undef BYWAY_ERROR
};

/// Whether bytes of the request may have reached an upstream.
enum class Sent : std::uint8_t { no, maybe, yes };

/// Why an upstream failed. `none` is a refusal of our own. The names are the words of the call
/// record.
enum class UpstreamClass : std::uint8_t {
  none,
  auth,
  quota,
  rate_limited,
  overloaded,
  unavailable_starting,
  unavailable,
  invalid_request,
  unsupported,
  context_length,
  payload_too_large,
  content_filter,
  not_found_model,
  not_found_route,
  upstream_error,
  stream_truncated,
  stream_error,
  timeout,
  protocol_error,
  config_error,
  cancelled,
};

/// "auth", "quota", ...; empty for `none`.
std::string_view name_of(UpstreamClass upstream_class) noexcept;
/// "byo_endpoint_not_found", ...; "internal_error" for a number that is no code.
std::string_view name_of(ErrorCode code) noexcept;
/// "no", "maybe", "yes".
std::string_view name_of(Sent sent) noexcept;

/// Everything an Error can say. Set what is known and leave the rest.
struct ErrorFields {
  ErrorCode code = ErrorCode::internal_error;
  /// One sentence: what was wrong, with which value, and what to do. Never a secret, a header value
  /// or a URL query.
  std::string message = {};
  /// The request field at fault ("model", "messages"), or empty.
  std::string param = {};
  /// Finer than the code where a code covers several cases, e.g. "missing" or "expired" for
  /// invalid_api_key.
  std::string reason = {};
  UpstreamClass upstream_class = UpstreamClass::none;
  /// The fault in one word, e.g. "net_connect_failed" or "timeout_stall"; empty for a refusal of
  /// our own.
  std::string cause = {};
  /// The upstream's HTTP status, 0 when there was none.
  int http_status = 0;
  /// The upstream's own words: at most 512 bytes, valid UTF-8, keys masked.
  std::string detail = {};
  /// The endpoint at fault, "byo:<slug>"; empty before one was chosen.
  std::string endpoint = {};
  bool retryable = false;
  std::optional<std::chrono::milliseconds> retry_after = {};
  Sent sent = Sent::no;
  /// Of the call that ended with it.
  Metadata metadata = {};
};

/// An immutable error. *Safe from any thread.* Copies share one record.
class Error {
 public:
  Error(ErrorCode code, std::string message);
  explicit Error(ErrorFields fields);
  Error(const Error&) noexcept;
  Error(Error&& other) noexcept;
  Error& operator=(const Error&) noexcept;
  Error& operator=(Error&&) noexcept;
  ~Error();

  ErrorCode code() const noexcept { return fields().code; }
  std::string_view name() const noexcept { return name_of(code()); }
  const std::string& message() const noexcept { return fields().message; }
  const std::string& param() const noexcept { return fields().param; }
  const std::string& reason() const noexcept { return fields().reason; }
  UpstreamClass upstream_class() const noexcept { return fields().upstream_class; }
  const std::string& cause() const noexcept { return fields().cause; }
  int http_status() const noexcept { return fields().http_status; }
  const std::string& detail() const noexcept { return fields().detail; }
  const std::string& endpoint() const noexcept { return fields().endpoint; }
  const std::string& request_id() const noexcept { return metadata().request_id; }
  bool retryable() const noexcept { return fields().retryable; }
  std::optional<std::chrono::milliseconds> retry_after() const noexcept {
    return fields().retry_after;
  }
  Sent sent() const noexcept { return fields().sent; }
  int attempts() const noexcept { return metadata().attempts; }
  /// What is known of the call that ended with it; of other errors nothing.
  const Metadata& metadata() const noexcept { return fields().metadata; }
  const ErrorFields& fields() const noexcept;

  /// The status a server should answer with: the code's own, or by class for upstream_error, such
  /// that a hopeless call never looks like one worth retrying (harnesses retry 429 and 5xx without
  /// end).
  int status() const noexcept;
  /// "invalid_request_error", "permission_error", ...: OpenAI's `type`.
  std::string_view type() const noexcept;
  /// OpenAI's shape: {"error":{"message","type","param","code"}}, `param` null when there is none.
  std::string json() const;

 private:
  struct Shared;
  Shared* shared_;
};

static_assert(sizeof(Error) == sizeof(void*));

}  // namespace byway
