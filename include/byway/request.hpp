// Request: what a caller asks, as views that are read only during call() or stream().
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace byway {

/// What is asked of the endpoint.
enum class Operation : std::uint8_t { chat, completions, embeddings, responses, rerank, models };

/// "chat", "completions", ...
std::string_view name_of(Operation operation) noexcept;
/// The operation of that name, or nothing.
std::optional<Operation> operation_of(std::string_view name) noexcept;

/// What the call is for; kept apart in usage sums.
enum class Purpose : std::uint8_t { inference, judge, scorer, trace_eval, probe };

/// "inference", "judge", ...
std::string_view name_of(Purpose purpose) noexcept;

/// One header of a request: a token and a visible value. Headers that only Byway may set are
/// refused (request_header_reserved); those starting `x-byway-`, or as
/// RouterOptions::header_prefix says, are stripped.
struct Header {
  std::string_view name = {};
  std::string_view value = {};
};

/// Limits on one call. What is absent comes from the endpoint, then from RouterOptions, then from
/// the default here. Zero means "no limit".
struct Timeouts {
  /// Name, TCP and TLS together. Default 5 s.
  std::optional<std::chrono::milliseconds> connect = {};
  /// From the request being written until the first byte of the answer's head. Default 120 s.
  std::optional<std::chrono::milliseconds> first_byte = {};
  /// From the start of the attempt to the first content event of a stream; comments do not count.
  /// Default 300 s.
  std::optional<std::chrono::milliseconds> first_token = {};
  /// Between two pieces of the body, not while the caller holds the stream back. Default 60 s.
  std::optional<std::chrono::milliseconds> stall = {};
  /// The whole call, retries included. Default 600 s.
  std::optional<std::chrono::milliseconds> total = {};
};

/// One call. Every view must stay valid until call() or stream() has returned, no longer: what is
/// needed later is copied then. Trivially destructible on purpose, since g++ 12 destroys owning
/// aggregate temporaries twice in a co_await expression.
struct Request {
  Operation operation = Operation::chat;
  /// OpenAI-shaped JSON, at most RouterOptions::request_bytes_max. Sent byte for byte but for
  /// `model`, `stream` and what the endpoint adds. Empty for `models`.
  std::string_view body = {};
  /// Replaces the body's `model`, or stands in where there is none: for `models` it is
  /// "byo:<slug>".
  std::string_view model = {};
  /// The customer key; checked whenever it is given.
  std::string_view key = {};
  std::span<const Header> headers = {};
  Purpose purpose = Purpose::inference;
  Timeouts timeouts = {};
  /// Tries within the deadline, on the same endpoint, by class of failure and never after the first
  /// content event.
  int attempts = 1;
  /// Whether a request that may have reached the server, which then closed without a byte, may be
  /// sent again.
  bool retry_ambiguous = false;
};

static_assert(std::is_trivially_destructible_v<Request>);

}  // namespace byway
