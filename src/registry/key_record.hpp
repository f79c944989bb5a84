// KeyRecord: a customer key as calls need it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/clock.hpp>
#include <byway/customer_key.hpp>
#include <byway/org.hpp>
#include <byway/result.hpp>

namespace byway::policy {
struct LimitList;
}

namespace byway::registry {

/// What a key may call; made once, asked without allocation.
class KeyAllowlist {
 public:
  /// Everything.
  KeyAllowlist() = default;
  explicit KeyAllowlist(const std::optional<std::vector<std::string>>& items);

  /// `model_id` is "byo:<slug>/<upstream>", whose slug is `slug`. Byte for byte; the only wildcards
  /// are "byo:*" and "byo:<slug>/*".
  bool allows_model(std::string_view model_id, std::string_view slug) const noexcept;
  /// Whether the alias is named, so that its models are granted through it.
  bool names_alias(std::string_view name) const noexcept;
  /// Whether any model of the endpoint may be named, other than through an alias.
  bool touches(std::string_view slug) const noexcept;
  bool allows_all() const noexcept { return allows_all_; }

 private:
  bool allows_all_ = true;
  /// Sorted.
  std::vector<std::string> models_;
  std::vector<std::string> slugs_;
  std::vector<std::string> aliases_;
};

/// HMAC-SHA-256 of a whole customer key under the pepper of that version.
struct KeyVerifier {
  std::array<unsigned char, 32> bytes = {};
  std::uint32_t pepper_version = 0;
  bool operator==(const KeyVerifier&) const = default;
};

/// Immutable, shared: a call in flight keeps the record it was admitted under.
struct KeyRecord {
  /// Codes: registry_field_invalid, since another version may have written the row.
  static Result<std::shared_ptr<KeyRecord>> make(CustomerKey key, KeyVerifier verifier,
                                                 std::optional<KeyVerifier> previous);

  CustomerKey key;
  KeyVerifier verifier;
  /// The secret before the last rotation, good until `overlap_until`.
  std::optional<KeyVerifier> previous;
  WallTime overlap_until = {};
  /// Absent for never.
  std::optional<WallTime> expires = {};
  KeyAllowlist allow;
  /// The key's own and its org's; given by whoever loads the record, and read by whoever counts.
  std::shared_ptr<const policy::LimitList> limits = {};
};

}  // namespace byway::registry
