// Registry rows: endpoints, keys, aliases and orgs as the store keeps them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace byway::store {

/// An endpoint. Times are RFC 3339 in UTC and come from the caller.
struct EndpointRow {
  std::string id = {};
  std::string org = {};
  std::string slug = {};
  /// Scheme, host and port; what the sealed key is tied to.
  std::string origin = {};
  bool enabled = true;
  /// JSON text of all settings, opaque here.
  std::string settings = {};
  /// The newest generation its key ever had; kept when the key goes, so that none is used twice.
  std::uint64_t last_generation = 0;
  std::string created_at = {};
  std::string updated_at = {};
  /// What probes learned, opaque here; empty for nothing.
  std::string capabilities = {};
  bool operator==(const EndpointRow&) const = default;
};

/// A sealed key: one per endpoint and field.
struct SealedKeyRow {
  std::string endpoint_id = {};
  /// "key", or the name of another secret setting.
  std::string field = {};
  /// New for each sealing of a new secret; kept by a re-wrap.
  std::string record_id = {};
  std::uint64_t generation = 0;
  /// The master key that sealed it.
  std::uint32_t master_key_version = 0;
  /// What may be shown of the secret.
  std::string preview = {};
  /// Opaque here.
  std::string sealed = {};
  bool operator==(const SealedKeyRow&) const = default;
};

/// A sealed key and the place it is bound to: what is needed to open it and seal it again.
struct BoundKey {
  std::string org = {};
  std::string slug = {};
  std::string origin = {};
  SealedKeyRow key = {};
};

/// incoming: known, seals nothing yet. active: seals; one at most. outgoing: opens what it sealed.
/// retired: no record needs it.
enum class MasterKeyState : std::uint8_t { incoming, active, outgoing, retired };

/// What the store knows of a master key; never the key.
struct MasterKeyRow {
  /// Counts up from 1.
  std::uint32_t version = 0;
  /// 16 bytes that name the key.
  std::string kek_id = {};
  MasterKeyState state = MasterKeyState::incoming;
  /// A sealed constant that tells a wrong key at open.
  std::string check_record = {};
  /// Records it has sealed.
  std::uint64_t wraps = 0;
  bool operator==(const MasterKeyRow&) const = default;
};

/// What customer keys are hashed under; sealed.
struct PepperRow {
  std::uint32_t version = 0;
  std::string record_id = {};
  std::uint32_t master_key_version = 0;
  /// Opaque here.
  std::string sealed = {};
  bool operator==(const PepperRow&) const = default;
};

/// A customer key, hashed.
struct CustomerKeyRow {
  std::string id = {};
  std::string org = {};
  /// "live" or "test".
  std::string mode = {};
  /// JSON text of all settings, opaque here.
  std::string settings = {};
  std::int64_t generation = 1;
  /// 32 bytes, and the pepper they were made under.
  std::string verifier = {};
  std::uint32_t pepper_version = 0;
  /// Of the secret before the last rotation; empty and 0 when there is none.
  std::string previous_verifier = {};
  std::uint32_t previous_pepper_version = 0;
  std::string overlap_until = {};
  std::string created_at = {};
  std::string updated_at = {};
  /// Empty while it is not revoked.
  std::string revoked_at = {};
  bool operator==(const CustomerKeyRow&) const = default;
};

struct AliasRow {
  std::string org = {};
  std::string name = {};
  /// JSON text, opaque here.
  std::string settings = {};
  bool operator==(const AliasRow&) const = default;
};

struct OrgRow {
  std::string name = {};
  /// JSON text, opaque here.
  std::string limits = "{}";
  bool operator==(const OrgRow&) const = default;
};

/// Count up with each change, in its transaction: compare them to learn whether to load again.
struct Revisions {
  /// Orgs, endpoints, sealed keys, customer keys and aliases.
  std::int64_t registry = 0;
  /// Master keys.
  std::int64_t vault = 0;
  bool operator==(const Revisions&) const = default;
};

/// Everything, as of one instant; removed endpoints are left out.
struct RegistryRows {
  Revisions revisions = {};
  std::string key_prefix = {};
  std::vector<OrgRow> orgs = {};
  /// By version.
  std::vector<PepperRow> peppers = {};
  /// Revoked ones too.
  std::vector<CustomerKeyRow> customer_keys = {};
  std::vector<AliasRow> aliases = {};
  std::vector<EndpointRow> endpoints = {};
  std::vector<SealedKeyRow> sealed_keys = {};
  std::vector<MasterKeyRow> master_keys = {};
};

}  // namespace byway::store
