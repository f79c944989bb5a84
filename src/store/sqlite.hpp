// Sqlite: the few verbs of SQLite that the store uses, with Results instead of codes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include <byway/result.hpp>

struct sqlite3;
struct sqlite3_stmt;

namespace byway::store {

/// Raw bytes as a parameter; a string_view is text.
struct Bytes {
  std::string_view view;
};

/// Values reach SQLite only this way, never inside the text of a statement.
using Parameter = std::variant<std::int64_t, std::string_view, Bytes>;
using Parameters = std::initializer_list<Parameter>;

/// The row a query stands on, for the length of one call. Columns count from 0.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) noexcept : statement_(statement) {}
  std::int64_t integer(int column) const noexcept;
  /// Text or raw bytes.
  std::string bytes(int column) const;

 private:
  sqlite3_stmt* statement_;
};

using EachRow = std::function<void(const Row&)>;

/// A prepared statement; lives no longer than its Database.
class Statement {
 public:
  /// Codes: those of Database.
  Result<void> run(Parameters parameters = {}, const EachRow& each = {});

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  explicit Statement(sqlite3_stmt* statement) noexcept : statement_(statement) {}
  int bind(Parameters parameters) noexcept;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One connection. *One thread at a time.* Codes of every verb: store_locked (after the busy
/// limit), store_disk_full, store_io_error, store_corrupt, internal_used_after_fork. In a forked
/// child it is left as it is, never closed: closing would checkpoint the parent's log.
class Database {
 public:
  /// Opens a file that exists; changes nothing in it.
  static Result<Database> open(const std::string& path, std::chrono::milliseconds busy_limit);

  /// The file's first 100 bytes as they are, unlocked; shorter when the file is. Never read a
  /// store's file any other way: closing a descriptor of one's own drops SQLite's POSIX locks.
  Result<std::string> header() const;

  Result<Statement> prepare(std::string_view sql);
  Result<void> run(std::string_view sql, Parameters parameters = {}, const EachRow& each = {});
  /// The first column of the first row; `fallback` when there is no row.
  Result<std::int64_t> integer(std::string_view sql, Parameters parameters = {},
                               std::int64_t fallback = 0);
  /// Several statements without parameters: the text of a migration.
  Result<void> run_script(const char* sql);
  /// Rows that the last statement changed.
  std::int64_t changes() const noexcept;
  /// Copies the log into the file and empties it, unless a reader stands in the way. True when the
  /// log is empty.
  bool empty_log() noexcept;
  /// Whether the last connection to close copies the log into the file (SQLite's default).
  void checkpoint_on_close(bool wanted) noexcept;

 private:
  struct Connection;
  struct Close {
    void operator()(Connection* connection) const noexcept;
  };
  explicit Database(std::unique_ptr<Connection, Close> connection) noexcept;
  std::unique_ptr<Connection, Close> connection_;
};

/// One consistent view of everything that is read until it is dropped.
class Snapshot {
 public:
  /// Views nothing: for reads that stand in a Transaction already.
  Snapshot() noexcept = default;
  static Result<Snapshot> begin(Database& database);
  Snapshot(Snapshot&& other) noexcept;
  Snapshot& operator=(Snapshot&&) = delete;
  ~Snapshot();

 private:
  explicit Snapshot(Database& database) noexcept : database_(&database) {}
  Database* database_ = nullptr;
};

/// BEGIN IMMEDIATE, undone when it is dropped without commit(). Lives no longer than its Database.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  /// After an error it is undone.
  Result<void> commit();

 private:
  explicit Transaction(Database& database) noexcept : database_(&database) {}
  Database* database_;
};

}  // namespace byway::store
