// Probe: tries an endpoint and says what works there.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/capability_record.hpp>
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
  /// Tries tools, a JSON schema, log probabilities and embeddings too: five more calls, two of them
  /// of up to 32 tokens.
  bool is_thorough = false;
  /// Whether what was learned is kept with the endpoint, where the registry is a store.
  bool keeps_record = true;
};

/// One call of a probe.
struct ProbeStep {
  /// "models", "chat", "completions", "embeddings", "stream", "tools", "json_schema",
  /// "logprobs", "echo".
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
  std::optional<bool> model_known = {};
  /// How many models the server lists.
  std::optional<std::int64_t> models_listed = {};
  /// What works and what the server tells of itself: what this probe learned, nothing older.
  CapabilityRecord record = {};
  /// Of the first call that worked, and until the first content of the stream.
  std::optional<std::chrono::nanoseconds> latency = {};
  std::optional<std::chrono::nanoseconds> first_token = {};
  /// Every call that was made, in order.
  std::vector<ProbeStep> steps = {};
  /// Why the endpoint cannot be used; absent when it can.
  std::optional<Error> problem = {};
  /// Whether the record was merged into the endpoint's; never for endpoints of a registry file. An
  /// error when that should have worked and did not.
  bool is_kept = false;
  std::optional<Error> keep_problem = {};
};

/// Lists the server's models, then makes calls of fixed words, each with purpose `probe`: one token
/// each, three or four in all unless thorough. Nothing of the caller's is sent. Waits: on a loop
/// thread internal_would_block_loop. A server that fails is a report; an error is what
/// Byway itself refuses: byo_endpoint_not_found, byo_endpoint_disabled, byo_model_not_allowed,
/// invalid_api_key and their like. *Safe from any thread.*
Result<ProbeReport> probe_endpoint(Router& router, std::string_view slug,
                                   const ProbeOptions& options = {});

}  // namespace byway
