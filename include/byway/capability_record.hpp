// CapabilityRecord: what probes have learned of an endpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace byway {

/// Kept with the endpoint and shown beside it; never decides a call by itself. An absent answer was
/// never tried, or the server did not tell. Seen at one moment with one model: a server may change.
struct CapabilityRecord {
  /// When the last probe ended: RFC 3339, UTC.
  std::string probed_at = {};
  /// When everything was tried for the last time; empty for never.
  std::string thorough_at = {};
  /// The upstream model that was tried; empty when there was none to try.
  std::string model = {};
  /// Whether the last probe's call worked; see ProbeReport::is_usable.
  bool is_usable = false;
  /// Why it did not: the error's class or name ("auth", "byo_endpoint_disabled"); empty when it
  /// did.
  std::string problem = {};

  std::optional<bool> chat = {};
  std::optional<bool> completions = {};
  std::optional<bool> embeddings = {};
  std::optional<bool> stream = {};
  /// Whether a stream told its tokens when asked to.
  std::optional<bool> usage_in_stream = {};
  /// Whether a request with tools was taken, and whether a tool that had to be called was called.
  /// Many servers take tools and forget them.
  std::optional<bool> tools = {};
  std::optional<bool> tool_calls = {};
  /// The same for a JSON schema: taken, and kept to.
  std::optional<bool> json_schema = {};
  std::optional<bool> json_schema_kept = {};
  /// Log probabilities of a chat answer, and of a completion's own prompt (`echo`), judged by their
  /// values: a server that answers zeros has none.
  std::optional<bool> logprobs = {};
  std::optional<bool> echo_logprobs = {};

  /// In tokens, when told.
  std::optional<std::int64_t> context_length = {};
  /// Of a vector, where embeddings were tried.
  std::optional<std::int64_t> dimensions = {};
  /// Names of the rate-limit headers that were seen, in lower case.
  std::vector<std::string> rate_headers = {};

  /// The dialect that fits better than the endpoint's, and what it was told by ("owned_by vllm");
  /// both empty for no proposal. Nothing changes until somebody says so.
  std::string proposed_dialect = {};
  std::string proposal_reason = {};

  bool operator==(const CapabilityRecord&) const = default;
};

/// The yes-or-no fields by name: "chat", "completions", "embeddings", "stream", "usage_in_stream",
/// "tools", "tool_calls", "json_schema", "json_schema_kept", "logprobs", "echo_logprobs".
std::span<const std::string_view> capability_names() noexcept;

/// The field of that name; absent also for an unknown name. *Safe from any thread.*
std::optional<bool> offers(const CapabilityRecord& record, std::string_view capability) noexcept;

/// `older` brought up to date by `newer`: what the newer probe did not try keeps the older answer,
/// while both are of one model; of another model, nothing is kept.
CapabilityRecord merged(const CapabilityRecord& older, CapabilityRecord newer);

}  // namespace byway
