// The verbs of RegistryStore for customer keys, peppers, orgs and aliases.
#include <fmt/format.h>

#include <utility>

#include "store/registry_store.hpp"

namespace byway::store {
namespace {

constexpr std::string_view key_columns =
    "id, org, mode, settings, generation, verifier, pepper_version,"
    " coalesce(previous_verifier, x''), coalesce(previous_pepper_version, 0), overlap_until,"
    " created_at, updated_at, revoked_at";

CustomerKeyRow key_of(const Row& row) {
  CustomerKeyRow key;
  key.id = row.bytes(0);
  key.org = row.bytes(1);
  key.mode = row.bytes(2);
  key.settings = row.bytes(3);
  key.generation = row.integer(4);
  key.verifier = row.bytes(5);
  key.pepper_version = static_cast<std::uint32_t>(row.integer(6));
  key.previous_verifier = row.bytes(7);
  key.previous_pepper_version = static_cast<std::uint32_t>(row.integer(8));
  key.overlap_until = row.bytes(9);
  key.created_at = row.bytes(10);
  key.updated_at = row.bytes(11);
  key.revoked_at = row.bytes(12);
  return key;
}

}  // namespace

Result<void> RegistryStore::load_access(RegistryRows& rows) {
  Result<void> read = database_.run("SELECT value FROM key_setting WHERE name = 'prefix'", {},
                                    [&](const Row& row) { rows.key_prefix = row.bytes(0); });
  if (!read) return read;
  read = database_.run("SELECT name, limits FROM org ORDER BY name", {}, [&](const Row& row) {
    rows.orgs.push_back({row.bytes(0), row.bytes(1)});
  });
  if (!read) return read;
  read = database_.run(fmt::format("SELECT {} FROM customer_key ORDER BY id", key_columns), {},
                       [&](const Row& row) { rows.customer_keys.push_back(key_of(row)); });
  if (!read) return read;
  read = database_.run("SELECT org, name, settings FROM alias ORDER BY org, name", {},
                       [&](const Row& row) {
                         rows.aliases.push_back({row.bytes(0), row.bytes(1), row.bytes(2)});
                       });
  if (!read) return read;
  Result<std::vector<PepperRow>> peppers = this->peppers();
  if (!peppers) return peppers.error();
  rows.peppers = *std::move(peppers);
  return {};
}

Result<void> RegistryStore::set_key_prefix(std::string_view prefix) {
  return transact([&]() -> Result<void> {
    Result<void> done =
        database_.run("UPDATE key_setting SET value = ? WHERE name = 'prefix'", {prefix});
    if (!done) return done;
    return bump("registry");
  });
}

Result<void> RegistryStore::insert_pepper(const PepperRow& row) {
  return transact([&]() -> Result<void> {
    if (Result<void> done = count_wraps(row.master_key_version, 1); !done) return done;
    Result<void> done = database_.run(
        "INSERT INTO pepper(version, record_id, master_key_version, sealed) VALUES(?, ?, ?, ?)",
        {std::int64_t{row.version}, row.record_id, std::int64_t{row.master_key_version},
         Bytes{row.sealed}});
    if (!done) return done;
    return bump("registry");
  });
}

Result<std::vector<PepperRow>> RegistryStore::peppers() {
  std::vector<PepperRow> rows;
  Result<void> read = database_.run(
      "SELECT version, record_id, master_key_version, sealed FROM pepper ORDER BY version", {},
      [&](const Row& row) {
        rows.push_back({static_cast<std::uint32_t>(row.integer(0)), row.bytes(1),
                        static_cast<std::uint32_t>(row.integer(2)), row.bytes(3)});
      });
  if (!read) return read.error();
  return rows;
}

Result<std::optional<OrgRow>> RegistryStore::find_org(std::string_view name) {
  std::optional<OrgRow> found;
  Result<void> read =
      database_.run("SELECT name, limits FROM org WHERE name = ?", {name}, [&](const Row& row) {
        found = OrgRow{row.bytes(0), row.bytes(1)};
      });
  if (!read) return read.error();
  return found;
}

Result<void> RegistryStore::put_org(const OrgRow& row) {
  return transact([&]() -> Result<void> {
    Result<void> done = database_.run(
        "INSERT INTO org(name, limits) VALUES(?1, ?2)"
        " ON CONFLICT(name) DO UPDATE SET limits = ?2",
        {row.name, row.limits});
    if (!done) return done;
    return bump("registry");
  });
}

Result<std::optional<CustomerKeyRow>> RegistryStore::find_customer_key(std::string_view org,
                                                                       std::string_view id) {
  std::optional<CustomerKeyRow> found;
  Result<void> read = database_.run(
      fmt::format("SELECT {} FROM customer_key WHERE org = ? AND id = ?", key_columns), {org, id},
      [&](const Row& row) { found = key_of(row); });
  if (!read) return read.error();
  return found;
}

Result<void> RegistryStore::put_customer_key(const CustomerKeyRow& row) {
  return transact([&]() -> Result<void> {
    if (Result<void> done = insert_org(row.org); !done) return done;
    Result<void> done = database_.run(
        "INSERT INTO customer_key VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, x''),"
        " nullif(?9, 0), ?10, ?11, ?12, ?13) ON CONFLICT(id) DO UPDATE SET settings = ?4,"
        " generation = ?5, verifier = ?6, pepper_version = ?7, previous_verifier = nullif(?8, x''),"
        " previous_pepper_version = nullif(?9, 0), overlap_until = ?10, updated_at = ?12,"
        " revoked_at = ?13 WHERE org = ?2",
        {row.id, row.org, row.mode, row.settings, row.generation, Bytes{row.verifier},
         std::int64_t{row.pepper_version}, Bytes{row.previous_verifier},
         std::int64_t{row.previous_pepper_version}, row.overlap_until, row.created_at,
         row.updated_at, row.revoked_at});
    if (!done) return done;
    if (database_.changes() == 0) {
      return Error(ErrorCode::internal_error, "a customer key's id is another org's");
    }
    has_destroyed_ = true;
    return bump("registry");
  });
}

Result<void> RegistryStore::put_alias(const AliasRow& row) {
  return transact([&]() -> Result<void> {
    if (Result<void> done = insert_org(row.org); !done) return done;
    Result<void> done = database_.run(
        "INSERT INTO alias VALUES(?1, ?2, ?3)"
        " ON CONFLICT(org, name) DO UPDATE SET settings = ?3",
        {row.org, row.name, row.settings});
    if (!done) return done;
    return bump("registry");
  });
}

Result<bool> RegistryStore::remove_alias(std::string_view org, std::string_view name) {
  bool was_there = false;
  Result<void> done = transact([&]() -> Result<void> {
    Result<void> removed =
        database_.run("DELETE FROM alias WHERE org = ? AND name = ?", {org, name});
    if (!removed) return removed;
    was_there = database_.changes() != 0;
    return was_there ? bump("registry") : Result<void>();
  });
  if (!done) return done.error();
  return was_there;
}

}  // namespace byway::store
