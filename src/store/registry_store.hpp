// RegistryStore: orgs, endpoints, keys, aliases and master key versions in SQLite.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <byway/result.hpp>

#include "store/audit_chain.hpp"
#include "store/registry_rows.hpp"
#include "store/sqlite.hpp"
#include "store/write_lock.hpp"

namespace byway::store {

struct OpenedStore;

struct StoreOptions {
  /// How long a verb waits for another process before store_locked.
  std::chrono::milliseconds busy_limit = std::chrono::seconds(5);
};

/// 0.9 x 2^32: what one master key may seal (NIST SP 800-38D, with Vault's margin).
inline constexpr std::int64_t wraps_max = 3'865'470'566;

/// Seals a record again under another master key. An error leaves the record as it is.
using Rewrap = std::function<Result<std::string>(const BoundKey&)>;

/// One step of a re-wrap.
struct RewrapStep {
  /// Upstream keys now under the new master key; a pepper is not counted.
  std::size_t rewrapped = 0;
  /// Records that still need the old one, those that failed included.
  std::int64_t remaining = 0;
  /// Where the next step starts; empty when this one reached the end.
  std::string next = {};
  /// What `rewrap` said of the records it could not open, by record id.
  std::vector<std::pair<std::string, Error>> failed = {};
};

/// The registry's tables. It holds sealed keys and never sees a secret. Every verb that changes
/// something is one durable transaction, counts a revision up in it, and is nothing at all after
/// an error. A sealed key that is replaced or removed is overwritten in the file. *One thread at a
/// time.* Codes of every verb: store_locked, store_disk_full, store_io_error, store_corrupt,
/// internal_used_after_fork.
class RegistryStore {
 public:
  /// Code: store_exists.
  static Result<RegistryStore> create(const std::string& path, StoreOptions options = {});
  /// Codes: store_not_found, store_schema_newer.
  static Result<RegistryStore> open(const std::string& path, StoreOptions options = {});

  Result<RegistryRows> load();
  Result<Revisions> revisions();

  /// Runs `change` in one transaction that the verbs below join, so that what was read still holds
  /// when it is written. An error of `change`, or of any verb in it, undoes all of it.
  Result<void> transact(const std::function<Result<void>()>& change);

  /// Once, before the first audit record. The log of a store that `is_new` gets its first head, if
  /// it has none. Code of that: store_locked.
  Result<void> prepare_audit(const AuditKey& key, AuditListener listener = {}, bool is_new = false);
  bool has_audit() const noexcept { return chain_.is_ready(); }
  /// Appends a record to the audit log in the transaction at hand, so that both are there or
  /// neither; canonical bytes. Code: policy_audit_unavailable before prepare_audit().
  Result<void> record(std::string_view bytes);

  /// Does nothing when the org exists.
  Result<void> insert_org(std::string_view org);
  /// Absent when there is none; removed endpoints are not found.
  Result<std::optional<EndpointRow>> find_endpoint(std::string_view org, std::string_view slug);
  /// Makes the org when it is new. Code: registry_duplicate_slug.
  Result<void> insert_endpoint(const EndpointRow& row);
  /// By id; org, created_at, last_generation and capabilities stay. Codes: byo_endpoint_not_found,
  /// registry_duplicate_slug.
  Result<void> update_endpoint(const EndpointRow& row);
  /// Replaces what probes learned; empty for nothing. Code: byo_endpoint_not_found.
  Result<void> put_capabilities(std::string_view id, std::string_view record);
  /// Destroys its keys and frees its slug; the row stays, for usage and audit name its id. Code:
  /// byo_endpoint_not_found.
  Result<void> remove_endpoint(std::string_view id, std::string_view at);

  Result<std::optional<SealedKeyRow>> find_sealed_key(std::string_view endpoint_id,
                                                      std::string_view field);
  /// Puts a key in place of the one of that endpoint and field. Its generation must be above the
  /// endpoint's last one (internal_error), its master key active or outgoing (vault_kek_wrong: load
  /// again and seal again) and not worn out (vault_wrap_limit). Other code: byo_endpoint_not_found.
  Result<void> put_sealed_key(const SealedKeyRow& row);
  /// Puts the same generation, sealed again under another slug or origin, in place; same codes.
  Result<void> reseal_key(const SealedKeyRow& row);
  /// Does nothing when there is none.
  Result<void> remove_sealed_key(std::string_view endpoint_id, std::string_view field);

  /// What customer keys begin with, from now on.
  Result<void> set_key_prefix(std::string_view prefix);
  /// The version is the caller's; its master key must be active or outgoing (vault_kek_wrong) and
  /// not worn out (vault_wrap_limit).
  Result<void> insert_pepper(const PepperRow& row);
  /// By version.
  Result<std::vector<PepperRow>> peppers();

  /// Absent when there is none.
  Result<std::optional<OrgRow>> find_org(std::string_view name);
  /// Makes the org when it is new.
  Result<void> put_org(const OrgRow& row);

  /// Absent when the org has none of that id.
  Result<std::optional<CustomerKeyRow>> find_customer_key(std::string_view org,
                                                          std::string_view id);
  /// Makes the org when it is new. The id is fresh, or the row is replaced; org, mode and
  /// created_at of a row stay.
  Result<void> put_customer_key(const CustomerKeyRow& row);

  /// Makes the org when it is new; replaces an alias of that name.
  Result<void> put_alias(const AliasRow& row);
  /// Whether there was one.
  Result<bool> remove_alias(std::string_view org, std::string_view name);

  /// By version.
  Result<std::vector<MasterKeyRow>> master_keys();
  /// The version is the next one and is filled in; gives it back.
  Result<std::uint32_t> insert_master_key(const MasterKeyRow& row);
  /// From incoming to active; the one that was active is outgoing. Code: vault_kek_wrong.
  Result<void> activate_master_key(std::uint32_t version);
  /// Code: vault_version_in_use while it is active or a record needs it.
  Result<void> retire_master_key(std::uint32_t version);

  /// Re-wraps up to `limit` records from one master key to the active one `to`, in one transaction,
  /// starting at `start` (empty at first, then the step's `next`). Killed at any point it leaves
  /// every record sealed under one of the two. Codes: vault_kek_wrong, vault_wrap_limit.
  Result<RewrapStep> rewrap_batch(std::uint32_t from, std::uint32_t to, std::string_view start,
                                  std::size_t limit, const Rewrap& rewrap);

 private:
  RegistryStore(OpenedStore opened, const std::string& path, StoreOptions options);
  Result<void> commit(Transaction& transaction);
  Result<void> bump(std::string_view kind);
  Result<void> load_access(RegistryRows& rows);
  Result<void> check_slug(const EndpointRow& row);
  Result<void> count_wraps(std::uint32_t version, std::int64_t count);
  Result<void> destroy_key(std::string_view endpoint_id, std::string_view field);
  Result<std::vector<BoundKey>> keys_under(std::uint32_t version, std::string_view start,
                                           std::size_t limit);

  Database database_;
  WriteLock write_lock_;
  StoreOptions options_;
  AuditChain chain_;
  bool in_transaction_ = false;
  /// The transaction at hand has audit records.
  bool has_records_ = false;
  /// What the transaction at hand failed with; SQLite may have undone it already.
  std::optional<Error> failure_;
  /// Sealed bytes were replaced, and the old ones may still stand in the file.
  bool has_destroyed_ = false;
};

}  // namespace byway::store
