// Dialect: data describing how one kind of server differs from OpenAI.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <byway/error.hpp>
#include <byway/request.hpp>
#include <byway/result.hpp>

#include "wire/json_splice.hpp"

namespace byway::wire {

constexpr std::size_t operation_count = 6;

enum class AuthKind : std::uint8_t { bearer, header, none, provider };

struct DialectAuth {
  AuthKind kind = AuthKind::bearer;
  /// The header's name for AuthKind::header.
  std::string header = {};
};

/// Edits of the body, and what is known of fields there.
struct DialectBody {
  std::vector<std::string> drop = {};
  std::vector<std::pair<std::string, std::string>> rename = {};
  /// Value as JSON text.
  std::vector<std::pair<std::string, std::string>> set_default = {};
  /// The server takes and forgets them: a note on the reply.
  std::vector<std::string> ignored = {};
  /// Refused here, before anything is sent.
  std::vector<std::string> refused = {};
};

enum class Capability : std::uint8_t {
  chat,
  completions,
  embeddings,
  responses,
  rerank,
  models,
  tools,
  tools_in_stream,
  json_schema,
  logprobs,
  n_gt_1,
  base64,
  dimensions,
  token_input,
  stream,
};
constexpr std::size_t capability_count = 15;

enum class ProbeJudge : std::uint8_t { none, status2xx, json_has };

struct DialectProbe {
  /// "GET" or "HEAD".
  std::string method = "GET";
  std::string path = "models";
  ProbeJudge judge = ProbeJudge::json_has;
  /// For json_has.
  std::string key = "data";
  std::chrono::milliseconds interval = std::chrono::seconds(30);
};

/// Tried in order, before the built-in rules. What is absent matches everything.
struct ErrorRule {
  std::optional<int> status = {};
  std::vector<std::string> code_in = {};
  /// Any one of these in the message, compared in lower case.
  std::vector<std::string> text_has = {};
  UpstreamClass upstream_class = UpstreamClass::upstream_error;
};

enum class ResetUnit : std::uint8_t { automatic, seconds, milliseconds, epoch_s, epoch_ms };

/// Further names of rate headers; empty for none.
struct DialectRate {
  std::string remaining = {};
  std::string limit = {};
  std::string reset = {};
  ResetUnit reset_unit = ResetUnit::automatic;
};

struct DialectStream {
  bool needs_done = false;
  bool needs_finish = true;
};

enum class HttpVersion : std::uint8_t { automatic, http1, http2 };

struct DialectTransport {
  std::optional<std::chrono::milliseconds> connect = {};
  std::optional<std::chrono::milliseconds> first_byte = {};
  std::optional<std::chrono::milliseconds> first_token = {};
  std::optional<std::chrono::milliseconds> stall = {};
  std::optional<std::chrono::milliseconds> total = {};
  std::optional<std::chrono::milliseconds> pool_age = {};
  std::optional<int> connections_max = {};
  HttpVersion http = HttpVersion::automatic;
};

/// The record of wire.md 3.2; the defaults are OpenAI. Plain data, immutable once parsed.
struct Dialect {
  std::string name = "openai";
  /// By operation; an absent one is not offered. A leading "^/" means from the host's root;
  /// "{model}" stands for the upstream model, percent-encoded.
  std::array<std::optional<std::string>, operation_count> paths = {
      "chat/completions", "completions", "embeddings", "responses", std::nullopt, "models"};
  DialectAuth auth = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::vector<std::pair<std::string, std::string>> query = {};
  bool omits_model = false;
  /// By operation: what holds for all of them and what is said for this one, together.
  std::array<DialectBody, operation_count> bodies = {};
  UsagePolicy usage = UsagePolicy::as_caller;
  /// Set bits are offered, clear ones are not, where `knows_caps`; all but rerank.
  std::bitset<capability_count> caps = std::bitset<capability_count>().set().reset(4);
  bool knows_caps = true;
  DialectProbe probe = {};
  bool lists_models = true;
  std::vector<ErrorRule> errors = {};
  DialectRate rate = {};
  DialectStream stream = {};
  DialectTransport transport = {};

  /// Whether the operation has a path and no capability says otherwise.
  bool offers(Operation operation) const noexcept;
  bool offers(Capability capability) const noexcept;
  const DialectBody& body_of(Operation operation) const noexcept {
    return bodies[static_cast<std::size_t>(operation)];
  }
};

/// The compiled-in dialect of that name, or null. The pointer is good for the process's life.
/// *Safe from any thread.*
const Dialect* preset(std::string_view name);
/// Names of all presets, sorted.
std::span<const std::string_view> preset_names() noexcept;

/// Reads a dialect: a JSON object with the twelve keys paths, auth, headers, query, body, usage,
/// caps, probe, models_shape, errors, rate, stream and transport, with `name`, and with `extends`,
/// the preset whose values hold where this one is silent (`base` when absent, and OpenAI's when
/// that is empty). Objects merge, arrays replace. Strict: unknown keys, wrong types and names twice
/// are refused. Code: registry_field_invalid, naming the key.
Result<Dialect> parse_dialect(std::string_view json, std::string_view base = {});

std::string_view name_of(Capability capability) noexcept;

/// A dialect as an endpoint's settings say it: a preset's name, or a JSON object as for
/// parse_dialect() that changes keys of one ("generic" where it has no `extends`). The result's
/// name is that of the preset, with "(changed)" after it for an object. Code:
/// registry_field_invalid.
Result<std::shared_ptr<const Dialect>> dialect_of_setting(std::string_view setting);

/// The preset that such a setting names or changes; empty when it is an object with none.
std::string preset_of_setting(std::string_view setting);

}  // namespace byway::wire
