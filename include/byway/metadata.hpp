// Metadata: what Byway knows of a call beside the reply, whether it ended well or not.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace byway {

/// Of every Response and every Error of a call. What was not found out before the call ended is
/// empty, zero or absent.
struct Metadata {
  /// "byo:<slug>".
  std::string provider = {};
  /// The model named upstream.
  std::string model = {};
  /// The model that the upstream says has answered; empty when it does not say.
  std::string model_served = {};
  /// "bw-req-" + 26 characters; empty for an Error that is no call's.
  std::string request_id = {};
  /// The upstream's last HTTP status; 0 for none.
  int status = 0;
  /// Tries that were started, libcurl's own re-sends included.
  int attempts = 0;
  /// From call() to the result.
  std::chrono::nanoseconds latency = {};
  /// Our own share of the latency: admission, encoding, reading; no waiting.
  std::chrono::nanoseconds overhead = {};
  /// From call() to the first content event; zero for a whole reply.
  std::chrono::nanoseconds first_token = {};
  /// Which generation of the upstream key was used; 0 for an endpoint without a key.
  std::uint64_t key_generation = 0;
  /// The alias that was named, and whether its first candidate was passed over.
  std::string alias = {};
  bool is_fallback = false;
  /// Values that were taken out of the request before it was sent; 0 as long as nothing redacts.
  std::int64_t pii_redacted = 0;
  /// What is left after this call of the tightest limit of each kind; absent where none is set, or
  /// none of its calls was counted here yet.
  std::optional<std::int64_t> remaining_requests = {};
  std::optional<std::int64_t> remaining_tokens = {};
  std::optional<std::int64_t> cap_remaining_day = {};
  std::optional<std::int64_t> cap_remaining_month = {};
  std::optional<std::int64_t> cap_remaining_tokens_day = {};
  std::optional<std::int64_t> cap_remaining_tokens_month = {};
};

}  // namespace byway
