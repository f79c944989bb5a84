// Admin: changes endpoints and their keys, customer keys, aliases, limits and the vault.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <byway/alias.hpp>
#include <byway/audit.hpp>
#include <byway/capability_record.hpp>
#include <byway/customer_key.hpp>
#include <byway/endpoint.hpp>
#include <byway/org.hpp>
#include <byway/result.hpp>
#include <byway/vault.hpp>

namespace byway {

namespace router {
class Catalog;
enum class AdminMethod : std::uint8_t;
}  // namespace router

/// An endpoint as it was stored, and what the caller should know of how: an operation that was cut
/// off a pasted URL, for instance.
struct StoredEndpoint {
  Endpoint endpoint = {};
  std::vector<std::string> warnings = {};
};

/// One field and its new value as text: text as it is, `true` or `false`, a number, and for lists
/// items separated by commas or a JSON array of strings. `null` makes an optional field absent.
/// `headers` and `query` take one "Name: value" or "name=value", or a JSON array of them.
struct FieldChange {
  std::string_view field = {};
  std::string_view value = {};
};

/// A sealed key that does not open, and why.
struct BrokenKey {
  std::string org = {};
  std::string slug = {};
  Error error;
};

struct MasterKeyStatus {
  /// Counts up from 1 in each store.
  std::uint32_t version = 0;
  /// "incoming", "active", "outgoing" or "retired".
  std::string state = {};
  /// Upstream keys that need it now.
  std::int64_t records = 0;
  /// Times it has ever sealed; refused at 3,865,470,566 (NIST SP 800-38D, with a margin).
  std::uint64_t seals = 0;
  /// Whether this process has it.
  bool is_present = false;
};

struct VaultStatus {
  std::vector<MasterKeyStatus> master_keys = {};
  /// A rotation was begun and not finished: call rotate_master() again.
  bool is_rotating = false;
};

struct VaultCheck {
  std::size_t records = 0;
  std::vector<BrokenKey> broken = {};
};

struct MasterRotation {
  /// The master key that seals from now on.
  std::uint32_t version = 0;
  std::size_t rewrapped = 0;
  /// Records that do not open; while there are any, the old master key stays.
  std::vector<BrokenKey> broken = {};
};

/// Administration of one org. A handle: copies are cheap. *Safe from any thread*, but on loop
/// threads only what reads endpoints, aliases, customer keys and the own org answers, the others
/// give internal_would_block_loop. Those readings take this process's snapshot; everything else
/// works on the store, waits for it, and returns once calls of this process see the change; other
/// processes see it within a second. Codes of every such method besides its own: store_locked,
/// store_disk_full, store_io_error, store_corrupt, internal_closed, internal_used_after_fork,
/// internal_out_of_memory, and registry_read_only when the registry is a file. An unknown slug and
/// one of another org are answered alike: byo_endpoint_not_found. No answer and no error ever holds
/// a key. A handle made with a customer key is checked in every method, first of all:
/// invalid_api_key once that key is revoked or has expired, policy_forbidden when its role lacks
/// the right (docs/guide/keys.md has the table).
class Admin {
 public:
  /// By slug.
  Result<std::vector<Endpoint>> endpoints() const;
  /// Code: byo_endpoint_not_found.
  Result<Endpoint> endpoint(std::string_view slug) const;

  /// `settings.org` is this handle's org, whatever it says. The key is sealed at once; without one
  /// the server is called without. Codes: registry_slug_invalid, registry_duplicate_slug,
  /// registry_url_invalid, registry_url_insecure, net_ssrf_blocked, registry_field_invalid,
  /// request_header_invalid, request_header_reserved, vault_secret_invalid, vault_wrap_limit,
  /// vault_kek_wrong, vault_memory.
  Result<StoredEndpoint> add_endpoint(EndpointSettings settings,
                                      std::optional<std::string_view> key = {});

