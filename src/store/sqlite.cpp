#include "store/sqlite.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <thread>
#include <utility>

#include "base/fork_guard.hpp"

namespace byway::store {
namespace {

/// Whether a write failed for want of room. SQLite says SQLITE_FULL for ENOSPC alone, and
/// sqlite3_system_errno has been overwritten by the roll-back.
bool is_out_of_room(sqlite3* database) noexcept {
  bool is_out = false;
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(database, "main", which, &file);
    int error = 0;
    if (file == nullptr || file->pMethods == nullptr) continue;
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
    is_out = is_out || error == EDQUOT || error == EFBIG;
  }
  return is_out;
}

ErrorCode code_of(int status, sqlite3* database) {
  switch (status & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::store_locked;
    case SQLITE_FULL: return ErrorCode::store_disk_full;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return ErrorCode::store_corrupt;
    case SQLITE_NOMEM: return ErrorCode::internal_out_of_memory;
    case SQLITE_IOERR:
      if (status == SQLITE_IOERR_NOMEM) return ErrorCode::internal_out_of_memory;
      return is_out_of_room(database) ? ErrorCode::store_disk_full : ErrorCode::store_io_error;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: return ErrorCode::store_io_error;
    default: return ErrorCode::internal_error;
  }
}

std::string_view advice_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::store_locked: return "another process holds it; try again";
    case ErrorCode::store_disk_full: return "make room and try again";
    case ErrorCode::store_io_error: return "check that the folder exists and may be written";
    case ErrorCode::store_corrupt: return "restore it from a copy";
    default: return "please report this";
  }
}

Error error_of(sqlite3* database) {
  const int status = sqlite3_extended_errcode(database);
  const ErrorCode code = code_of(status, database);
  const char* file = sqlite3_db_filename(database, "main");
  ErrorFields fields;
  fields.code = code;
  fields.retryable = code == ErrorCode::store_locked;
  fields.message = fmt::format("the store {} failed: {} (SQLite {}); {}", file ? file : "",
                               sqlite3_errmsg(database), status, advice_for(code));
  return Error(std::move(fields));
}

Error forked() {
  return Error(ErrorCode::internal_used_after_fork,
               "a store was used in a forked child; open it again there");
}

