// Migrations: brings the schema of a store from any older version to this one.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include <byway/result.hpp>

#include "store/sqlite.hpp"
#include "store/write_lock.hpp"

namespace byway::store {

/// SQL that makes version n from version n - 1; the list is only ever added to. The place in the
/// list, counted from 1, is the version.
using Migration = const char*;
std::span<const Migration> all_migrations() noexcept;

/// An open store, at the newest version.
struct OpenedStore {
  Database database;
  WriteLock write_lock;
};

/// Makes a new store, mode 0600, in a folder that exists. A creation that was cut short is finished
/// by the next one. Codes: store_exists, store_io_error, store_disk_full, store_locked.
Result<OpenedStore> create_store(const std::string& path, std::chrono::milliseconds busy_limit,
                                 std::span<const Migration> migrations = all_migrations());

/// Opens a store and migrates it, each step in one transaction; several processes may do so at
/// once. A file that is not a Byway store (store_corrupt) or is of a newer version
/// (store_schema_newer) is not changed. Other codes: store_not_found, store_io_error (also for a
/// network file system), store_disk_full, store_locked.
Result<OpenedStore> open_store(const std::string& path, std::chrono::milliseconds busy_limit,
                               std::span<const Migration> migrations = all_migrations());

}  // namespace byway::store