  /// All changes or none. A change of scheme, host or port needs the key again, since the stored
  /// one was given for the old place: vault_origin_changed. `org` cannot be changed. Codes also:
  /// byo_endpoint_not_found, vault_no_change, and those of add_endpoint().
  Result<StoredEndpoint> set_endpoint(std::string_view slug, std::span<const FieldChange> changes,
                                      std::optional<std::string_view> key = {});

  /// Code: byo_endpoint_not_found.
  Result<Endpoint> set_enabled(std::string_view slug, bool enabled);

  /// Calls in flight end on the old key, new ones use this one. Also gives a first key to an
  /// endpoint that has none, and repairs one whose key does not open. Codes:
  /// byo_endpoint_not_found, vault_no_change, vault_secret_invalid, vault_wrap_limit,
  /// vault_kek_wrong, vault_memory.
  Result<Endpoint> rotate_key(std::string_view slug, std::string_view key);

  /// Merges what a probe learned into the endpoint's record; see merged(). Changes no setting.
  /// probe_endpoint() does this itself; it is here for a probe that was made before the endpoint
  /// was added. Code: byo_endpoint_not_found.
  Result<Endpoint> keep_capabilities(std::string_view slug, const CapabilityRecord& record);

  /// Destroys the key and frees the slug; the endpoint's id stays in history. Code:
  /// byo_endpoint_not_found.
  Result<void> remove_endpoint(std::string_view slug);

  /// The org's endpoints as TOML, keys sealed as they are. Loads again as a registry file or by
  /// import_registry() wherever the master key is the same.
  Result<std::string> export_registry() const;
  /// Adds the endpoints of such a text, all or none, with ids of their own; `key` may also be
  /// "env:NAME" or "file:PATH". Codes: registry_invalid_file (naming line and field), and inside
  /// valid text vault_kek_wrong or vault_ciphertext_corrupt naming the endpoint,
  /// registry_duplicate_slug, registry_field_invalid (another org).
  Result<std::vector<StoredEndpoint>> import_registry(std::string_view toml);

  /// The org's aliases, by name.
  Result<std::vector<Alias>> aliases() const;
  /// Makes the alias, or puts it in place of the one of that name; `alias.org` is this handle's
  /// org, whatever it says. Since a customer key whose list names an alias may use its models,
  /// changing such an alias needs the right to write keys too (policy_forbidden). Code:
  /// registry_field_invalid.
  Result<Alias> set_alias(Alias alias);
  /// Codes: byo_endpoint_not_found, policy_forbidden.
  Result<void> remove_alias(std::string_view name);

  /// The org's keys, revoked ones too, by id.
  Result<std::vector<CustomerKey>> customer_keys() const;
  /// Code: byo_endpoint_not_found.
  Result<CustomerKey> customer_key(std::string_view id) const;
  /// The one time that the key is shown: only a keyed hash is stored. A money cap needs prices at
  /// every endpoint that the key may use. Codes: registry_field_invalid, vault_no_key (the store's
  /// master key is not here, so that none can be hashed), vault_memory.
  Result<MintedKey> mint_customer_key(CustomerKeySettings settings, KeyMode mode = KeyMode::live);
  /// All changes or none; `rpm` also takes "60/10", rate and burst. New calls see them at once.
  /// Codes: byo_endpoint_not_found, registry_field_invalid.
  Result<CustomerKey> set_customer_key(std::string_view id, std::span<const FieldChange> changes);
  /// A new secret for the same id, with limits and history; the one before is taken for `overlap`
  /// longer, 0 to 366 days, and the one before that no more. Codes: byo_endpoint_not_found,
  /// registry_field_invalid (also of a revoked key), vault_no_key, vault_memory.
  Result<MintedKey> rotate_customer_key(std::string_view id, std::chrono::seconds overlap = {});
  /// For good: the next call with it is refused here, and within a second in other processes. Again
  /// does nothing. Code: byo_endpoint_not_found.
  Result<CustomerKey> revoke_customer_key(std::string_view id);

