// Probe: tries an endpoint and says what works there.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/error.hpp>
#include <byway/request.hpp>
#include <byway/result.hpp>
#include <byway/router.hpp>

namespace byway {

/// How to probe. Views are read during probe_endpoint() only.
struct ProbeOptions {
  /// The upstream model to try. When empty: the endpoint's default model, else the first that its
  /// allowlist names, else the first that the server lists.
  std::string_view model = {};
  /// The customer key, where the router requires one.
  std::string_view key = {};
  /// Of each call of the probe.
  Timeouts timeouts = {};
  /// Tries tools, a JSON schema and embeddings too: three more calls.
  bool is_thorough = false;
};

/// One call of a probe.
struct ProbeStep {
  /// "models", "chat", "completions", "embeddings", "stream", "tools", "json_schema".
  std::string name = {};
  /// Why it failed; absent when it worked.
  std::optional<Error> error = {};
  std::chrono::nanoseconds latency = {};
};

/// What works. An absent answer was not tried, or the server did not tell.
struct ProbeReport {
  /// A call of the chosen model worked; without any model to try, that the server listed models.
  bool is_usable = false;
  /// A connection was made, whatever came of it.
  bool is_reachable = false;
  /// Whether TLS was verified; absent for plain http and for a server that was not reached.
  std::optional<bool> tls = {};
  /// False too when the server wants a key and the endpoint has none.
  std::optional<bool> key_accepted = {};
  /// The upstream model that was tried; empty when there was none to try.
  std::string model = {};
  std::optional<bool> model_known = {};
  /// How many models the server lists.
  std::optional<std::int64_t> models_listed = {};
  std::optional<bool> chat = {};
  std::optional<bool> completions = {};
  std::optional<bool> embeddings = {};
  std::optional<bool> stream = {};
  /// Whether a stream told its tokens when asked to.
  std::optional<bool> usage_in_stream = {};
  /// Whether a request with tools, or with a JSON schema, was taken; not how well it was followed.
  std::optional<bool> tools = {};
  std::optional<bool> json_schema = {};
  std::optional<std::int64_t> context_length = {};
  /// Of a vector, where embeddings were tried.
  std::optional<std::int64_t> dimensions = {};
  /// Of the first call that worked, and until the first content of the stream.
  std::optional<std::chrono::nanoseconds> latency = {};
  std::optional<std::chrono::nanoseconds> first_token = {};
  /// Names of the rate-limit headers that were seen, in lower case.
  std::vector<std::string> rate_headers = {};
  /// Every call that was made, in order.
  std::vector<ProbeStep> steps = {};
  /// Why the endpoint cannot be used; absent when it can.
  std::optional<Error> problem = {};
};

/// Lists the server's models, then makes one-token calls of a fixed word, three to seven calls in
/// all and each with purpose `probe`. Nothing of the caller's is sent and nothing is stored. Waits:
/// on a loop thread internal_would_block_loop. A server that fails is a report; an error is what
/// Byway itself refuses: byo_endpoint_not_found, byo_endpoint_disabled, byo_model_not_allowed,
/// invalid_api_key and their like. *Safe from any thread.*
Result<ProbeReport> probe_endpoint(Router& router, std::string_view slug,
                                   const ProbeOptions& options = {});

}  // namespace byway