int bind_one(sqlite3_stmt* statement, int at, const Parameter& parameter) noexcept {
  if (const auto* number = std::get_if<std::int64_t>(&parameter)) {
    return sqlite3_bind_int64(statement, at, *number);
  }
  // SQLITE_STATIC: the caller's bytes outlive the run, which ends with clear_bindings.
  if (const auto* text = std::get_if<std::string_view>(&parameter)) {
    const char* start = text->empty() ? "" : text->data();
    return sqlite3_bind_text64(statement, at, start, text->size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  const std::string_view raw = std::get<Bytes>(parameter).view;
  return sqlite3_bind_blob64(statement, at, raw.empty() ? "" : raw.data(), raw.size(),
                             SQLITE_STATIC);
}

}  // namespace

struct Database::Connection {
  sqlite3* handle = nullptr;
  std::uint32_t fork_generation = base::fork_generation();
  std::chrono::milliseconds busy_limit{0};
  std::chrono::steady_clock::time_point busy_until{};

  bool is_forked() const noexcept { return fork_generation != base::fork_generation(); }

  /// Even steps: SQLite's own handler sleeps longer each time and overshoots.
  static int wait(void* self, int tries) noexcept {
    auto* connection = static_cast<Connection*>(self);
    const auto now = std::chrono::steady_clock::now();
    if (tries == 0) connection->busy_until = now + connection->busy_limit;
    if (now >= connection->busy_until) return 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return 1;
  }
};

std::int64_t Row::integer(int column) const noexcept {
  return sqlite3_column_int64(statement_, column);
}

std::string Row::bytes(int column) const {
  const void* start = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (start == nullptr || size <= 0) return {};
  return {static_cast<const char*>(start), static_cast<std::size_t>(size)};
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

int Statement::bind(Parameters parameters) noexcept {
  int at = 0;
  for (const Parameter& parameter : parameters) {
    const int status = bind_one(statement_.get(), ++at, parameter);
    if (status != SQLITE_OK) return status;
  }
  return at == sqlite3_bind_parameter_count(statement_.get()) ? SQLITE_OK : SQLITE_RANGE;
}

Result<void> Statement::run(Parameters parameters, const EachRow& each) {
  sqlite3_stmt* statement = statement_.get();
  sqlite3* database = sqlite3_db_handle(statement);
  // Resets however the loop ends: `each` may throw.
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() {
      sqlite3_reset(statement);
      sqlite3_clear_bindings(statement);
    }
  } reset{statement};
  const int bound = bind(parameters);
  if (bound == SQLITE_RANGE) {
    return Error(ErrorCode::internal_error, "a statement of the store lacks a parameter");
  }
  if (bound != SQLITE_OK) return error_of(database);
  int status = sqlite3_step(statement);
  for (; status == SQLITE_ROW; status = sqlite3_step(statement)) {
    if (each) each(Row(statement));
  }
  if (status != SQLITE_DONE) return error_of(database);
  return {};
}

Database::Database(std::unique_ptr<Connection, Close> connection) noexcept
    : connection_(std::move(connection)) {}

void Database::Close::operator()(Connection* connection) const noexcept {
  if (connection == nullptr || connection->is_forked()) return;
  sqlite3_close_v2(connection->handle);
  delete connection;
}

Result<Database> Database::open(const std::string& path, std::chrono::milliseconds busy_limit) {
  std::unique_ptr<Connection, Close> connection(new Connection);
  connection->busy_limit = busy_limit;
  // A leading "./" keeps SQLite from reading ":memory:" or "file:..." as anything but a file.
  const std::string file = path.starts_with('/') ? path : "./" + path;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int status = sqlite3_open_v2(file.c_str(), &connection->handle, flags, nullptr);
  if (connection->handle == nullptr) {
    return Error(ErrorCode::internal_out_of_memory, "no memory was left to open the store");
  }
  if (status != SQLITE_OK) return error_of(connection->handle);
  sqlite3_busy_handler(connection->handle, &Connection::wait, connection.get());
  // A store is somebody's input: its schema may not call functions or reach outside.
  sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return Database(std::move(connection));
}

Result<std::string> Database::header() const {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(connection_->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  sqlite3_int64 size = 0;
  std::array<char, 100> bytes{};
  if (file == nullptr || file->pMethods == nullptr ||
      file->pMethods->xFileSize(file, &size) != SQLITE_OK) {
    return Error(ErrorCode::store_io_error, "the store's file cannot be read");
  }
  const std::size_t length = size < 100 ? static_cast<std::size_t>(size) : bytes.size();
  if (length != 0 &&
      file->pMethods->xRead(file, bytes.data(), static_cast<int>(length), 0) != SQLITE_OK) {
    return Error(ErrorCode::store_io_error, "the store's file cannot be read");
  }
  return std::string(bytes.data(), length);
}

Result<Statement> Database::prepare(std::string_view sql) {
  if (connection_->is_forked()) return forked();
  sqlite3_stmt* statement = nullptr;
  const int status = sqlite3_prepare_v2(connection_->handle, sql.data(),
                                        static_cast<int>(sql.size()), &statement, nullptr);
  if (status != SQLITE_OK) return error_of(connection_->handle);
  return Statement(statement);
}

Result<void> Database::run(std::string_view sql, Parameters parameters, const EachRow& each) {
  Result<Statement> statement = prepare(sql);
  if (!statement) return statement.error();
  return statement->run(parameters, each);
}

Result<std::int64_t> Database::integer(std::string_view sql, Parameters parameters,
                                       std::int64_t fallback) {
  bool is_first = true;
  std::int64_t value = fallback;
  Result<void> ran = run(sql, parameters, [&](const Row& row) {
    if (is_first) value = row.integer(0);
    is_first = false;
  });
  if (!ran) return ran.error();
  return value;
}

Result<void> Database::run_script(const char* sql) {
  if (connection_->is_forked()) return forked();
  if (sqlite3_exec(connection_->handle, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error_of(connection_->handle);
  }
  return {};
}

std::int64_t Database::changes() const noexcept {
  return sqlite3_changes64(connection_->handle);
}

bool Database::empty_log() noexcept {
  if (connection_->is_forked()) return false;
  sqlite3_busy_handler(connection_->handle, nullptr, nullptr);
  const int status = sqlite3_wal_checkpoint_v2(connection_->handle, "main",
                                               SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_handler(connection_->handle, &Connection::wait, connection_.get());
  return status == SQLITE_OK;
}

void Database::checkpoint_on_close(bool wanted) noexcept {
  sqlite3_db_config(connection_->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, wanted ? 0 : 1, nullptr);
}

Result<Snapshot> Snapshot::begin(Database& database) {
  if (Result<void> begun = database.run_script("BEGIN"); !begun) return begun.error();
  return Snapshot(database);
}

Snapshot::Snapshot(Snapshot&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Snapshot::~Snapshot() {
  if (database_ != nullptr) static_cast<void>(database_->run_script("ROLLBACK").has_value());
}

Result<Transaction> Transaction::begin(Database& database) {
  if (Result<void> begun = database.run_script("BEGIN IMMEDIATE"); !begun) return begun.error();
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

// Fails only when SQLite undid the transaction itself, as it does when the disk is full.
Transaction::~Transaction() {
  if (database_ != nullptr) static_cast<void>(database_->run_script("ROLLBACK").has_value());
}

Result<void> Transaction::commit() {
  Result<void> done = database_->run_script("COMMIT");
  if (done) database_ = nullptr;
  return done;
}

}  // namespace byway::store
