// Endpoint: one registered upstream server.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <byway/capability_record.hpp>

namespace byway {

/// Time-outs of one endpoint; absent means RouterOptions' value, zero means no limit.
struct EndpointTimeouts {
  std::optional<std::chrono::milliseconds> connect = {};
  std::optional<std::chrono::milliseconds> first_byte = {};
  std::optional<std::chrono::milliseconds> first_token = {};
  std::optional<std::chrono::milliseconds> stall = {};
  std::optional<std::chrono::milliseconds> total = {};
  bool operator==(const EndpointTimeouts&) const = default;
};

/// A name and a value that may be logged: extra headers and query parts of an endpoint are not
/// secrets.
using NameValue = std::pair<std::string, std::string>;

/// What an administrator says of an endpoint: the one field list of TOML, --json, `endpoint set`
/// and this struct. The upstream key is not here: it is given beside the settings, once, and never
/// comes back.
struct EndpointSettings {
  /// 3 to 40 characters, [a-z][a-z0-9-]*[a-z0-9]; unique in its org.
  std::string slug = {};
  std::string name = {};
  /// https, or http to this machine; kept as given but for trailing slashes. Operation paths are
  /// appended to it.
  std::string base_url = {};
  /// Upstream models that may be named; absent allows all, empty allows none. A "*" alone allows
  /// all.
  std::optional<std::vector<std::string>> allow = {};
  bool enabled = true;
  /// A preset's name, "openai" or "generic" for most servers; or a JSON object that changes keys of
  /// one: {"extends":"vllm","stream":{"finish":"optional"}}. `extends` is "generic" when left out;
  /// the keys are those of docs/guide/registry-file.md.
  std::string dialect = "generic";
  /// Capabilities ("chat", "embeddings", ...) and free words.
  std::vector<std::string> tags = {};
  /// Declared region, e.g. "eu"; empty for none.
  std::string region = {};
  /// The upstream model that the probe and `byway chat byo:<slug>` use; empty for none.
  std::string default_model = {};
  /// JSON object merged into every body, this side winning; empty for none. No messages, model or
  /// stream.
  std::string extra_body = {};
  std::vector<NameValue> headers = {};
  std::vector<NameValue> query = {};
  /// PEM file of the authorities to trust instead of the system's; empty for the system's.
  std::string ca_file = {};
  /// PEM files for mutual TLS; both or none.
  std::string client_cert = {};
  std::string client_key = {};
  /// Allows plain http to any host that the address rules allow.
  bool allow_insecure_http = false;
  /// Private ranges (CIDR) that the host may be in.
  std::vector<std::string> allow_addresses = {};
  /// "http://host:port"; empty means no proxy, whatever the environment says.
  std::string proxy = {};
  EndpointTimeouts timeouts = {};
  /// Limits of this endpoint; absent means none.
  std::optional<std::int64_t> in_flight = {};
  std::optional<std::int64_t> rpm = {};
  std::optional<std::int64_t> tpm = {};
  /// Price per million tokens in nano-dollars, for cost estimates; absent means unknown.
  std::optional<std::int64_t> price_input = {};
  std::optional<std::int64_t> price_output = {};
  /// The org it belongs to.
  std::string org = "local";
  bool operator==(const EndpointSettings&) const = default;
};

/// An endpoint as it is stored: its settings and what Byway knows of it. Holds no secret.
struct Endpoint {
  EndpointSettings settings = {};
  /// Immutable and never reused; usage and audit rows name it, since slugs are reused.
  std::string id = {};
  /// Scheme, host and port of base_url in canonical form; the sealed key is tied to it.
  std::string origin = {};
  bool has_key = false;
  /// First four characters and "...", "****" for a short key, empty without a key.
  std::string key_preview = {};
  /// Counts up with each rotation, from 1; 0 without a key.
  std::uint64_t key_generation = 0;
  /// RFC 3339, UTC.
  std::string created_at = {};
  std::string updated_at = {};
  /// What probes have learned; absent before the first one, after the base URL changed, and for
  /// endpoints of a registry file, which keeps none.
  std::optional<CapabilityRecord> capabilities = {};
};

}  // namespace byway