  /// This handle's org.
  Result<Org> org() const;
  /// All changes or none, by the names of OrgLimits. Code: registry_field_invalid, for a money cap
  /// also where an endpoint has no price.
  Result<Org> set_org_limits(std::span<const FieldChange> changes);
  /// Every org of the store, by name. The owner's alone, like create_org() and what follows.
  Result<std::vector<Org>> orgs() const;
  /// Codes: registry_field_invalid (no name of an org), registry_duplicate_slug.
  Result<Org> create_org(std::string_view name);

  /// The newest records of the org and those of no org, oldest first; at most 100,000. Code:
  /// registry_field_invalid.
  Result<std::vector<AuditRecord>> audit_tail(std::int64_t count = 20) const;
  /// The same records of a stretch of time, each as to_json() writes it. Code:
  /// registry_field_invalid.
  Result<void> audit_export(const AuditSpan& span, const AuditLine& line) const;
  /// Reads the whole log of the store, all orgs, and compares it with its signed head. What it
  /// found is no error of this method. Code: vault_no_key.
  Result<AuditVerdict> audit_verify() const;
  /// After a store was restored from a copy: records what audit_verify() says and signs the log as
  /// it is, so that the alarm ends. The owner's alone. Code: vault_no_key.
  Result<void> audit_accept();

  /// Sums over the org's calls. Code: registry_field_invalid.
  Result<UsageReport> usage(const UsageQuery& query = {}) const;
  /// Removes the log's records, all orgs, from its start to the first that is not older than
  /// `before` (a date, or RFC 3339) or that a call in flight needs, and records that: the log goes
  /// on to verify. Usage and audit are one log: export first what is to be kept. The owner's alone.
  /// Codes: registry_field_invalid, vault_no_key.
  Result<PrunedUsage> usage_prune(std::string_view before);

  Result<VaultStatus> vault_status() const;
  /// Opens every sealed key of the store.
  Result<VaultCheck> check_vault() const;
  /// Seals every upstream key again under another master key, 500 at a time, while calls go on. A
  /// rotation that was cut short at any point loses nothing; the next call finishes it. Without
  /// `new_key` a key is generated beside the default key file, "<store>.key.new", which takes its
  /// place at the end; with one, it is the caller's to keep, and both are needed until this
  /// returns. Codes: vault_no_key (no `new_key`, and the present one is not the default file's),
  /// vault_no_change, vault_kek_wrong (another rotation is not finished; its key is needed), those
  /// of KeySource, vault_wrap_limit.
  Result<MasterRotation> rotate_master(KeySource new_key = {});
  /// Marks an old master key as needed by nothing. Codes: vault_version_in_use, vault_kek_wrong (no
  /// such version).
  Result<void> retire_master(std::uint32_t version);

  /// Made by Router; without a key id it is the owner's.
  explicit Admin(std::shared_ptr<router::Catalog> catalog, std::string org,
                 std::string key_id = {});
  Admin(const Admin&) noexcept;
  Admin(Admin&&) noexcept;
  Admin& operator=(const Admin&) noexcept;
  Admin& operator=(Admin&&) noexcept;
  ~Admin();

 private:
  Result<void> allow(router::AdminMethod method) const;
  bool may_write_keys() const;

  std::shared_ptr<router::Catalog> catalog_;
  std::string org_;
  /// The customer key that acts; empty for the owner.
  std::string key_id_;
};

/// What `byway init` makes.
struct NewStore {
  std::string path = {};
  /// By default BYWAY_MASTER_KEY, then "<path>.key", which is made when it is missing.
  KeySource master_key = {};
  /// The first org.
  std::string org = "local";
  /// What the store's customer keys begin with: 1 to 16 of [a-z0-9], a letter first.
  std::string key_prefix = "bw";
};

struct CreatedStore {
  std::string path = {};
  /// The key file to back up, "<path>.key"; empty when the master key came from elsewhere.
  std::string key_file = {};
};

/// Makes a new store. Codes: store_exists, store_io_error, store_disk_full, store_locked, and those
/// of KeySource.
Result<CreatedStore> create_store(const NewStore& wanted);

}  // namespace byway
