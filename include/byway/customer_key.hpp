// CustomerKey: what a caller presents, and what it may do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/secret.hpp>

namespace byway {

/// Test keys run the full path and are limited alike; only what is recorded says `test`.
enum class KeyMode : std::uint8_t { live, test };
/// "live", "test".
std::string_view name_of(KeyMode mode) noexcept;

/// admin: everything in its org. editor: all but keys and limits. viewer: reads. caller: calls and
/// nothing else.
enum class Role : std::uint8_t { admin, editor, viewer, caller };
/// "admin", "editor", ...
std::string_view name_of(Role role) noexcept;

/// What an administrator says of a customer key: the one field list of --json, `key set` and this
/// struct. Absent limits are none.
struct CustomerKeySettings {
  /// For people.
  std::string name = {};
  Role role = Role::caller;
  /// What it may call: "byo:<slug>/<model>", "byo:<slug>/*", "byo:*" or an alias, which grants the
  /// alias's models through that alias. Absent allows all of the org, empty allows nothing.
  std::optional<std::vector<std::string>> allow = {};
  /// Over any interval t at most burst + rpm x t / 60 s calls pass. 0 is stored as none.
  std::optional<std::int64_t> rpm = {};
  /// Absent means rpm.
  std::optional<std::int64_t> rpm_burst = {};
  std::optional<std::int64_t> tpm = {};
  std::optional<std::int64_t> in_flight = {};
  /// Requests per UTC day and month, at least 1.
  std::optional<std::int64_t> cap_day = {};
  std::optional<std::int64_t> cap_month = {};
  /// Tokens per UTC day and month, prompt and output together, at least 1; needs no prices.
  std::optional<std::int64_t> cap_tokens_day = {};
  std::optional<std::int64_t> cap_tokens_month = {};
  /// Nano-dollars per UTC month, at least 1; needs prices at every endpoint the key may use.
  std::optional<std::int64_t> cap_money_month = {};
  /// Only endpoints of this declared region may be called; empty for any.
  std::string region = {};
  /// "off", "redact", "tokenize" or "block"; empty for the org's.
  std::string pii = {};
  /// RFC 3339 in UTC ("2027-01-31T00:00:00Z"), from when on it is refused; empty for never.
  std::string expires = {};
  bool operator==(const CustomerKeySettings&) const = default;
};

/// A key as it is stored. Holds no secret.
struct CustomerKey {
  CustomerKeySettings settings = {};
  /// 16 letters and digits; part of the key, and all that is ever shown of it.
  std::string id = {};
  KeyMode mode = KeyMode::live;
  std::string org = {};
  /// Counts up with each rotation, from 1.
  std::int64_t generation = 1;
  /// RFC 3339, UTC.
  std::string created_at = {};
  std::string updated_at = {};
  /// Empty while it is not revoked.
  std::string revoked_at = {};
  /// Until when the secret before the last rotation is taken too; empty when there is none.
  std::string overlap_until = {};
  bool operator==(const CustomerKey&) const = default;
};

/// The one time that the key itself is shown: only a keyed hash of it is stored.
struct MintedKey {
  CustomerKey record = {};
  Secret key;
};

}  // namespace byway
