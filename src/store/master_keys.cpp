// The master key verbs of RegistryStore.
#include <fmt/format.h>

#include <utility>

#include "store/registry_store.hpp"

namespace byway::store {
namespace {

constexpr auto incoming = static_cast<std::int64_t>(MasterKeyState::incoming);
constexpr auto active = static_cast<std::int64_t>(MasterKeyState::active);
constexpr auto outgoing = static_cast<std::int64_t>(MasterKeyState::outgoing);
constexpr auto retired = static_cast<std::int64_t>(MasterKeyState::retired);

Error not_active(std::uint32_t version) {
  return Error(ErrorCode::vault_kek_wrong,
               fmt::format("master key version {} is not the active one", version));
}

}  // namespace

Result<std::vector<MasterKeyRow>> RegistryStore::master_keys() {
  std::vector<MasterKeyRow> rows;
  Result<void> read = database_.run(
      "SELECT version, kek_id, state, check_record, wraps FROM master_key ORDER BY version", {},
      [&](const Row& row) {
        MasterKeyRow& key = rows.emplace_back();
        key.version = static_cast<std::uint32_t>(row.integer(0));
        key.kek_id = row.bytes(1);
        key.state = static_cast<MasterKeyState>(row.integer(2));
        key.check_record = row.bytes(3);
        key.wraps = static_cast<std::uint64_t>(row.integer(4));
      });
  if (!read) return read.error();
  return rows;
}

Result<std::uint32_t> RegistryStore::insert_master_key(const MasterKeyRow& row) {
  std::int64_t version = 0;
  Result<void> done = transact([&]() -> Result<void> {
    Result<std::int64_t> last = database_.integer("SELECT max(version) FROM master_key");
    if (!last) return last.error();
    version = *last + 1;
    Result<void> inserted = database_.run(
        "INSERT INTO master_key(version, kek_id, state, check_record, wraps)"
        " VALUES(?, ?, ?, ?, ?)",
        {version, Bytes{row.kek_id}, static_cast<std::int64_t>(row.state), Bytes{row.check_record},
         static_cast<std::int64_t>(row.wraps)});
    if (!inserted) return inserted;
    return bump("vault");
  });
  if (!done) return done.error();
  return static_cast<std::uint32_t>(version);
}

Result<void> RegistryStore::activate_master_key(std::uint32_t version) {
  return transact([&]() -> Result<void> {
    Result<void> done =
        database_.run("UPDATE master_key SET state = ? WHERE state = ?", {outgoing, active});
    if (!done) return done;
    done = database_.run("UPDATE master_key SET state = ? WHERE version = ? AND state = ?",
                         {active, std::int64_t{version}, incoming});
    if (!done) return done;
    if (database_.changes() == 0) {
      return Error(ErrorCode::vault_kek_wrong,
                   fmt::format("master key version {} is not an incoming one", version));
    }
    return bump("vault");
  });
}

Result<void> RegistryStore::retire_master_key(std::uint32_t version) {
  return transact([&]() -> Result<void> {
    const std::int64_t number = version;
    Result<std::int64_t> needing = database_.integer(
        "SELECT (SELECT count(*) FROM sealed_key WHERE master_key_version = ?1)"
        " + (SELECT count(*) FROM pepper WHERE master_key_version = ?1)"
        " + (SELECT count(*) FROM master_key WHERE version = ?1 AND state = ?2)",
        {number, active});
    if (!needing) return needing.error();
    if (*needing != 0) {
      return Error(
          ErrorCode::vault_version_in_use,
          fmt::format("master key version {} is active or still needed; re-wrap first", version));
    }
    Result<void> done =
        database_.run("UPDATE master_key SET state = ? WHERE version = ?", {retired, number});
    if (!done) return done;
    return bump("vault");
  });
}

Result<std::vector<BoundKey>> RegistryStore::keys_under(std::uint32_t version,
                                                        std::string_view start, std::size_t limit) {
  std::vector<BoundKey> keys;
  Result<void> read = database_.run(
      "SELECT e.org, e.slug, e.origin, k.endpoint_id, k.field, k.record_id, k.generation,"
      " k.master_key_version, k.preview, k.sealed"
      " FROM sealed_key k JOIN endpoint e ON e.id = k.endpoint_id"
      " WHERE k.master_key_version = ?1 AND k.record_id > ?2"
      // A pepper is bound to no endpoint.
      " UNION ALL SELECT '', '', '', '', 'pepper', record_id, version, master_key_version, '',"
      " sealed FROM pepper WHERE master_key_version = ?1 AND record_id > ?2"
      " ORDER BY 6 LIMIT ?3",
      {std::int64_t{version}, start, static_cast<std::int64_t>(limit)}, [&](const Row& row) {
        BoundKey& bound = keys.emplace_back();
        bound.org = row.bytes(0);
        bound.slug = row.bytes(1);
        bound.origin = row.bytes(2);
        bound.key.endpoint_id = row.bytes(3);
        bound.key.field = row.bytes(4);
        bound.key.record_id = row.bytes(5);
        bound.key.generation = static_cast<std::uint64_t>(row.integer(6));
        bound.key.master_key_version = static_cast<std::uint32_t>(row.integer(7));
        bound.key.preview = row.bytes(8);
        bound.key.sealed = row.bytes(9);
      });
  if (!read) return read.error();
  return keys;
}

Result<RewrapStep> RegistryStore::rewrap_batch(std::uint32_t from, std::uint32_t to,
                                               std::string_view start, std::size_t limit,
                                               const Rewrap& rewrap) {
  RewrapStep step;
  const std::int64_t target = to;
  Result<void> done = transact([&]() -> Result<void> {
    Result<std::int64_t> is_active = database_.integer(
        "SELECT count(*) FROM master_key WHERE version = ? AND state = ?", {target, active});
    if (!is_active) return is_active.error();
    if (*is_active == 0 || from == to) return not_active(to);
    Result<std::vector<BoundKey>> keys = keys_under(from, start, limit);
    if (!keys) return keys.error();
    Result<Statement> update = database_.prepare(
        "UPDATE sealed_key SET sealed = ?, master_key_version = ? WHERE record_id = ?");
    if (!update) return update.error();
    Result<Statement> update_pepper = database_.prepare(
        "UPDATE pepper SET sealed = ?, master_key_version = ? WHERE record_id = ?");
    if (!update_pepper) return update_pepper.error();
    std::int64_t sealed_again = 0;
    for (const BoundKey& bound : *keys) {
      Result<std::string> sealed = rewrap(bound);
      if (!sealed) {
        step.failed.emplace_back(bound.key.record_id, sealed.error());
        continue;
      }
      const bool is_pepper = bound.key.endpoint_id.empty();
      Statement& statement = is_pepper ? *update_pepper : *update;
      Result<void> put = statement.run({Bytes{*sealed}, target, bound.key.record_id});
      if (!put) return put;
      ++sealed_again;
      if (!is_pepper) ++step.rewrapped;
    }
    if (keys->size() == limit && limit != 0) step.next = keys->back().key.record_id;
    Result<std::int64_t> remaining = database_.integer(
        "SELECT (SELECT count(*) FROM sealed_key WHERE master_key_version = ?1)"
        " + (SELECT count(*) FROM pepper WHERE master_key_version = ?1)",
        {std::int64_t{from}});
    if (!remaining) return remaining.error();
    step.remaining = *remaining;
    if (sealed_again == 0) return {};
    has_destroyed_ = true;
    if (Result<void> counted = count_wraps(to, sealed_again); !counted) return counted;
    return bump("registry");
  });
  if (!done) return done.error();
  return step;
}

}  // namespace byway::store
