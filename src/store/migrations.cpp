#include "store/migrations.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "store/file_system.hpp"

namespace byway::store {
namespace {

/// "BYWA", in the header that SQLite keeps for this (sqlite.org/fileformat2.html, 1.3).
constexpr std::int64_t application_id = 0x42595741;

constexpr Migration registry_and_vault = R"(
CREATE TABLE revision(kind TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO revision VALUES('registry', 0), ('vault', 0);

CREATE TABLE org(name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE endpoint(
  id TEXT PRIMARY KEY,
  org TEXT NOT NULL REFERENCES org(name),
  slug TEXT NOT NULL,
  origin TEXT NOT NULL,
  enabled INTEGER NOT NULL CHECK(enabled IN (0, 1)),
  settings TEXT NOT NULL,
  last_generation INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  removed_at TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX endpoint_slug ON endpoint(org, slug) WHERE removed_at IS NULL;

CREATE TABLE master_key(
  version INTEGER PRIMARY KEY,
  kek_id BLOB NOT NULL,
  state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 3),
  check_record BLOB NOT NULL,
  wraps INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX master_key_active ON master_key(state) WHERE state = 1;

CREATE TABLE sealed_key(
  endpoint_id TEXT NOT NULL REFERENCES endpoint(id),
  field TEXT NOT NULL,
  record_id TEXT NOT NULL UNIQUE,
  generation INTEGER NOT NULL,
  master_key_version INTEGER NOT NULL REFERENCES master_key(version),
  preview TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY(endpoint_id, field)
) STRICT;
CREATE INDEX sealed_key_version ON sealed_key(master_key_version, record_id);
)";

/// What the last probe learned; a record, or empty.
constexpr Migration capabilities = R"(
ALTER TABLE endpoint ADD COLUMN capabilities TEXT NOT NULL DEFAULT '';
)";

/// What is reserved and used of a cap in a window, and calls of which nobody knows how they ended.
constexpr Migration quota = R"(
CREATE TABLE quota_window(
  subject TEXT NOT NULL,
  unit INTEGER NOT NULL CHECK(unit BETWEEN 0 AND 2),
  period INTEGER NOT NULL CHECK(period BETWEEN 0 AND 1),
  first_day INTEGER NOT NULL,
  reserved INTEGER NOT NULL CHECK(reserved >= 0),
  used INTEGER NOT NULL CHECK(used >= 0),
  PRIMARY KEY(subject, unit, period, first_day)
) STRICT, WITHOUT ROWID;

CREATE TABLE quota_doubt(
  label TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)";

/// Customer keys, aliases and what an org limits.
constexpr Migration access = R"(
ALTER TABLE org ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';

CREATE TABLE key_setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO key_setting VALUES('prefix', 'bw');

CREATE TABLE pepper(
  version INTEGER PRIMARY KEY,
  record_id TEXT NOT NULL UNIQUE,
  master_key_version INTEGER NOT NULL REFERENCES master_key(version),
  sealed BLOB NOT NULL
) STRICT;

CREATE TABLE customer_key(
  id TEXT PRIMARY KEY,
  org TEXT NOT NULL REFERENCES org(name),
  mode TEXT NOT NULL CHECK(mode IN ('live', 'test')),
  settings TEXT NOT NULL,
  generation INTEGER NOT NULL,
  verifier BLOB NOT NULL CHECK(length(verifier) = 32),
  pepper_version INTEGER NOT NULL REFERENCES pepper(version),
  previous_verifier BLOB CHECK(length(previous_verifier) = 32),
  previous_pepper_version INTEGER REFERENCES pepper(version),
  overlap_until TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  revoked_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX customer_key_org ON customer_key(org, id);

CREATE TABLE alias(
  org TEXT NOT NULL REFERENCES org(name),
  name TEXT NOT NULL,
  settings TEXT NOT NULL,
  PRIMARY KEY(org, name)
) STRICT, WITHOUT ROWID;
)";

/// One log for calls and administration; usage is a view over how calls ended. `audit_journal` says
/// how far each process's journal is written, `audit_open` which calls have no outcome yet.
constexpr Migration audit = R"(
CREATE TABLE audit(
  seq INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  hash BLOB NOT NULL,
  org TEXT NOT NULL,
  actor TEXT, mode TEXT, request_id TEXT, endpoint_id TEXT, endpoint TEXT, model TEXT,
  model_served TEXT, operation TEXT, purpose TEXT, action TEXT, subject TEXT, cause TEXT,
  status INTEGER, attempts INTEGER, input_tokens INTEGER, output_tokens INTEGER,
  cached_tokens INTEGER, reasoning_tokens INTEGER, estimated INTEGER, nano_dollars INTEGER,
  latency_us INTEGER, queue_us INTEGER, upstream_us INTEGER, overhead_us INTEGER,
  first_token_us INTEGER, pii INTEGER, count INTEGER
) STRICT;
CREATE INDEX audit_usage ON audit(org, at_us) WHERE kind IN (2, 3);

CREATE VIEW usage AS
  SELECT seq, at_us, org, actor AS key_id, mode, request_id, endpoint_id, endpoint, model,
    model_served, operation, purpose, action AS outcome, cause, status, attempts, input_tokens,
    output_tokens, cached_tokens, reasoning_tokens, estimated, 'upstream' AS billing, nano_dollars,
    latency_us, queue_us, upstream_us, overhead_us, first_token_us, pii
  FROM audit WHERE kind IN (2, 3);

CREATE TABLE audit_log(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  log BLOB NOT NULL,
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL,
  cut_seq INTEGER NOT NULL,
  cut_hash BLOB NOT NULL,
  head TEXT NOT NULL
) STRICT;
INSERT INTO audit_log VALUES(1, randomblob(16), 0, zeroblob(32), 0, zeroblob(32), '');

CREATE TABLE audit_journal(
  name TEXT PRIMARY KEY,
  next INTEGER NOT NULL,
  dropped INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_open(
  journal TEXT NOT NULL,
  call INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY(journal, call)
) STRICT, WITHOUT ROWID;
)";

/// A record is its canonical bytes: beside them stand the columns that are searched by, and sums
/// are made from the bytes.
constexpr Migration audit_bytes_alone = R"(
DROP VIEW usage;
ALTER TABLE audit RENAME TO audit_before;
DROP INDEX audit_usage;
CREATE TABLE audit(
  seq INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  org TEXT NOT NULL,
  bytes BLOB NOT NULL,
  hash BLOB NOT NULL
) STRICT;
INSERT INTO audit SELECT seq, kind, at_us, org, bytes, hash FROM audit_before;
DROP TABLE audit_before;
CREATE INDEX audit_usage ON audit(org, at_us) WHERE kind IN (2, 3);
)";

constexpr Migration migrations_of_byway[] = {registry_and_vault, capabilities, quota, access,
                                             audit, audit_bytes_alone};

std::int64_t big_endian(std::string_view header, std::size_t at) {
  std::int64_t value = 0;
  for (std::size_t end = at + 4; at < end; ++at) {
    value = value << 8 | static_cast<unsigned char>(header[at]);
  }
  return value;
}

Error newer_schema(const std::string& path, std::int64_t version, std::size_t newest) {
  return Error(ErrorCode::store_schema_newer,
               fmt::format("{} has schema {}, and this Byway knows {} at most; use the newer Byway",
                           path, version, newest));
}

/// Looks at the bytes alone, so that a file that is not ours stays as it is.
Result<void> check_header(const Database& database, const std::string& path, std::size_t newest) {
  Result<std::string> header = database.header();
  if (!header) return header.error();
  if (header->empty()) {
    return Error(ErrorCode::store_not_found,
                 fmt::format("{} is empty: its creation was cut short; run byway init", path));
  }
  const bool is_ours = header->size() == 100 && header->starts_with("SQLite format 3") &&
                       big_endian(*header, 68) == application_id;
  if (!is_ours) {
    return Error(ErrorCode::store_corrupt, fmt::format("{} is not a Byway store", path));
  }
  const std::int64_t version = big_endian(*header, 60);
  if (version > static_cast<std::int64_t>(newest)) return newer_schema(path, version, newest);
  return {};
}

Result<void> set_up(Database& database) {
  // FULL: an administrative change that was answered survives power loss. secure_delete: what is
  // replaced is overwritten.
  return database.run_script(
      "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON;"
      "PRAGMA temp_store = MEMORY");
}

/// After the migrations, which may have to rebuild a table that others point to.
Result<OpenedStore> finish(Database database, WriteLock write_lock) {
  if (Result<void> done = database.run_script("PRAGMA foreign_keys = ON"); !done) {
    return done.error();
  }
  return OpenedStore{std::move(database), std::move(write_lock)};
}

/// One transaction. False when another process was there first.
Result<bool> migrate_one(Database& database, std::int64_t from, Migration migration) {
  Result<Transaction> transaction = Transaction::begin(database);
  if (!transaction) return transaction.error();
  Result<std::int64_t> now = database.integer("PRAGMA user_version");
  if (!now) return now.error();
  if (*now != from) return false;
  // Numbers of our own: a pragma takes no parameters.
  const std::string stamp =
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", application_id, from + 1);
  if (Result<void> done = database.run_script(migration); !done) return done.error();
  if (Result<void> done = database.run_script(stamp.c_str()); !done) return done.error();
  if (Result<void> done = transaction->commit(); !done) return done.error();
  return true;
}

Result<void> migrate(Database& database, const std::string& path,
                     std::span<const Migration> migrations) {
  for (;;) {
    Result<std::int64_t> version = database.integer("PRAGMA user_version");
    if (!version) return version.error();
    const auto at = static_cast<std::size_t>(*version);
    if (at > migrations.size()) return newer_schema(path, *version, migrations.size());
    if (at == migrations.size()) return {};
    Result<bool> done = migrate_one(database, *version, migrations[at]);
    if (!done) return done.error();
  }
}

Result<void> ensure_wal(Database& database, const std::string& path) {
  std::string mode;
  const auto read = [&](const Row& row) { mode = row.bytes(0); };
  Result<void> asked = database.run("PRAGMA journal_mode = WAL", {}, read);
  if (!asked) return asked;
  if (mode == "wal") return {};
  return Error(ErrorCode::store_io_error,
               fmt::format("{} cannot be shared between processes on this file system", path));
}

/// Precondition: the write lock is held.
Result<void> bring_up(Database& database, const std::string& path,
                      std::span<const Migration> migrations) {
  if (Result<void> done = migrate(database, path, migrations); !done) return done;
  if (Result<void> done = ensure_wal(database, path); !done) return done;
  // Puts the new version into the file itself, where an older Byway looks first.
  database.empty_log();
  return sync_folder(path);
}

Result<bool> is_current(Database& database, const std::string& path, std::size_t newest) {
  Result<std::int64_t> version = database.integer("PRAGMA user_version");
  if (!version) return version.error();
  if (*version > static_cast<std::int64_t>(newest)) return newer_schema(path, *version, newest);
  std::string mode;
  const auto read = [&](const Row& row) { mode = row.bytes(0); };
  if (Result<void> asked = database.run("PRAGMA journal_mode", {}, read); !asked) {
    return asked.error();
  }
  return *version == static_cast<std::int64_t>(newest) && mode == "wal";
}

}  // namespace

std::span<const Migration> all_migrations() noexcept {
  return migrations_of_byway;
}

Result<OpenedStore> create_store(const std::string& path, std::chrono::milliseconds busy_limit,
                                 std::span<const Migration> migrations) {
  if (Result<void> local = check_file_system(path); !local) return local.error();
  Result<WriteLock> lock = WriteLock::open(path);
  if (!lock) return lock.error();
  Result<WriteLock::Guard> guard = lock->take(busy_limit);
  if (!guard) return guard.error();
  if (!has_file(path)) {
    if (Result<void> made = make_file(path); !made) return made.error();
  }
  Result<Database> database = Database::open(path, busy_limit);
  if (!database) return database.error();
  Result<std::string> header = database->header();
  if (!header) return header.error();
  if (!header->empty()) {
    return Error(ErrorCode::store_exists, fmt::format("there is a file at {} already", path));
  }
  if (Result<void> done = set_up(*database); !done) return done.error();
  if (Result<void> done = bring_up(*database, path, migrations); !done) return done.error();
  return finish(std::move(*database), std::move(*lock));
}

Result<OpenedStore> open_store(const std::string& path, std::chrono::milliseconds busy_limit,
                               std::span<const Migration> migrations) {
  if (Result<void> local = check_file_system(path); !local) return local.error();
  if (!has_file(path)) {
    return Error(ErrorCode::store_not_found,
                 fmt::format("there is no store at {}: run byway init", path));
  }
  Result<Database> database = Database::open(path, busy_limit);
  if (!database) return database.error();
  if (Result<void> ours = check_header(*database, path, migrations.size()); !ours) {
    return ours.error();
  }
  // Until it is known to be of our version, closing must not write either.
  database->checkpoint_on_close(false);
  Result<bool> current = is_current(*database, path, migrations.size());
  if (!current) return current.error();
  database->checkpoint_on_close(true);
  Result<WriteLock> lock = WriteLock::open(path);
  if (!lock) return lock.error();
  if (Result<void> done = set_up(*database); !done) return done.error();
  if (!*current) {
    Result<WriteLock::Guard> guard = lock->take(busy_limit);
    if (!guard) return guard.error();
    if (Result<void> done = bring_up(*database, path, migrations); !done) return done.error();
  }
  return finish(std::move(*database), std::move(*lock));
}

}  // namespace byway::store
