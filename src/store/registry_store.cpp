#include "store/registry_store.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/time_text.hpp"
#include "store/migrations.hpp"

namespace byway::store {
namespace {

constexpr std::string_view endpoint_columns =
    "id, org, slug, origin, enabled, settings, last_generation, created_at, updated_at, "
    "capabilities";
constexpr std::string_view key_columns =
    "endpoint_id, field, record_id, generation, master_key_version, preview, sealed";

EndpointRow endpoint_of(const Row& row) {
  EndpointRow endpoint;
  endpoint.id = row.bytes(0);
  endpoint.org = row.bytes(1);
  endpoint.slug = row.bytes(2);
  endpoint.origin = row.bytes(3);
  endpoint.enabled = row.integer(4) != 0;
  endpoint.settings = row.bytes(5);
  endpoint.last_generation = static_cast<std::uint64_t>(row.integer(6));
  endpoint.created_at = row.bytes(7);
  endpoint.updated_at = row.bytes(8);
  endpoint.capabilities = row.bytes(9);
  return endpoint;
}

SealedKeyRow key_of(const Row& row) {
  SealedKeyRow key;
  key.endpoint_id = row.bytes(0);
  key.field = row.bytes(1);
  key.record_id = row.bytes(2);
  key.generation = static_cast<std::uint64_t>(row.integer(3));
  key.master_key_version = static_cast<std::uint32_t>(row.integer(4));
  key.preview = row.bytes(5);
  key.sealed = row.bytes(6);
  return key;
}

std::int64_t signed_of(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

Error no_endpoint(std::string_view id) {
  return Error(ErrorCode::byo_endpoint_not_found, fmt::format("there is no endpoint {}", id));
}

}  // namespace

RegistryStore::RegistryStore(OpenedStore opened, const std::string& path, StoreOptions options)
    : database_(std::move(opened.database)),
      write_lock_(std::move(opened.write_lock)),
      options_(options),
      chain_(path) {}

Result<RegistryStore> RegistryStore::create(const std::string& path, StoreOptions options) {
  Result<OpenedStore> opened = create_store(path, options.busy_limit);
  if (!opened) return opened.error();
  return RegistryStore(std::move(*opened), path, options);
}

Result<RegistryStore> RegistryStore::open(const std::string& path, StoreOptions options) {
  Result<OpenedStore> opened = open_store(path, options.busy_limit);
  if (!opened) return opened.error();
  return RegistryStore(std::move(*opened), path, options);
}

Result<Revisions> RegistryStore::revisions() {
  Revisions revisions;
  Result<void> read = database_.run("SELECT kind, n FROM revision", {}, [&](const Row& row) {
    const std::string kind = row.bytes(0);
    if (kind == "registry") revisions.registry = row.integer(1);
    if (kind == "vault") revisions.vault = row.integer(1);
  });
  if (!read) return read.error();
  return revisions;
}

Result<RegistryRows> RegistryStore::load() {
  RegistryRows rows;
  const auto read_all = [&]() -> Result<void> {
    Result<Revisions> revisions = this->revisions();
    if (!revisions) return revisions.error();
    rows.revisions = *revisions;
    if (Result<void> read = load_access(rows); !read) return read;
    Result<void> read =
        database_.run(fmt::format("SELECT {} FROM endpoint WHERE removed_at IS NULL ORDER BY id",
                                  endpoint_columns),
                      {}, [&](const Row& row) { rows.endpoints.push_back(endpoint_of(row)); });
    if (!read) return read;
    read = database_.run(fmt::format("SELECT {} FROM sealed_key ORDER BY record_id", key_columns),
                         {}, [&](const Row& row) { rows.sealed_keys.push_back(key_of(row)); });
    if (!read) return read;
    Result<std::vector<MasterKeyRow>> master_keys = this->master_keys();
    if (!master_keys) return master_keys.error();
    rows.master_keys = std::move(*master_keys);
    return {};
  };
  Result<Snapshot> snapshot = in_transaction_ ? Snapshot() : Snapshot::begin(database_);
  if (!snapshot) return snapshot.error();
  if (Result<void> read = read_all(); !read) return read.error();
  return rows;
}

Result<void> RegistryStore::transact(const std::function<Result<void>()>& change) {
  if (in_transaction_) {
    if (failure_) return *failure_;
    Result<void> done = change();
    if (!done) failure_ = done.error();
    return done;
  }
  Result<WriteLock::Guard> guard = write_lock_.take(options_.busy_limit);
  if (!guard) return guard.error();
  Result<Transaction> transaction = Transaction::begin(database_);
  if (!transaction) return transaction.error();
  struct Mark {
    bool& flag;
    ~Mark() { flag = false; }
  } mark{in_transaction_};
  in_transaction_ = true;
  has_records_ = false;
  failure_.reset();
  Result<void> done = change();
  if (done && failure_) return *failure_;
  if (!done) return done;
  if (done = commit(*transaction); !done) return done;
  // What was destroyed still stands in the file until the log, which overwrites it, is copied. A
  // reader may prevent that; the next change tries again, and so does closing.
  if (has_destroyed_ && database_.empty_log()) has_destroyed_ = false;
  return {};
}

Result<void> RegistryStore::commit(Transaction& transaction) {
  if (!has_records_) return transaction.commit();
  const std::int64_t now = base::unix_us(std::chrono::system_clock::now());
  if (Result<void> done = chain_.seal(database_, now); !done) return done;
  if (Result<void> done = transaction.commit(); !done) return done;
  // The change is made whatever becomes of the head, which the next one replaces as well.
  static_cast<void>(chain_.published(database_, true).has_value());
  return {};
}

Result<void> RegistryStore::prepare_audit(const AuditKey& key, AuditListener listener,
                                          bool is_new) {
  chain_.prepare(key, std::move(listener));
  if (!is_new) return {};
  Result<WriteLock::Guard> guard = write_lock_.take(options_.busy_limit);
  if (!guard) return guard.error();
  return chain_.found(database_);
}

Result<void> RegistryStore::record(std::string_view bytes) {
  return transact([&]() -> Result<void> {
    if (!chain_.is_ready()) {
      return Error(ErrorCode::policy_audit_unavailable,
                   "the audit log cannot be signed: the store's master key is not here");
    }
    if (!has_records_) {
      if (Result<void> begun = chain_.begin(database_); !begun) return begun;
      has_records_ = true;
    }
    auto seq = chain_.add(database_, bytes);
    if (!seq) return seq.error();
    return {};
  });
}

Result<void> RegistryStore::bump(std::string_view kind) {
  return database_.run("UPDATE revision SET n = n + 1 WHERE kind = ?", {kind});
}

Result<void> RegistryStore::insert_org(std::string_view org) {
  return transact([&]() -> Result<void> {
    Result<void> done = database_.run("INSERT OR IGNORE INTO org(name) VALUES(?)", {org});
    if (!done || database_.changes() == 0) return done;
    return bump("registry");
  });
}

Result<std::optional<EndpointRow>> RegistryStore::find_endpoint(std::string_view org,
                                                                std::string_view slug) {
  std::optional<EndpointRow> found;
  Result<void> read = database_.run(
      fmt::format("SELECT {} FROM endpoint WHERE org = ? AND slug = ? AND removed_at IS NULL",
                  endpoint_columns),
      {org, slug}, [&](const Row& row) { found = endpoint_of(row); });
  if (!read) return read.error();
  return found;
}

Result<void> RegistryStore::check_slug(const EndpointRow& row) {
  Result<std::int64_t> others = database_.integer(
      "SELECT count(*) FROM endpoint WHERE org = ? AND slug = ? AND id <> ? AND removed_at IS NULL",
      {row.org, row.slug, row.id});
  if (!others) return others.error();
  if (*others == 0) return {};
  return Error(ErrorCode::registry_duplicate_slug,
               fmt::format("the org {} has an endpoint {} already", row.org, row.slug));
}

Result<void> RegistryStore::insert_endpoint(const EndpointRow& row) {
  return transact([&]() -> Result<void> {
    if (Result<void> done = insert_org(row.org); !done) return done;
    if (Result<void> done = check_slug(row); !done) return done;
    Result<void> done = database_.run(
        "INSERT INTO endpoint(id, org, slug, origin, enabled, settings, created_at, updated_at)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
        {row.id, row.org, row.slug, row.origin, std::int64_t{row.enabled}, row.settings,
         row.created_at, row.updated_at});
    if (!done) return done;
    return bump("registry");
  });
}

Result<void> RegistryStore::update_endpoint(const EndpointRow& row) {
  return transact([&]() -> Result<void> {
    if (Result<void> done = check_slug(row); !done) return done;
    Result<void> done = database_.run(
        "UPDATE endpoint SET slug = ?, origin = ?, enabled = ?, settings = ?, updated_at = ?"
        " WHERE id = ? AND org = ? AND removed_at IS NULL",
        {row.slug, row.origin, std::int64_t{row.enabled}, row.settings, row.updated_at, row.id,
         row.org});
    if (!done) return done;
    if (database_.changes() == 0) return no_endpoint(row.id);
    return bump("registry");
  });
}

Result<void> RegistryStore::put_capabilities(std::string_view id, std::string_view record) {
  return transact([&]() -> Result<void> {
    Result<void> done = database_.run(
        "UPDATE endpoint SET capabilities = ? WHERE id = ? AND removed_at IS NULL", {record, id});
    if (!done) return done;
    if (database_.changes() == 0) return no_endpoint(id);
    return bump("registry");
  });
}

Result<void> RegistryStore::remove_endpoint(std::string_view id, std::string_view at) {
  return transact([&]() -> Result<void> {
    Result<void> done = database_.run(
        "UPDATE endpoint SET removed_at = ?, enabled = 0 WHERE id = ? AND removed_at IS NULL",
        {at, id});
    if (!done) return done;
    if (database_.changes() == 0) return no_endpoint(id);
    done = database_.run("DELETE FROM sealed_key WHERE endpoint_id = ?", {id});
    if (!done) return done;
    has_destroyed_ = has_destroyed_ || database_.changes() != 0;
    return bump("registry");
  });
}

Result<std::optional<SealedKeyRow>> RegistryStore::find_sealed_key(std::string_view endpoint_id,
                                                                   std::string_view field) {
  std::optional<SealedKeyRow> found;
  Result<void> read = database_.run(
      fmt::format("SELECT {} FROM sealed_key WHERE endpoint_id = ? AND field = ?", key_columns),
      {endpoint_id, field}, [&](const Row& row) { found = key_of(row); });
  if (!read) return read.error();
  return found;
}

Result<void> RegistryStore::count_wraps(std::uint32_t version, std::int64_t count) {
  Result<void> counted = database_.run(
      "UPDATE master_key SET wraps = wraps + ?1"
      " WHERE version = ?2 AND state IN (1, 2) AND wraps + ?1 <= ?3",
      {count, std::int64_t{version}, wraps_max});
  if (!counted || database_.changes() == 1) return counted;
  Result<std::int64_t> usable =
      database_.integer("SELECT count(*) FROM master_key WHERE version = ? AND state IN (1, 2)",
                        {std::int64_t{version}});
  if (!usable) return usable.error();
  if (*usable == 0) {
    return Error(
        ErrorCode::vault_kek_wrong,
        fmt::format("master key version {} may not seal here; use the active one", version));
  }
  return Error(
      ErrorCode::vault_wrap_limit,
      fmt::format("master key version {} has sealed {} records; rotate it", version, wraps_max));
}

Result<void> RegistryStore::destroy_key(std::string_view endpoint_id, std::string_view field) {
  Result<void> done = database_.run("DELETE FROM sealed_key WHERE endpoint_id = ? AND field = ?",
                                    {endpoint_id, field});
  if (done) has_destroyed_ = has_destroyed_ || database_.changes() != 0;
  return done;
}

Result<void> RegistryStore::put_sealed_key(const SealedKeyRow& row) {
  return transact([&]() -> Result<void> {
    if (Result<void> done = count_wraps(row.master_key_version, 1); !done) return done;
    Result<std::int64_t> last = database_.integer(
        "SELECT last_generation FROM endpoint WHERE id = ? AND removed_at IS NULL",
        {row.endpoint_id}, -1);
    if (!last) return last.error();
    if (*last < 0) return no_endpoint(row.endpoint_id);
    const std::int64_t generation = signed_of(row.generation);
    if (generation <= *last) {
      return Error(ErrorCode::internal_error,
                   fmt::format("generation {} of a key comes after {}", generation, *last));
    }
    Result<void> done = database_.run("UPDATE endpoint SET last_generation = ? WHERE id = ?",
                                      {generation, row.endpoint_id});
    if (!done) return done;
    if (done = destroy_key(row.endpoint_id, row.field); !done) return done;
    done = database_.run(
        fmt::format("INSERT INTO sealed_key({}) VALUES(?, ?, ?, ?, ?, ?, ?)", key_columns),
        {row.endpoint_id, row.field, row.record_id, generation,
         std::int64_t{row.master_key_version}, row.preview, Bytes{row.sealed}});
    if (!done) return done;
    return bump("registry");
  });
}

Result<void> RegistryStore::reseal_key(const SealedKeyRow& row) {
  return transact([&]() -> Result<void> {
    if (Result<void> done = count_wraps(row.master_key_version, 1); !done) return done;
    Result<void> done = database_.run(
        "UPDATE sealed_key SET sealed = ?, master_key_version = ?"
        " WHERE endpoint_id = ? AND field = ? AND record_id = ? AND generation = ?",
        {Bytes{row.sealed}, std::int64_t{row.master_key_version}, row.endpoint_id, row.field,
         row.record_id, signed_of(row.generation)});
    if (!done) return done;
    if (database_.changes() == 0) return no_endpoint(row.endpoint_id);
    has_destroyed_ = true;
    return bump("registry");
  });
}

Result<void> RegistryStore::remove_sealed_key(std::string_view endpoint_id,
                                              std::string_view field) {
  return transact([&]() -> Result<void> {
    Result<void> done = destroy_key(endpoint_id, field);
    if (!done) return done;
    return bump("registry");
  });
}

}  // namespace byway::store
