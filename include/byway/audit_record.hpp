// AuditRecord: what the audit log holds of a call or of an administrative change.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace byway {

/// intent: a call is about to leave. outcome: how it ended, refused calls included. in_doubt:
/// nobody knows how it ended, since its process died. change: administration. gap: so many records
/// could not be taken. cut: everything up to a record was pruned.
enum class AuditKind : std::uint8_t {
  intent = 1,
  outcome = 2,
  in_doubt = 3,
  change = 4,
  gap = 5,
  cut = 6
};
/// "intent", "outcome", ...
std::string_view name_of(AuditKind kind) noexcept;

/// The fields of a record; Text owns or views. There is no other field, so nothing else of a call
/// can come in: no prompt, no reply, no key, no header. Absent texts are empty, absent numbers 0.
template <class Text>
struct AuditFieldsOf {
  AuditKind kind = AuditKind::outcome;
  /// Microseconds since 1970-01-01 UTC.
  std::int64_t at_us = 0;
  Text org = {};
  /// The customer key's bare id; empty for the owner.
  Text actor = {};
  /// "live" or "test"; empty without a customer key.
  Text mode = {};
  Text request_id = {};
  Text endpoint_id = {};
  /// The endpoint's slug at that time.
  Text endpoint = {};
  /// As the caller asked, and what the upstream was asked or said that it used.
  Text model = {};
  Text model_served = {};
  Text operation = {};
  Text purpose = {};
  /// Of a call "ok" or its error code, of a change "endpoint.add", "key.revoke", ...
  Text action = {};
  /// What was changed: a slug, a key id, a name.
  Text subject = {};
  /// Of an upstream's failure: "timeout_stall", ...
  Text cause = {};
  /// The upstream's HTTP status.
  std::int64_t status = 0;
  std::int64_t attempts = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_tokens = 0;
  std::int64_t reasoning_tokens = 0;
  /// 1 when the tokens are an estimate.
  std::int64_t estimated = 0;
  /// By the endpoint's own prices.
  std::int64_t nano_dollars = 0;
  std::int64_t latency_us = 0;
  std::int64_t queue_us = 0;
  std::int64_t upstream_us = 0;
  std::int64_t overhead_us = 0;
  std::int64_t first_token_us = 0;
  /// Pieces of personal data that were found.
  std::int64_t pii = 0;
  /// Of a gap: records that were dropped. Of a cut: the last record that was pruned.
  std::int64_t count = 0;

  /// `visit(name, text, bytes_max)` for every text, in the order of the canonical bytes.
  template <class Self, class Visit>
  static void each_text(Self& self, Visit visit) {
    visit("org", self.org, 64);
    visit("actor", self.actor, 32);
    visit("mode", self.mode, 8);
    visit("request_id", self.request_id, 40);
    visit("endpoint_id", self.endpoint_id, 32);
    visit("endpoint", self.endpoint, 40);
    visit("model", self.model, 144);
    visit("model_served", self.model_served, 144);
    visit("operation", self.operation, 16);
    visit("purpose", self.purpose, 16);
    visit("action", self.action, 40);
    visit("subject", self.subject, 256);
    visit("cause", self.cause, 32);
  }
  /// `visit(name, number)` for every number after `at_us`.
  template <class Self, class Visit>
  static void each_number(Self& self, Visit visit) {
    visit("status", self.status);
    visit("attempts", self.attempts);
    visit("input_tokens", self.input_tokens);
    visit("output_tokens", self.output_tokens);
    visit("cached_tokens", self.cached_tokens);
    visit("reasoning_tokens", self.reasoning_tokens);
    visit("estimated", self.estimated);
    visit("nano_dollars", self.nano_dollars);
    visit("latency_us", self.latency_us);
    visit("queue_us", self.queue_us);
    visit("upstream_us", self.upstream_us);
    visit("overhead_us", self.overhead_us);
    visit("first_token_us", self.first_token_us);
    visit("pii", self.pii);
    visit("count", self.count);
  }
  bool operator==(const AuditFieldsOf&) const = default;
};

using AuditFields = AuditFieldsOf<std::string_view>;

/// A record in its place.
struct AuditRecord : AuditFieldsOf<std::string> {
  std::int64_t seq = 0;
  /// SHA-256 over the hash of the record before, `seq` and the canonical bytes, as 64 hex digits.
  std::string hash = {};
};

/// One JSON object on one line, without a line feed: `seq`, `kind`, `at` (RFC 3339), the texts and
/// numbers that are there, `billing` of calls, `hash`.
std::string to_json(const AuditRecord& record);

/// What the log came to, signed under a key of the vault.
struct AuditHead {
  /// Names the log: 32 hex digits, random.
  std::string log = {};
  std::int64_t seq = 0;
  /// Records that are still there; `seq` less what was pruned.
  std::int64_t count = 0;
  std::int64_t at_us = 0;
  std::uint32_t key_version = 0;
  /// The hash of record `seq`, in hex.
  std::string hash = {};
  /// All of this and an HMAC-SHA-256 over it, as the one line that `<store>.head` holds.
  std::string line = {};
};

}  // namespace byway
