// A connection and its statements. Threads: one at a time per Database, its statements included.
//
// Errors: SQLITE_FULL and IOERR_WRITE are kExhausted, BUSY and LOCKED kOverloaded, NOTADB and
// CORRUPT kCorrupt, CANTOPEN kMissing, everything else kInvalid; the text is SQLite's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/unit.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace syncline::sqlite {

class Statement;

enum class OpenMode {
  kReadWriteCreate,
  kReadOnly,  // never checkpoints and never writes, not even when the last connection closes
  // No lock, no -wal, no -shm: nothing is made beside the file. The caller makes sure that nobody
  // wrote while he read, else what he read may be torn.
  kImmutable,
};

class Database {
 public:
  static core::Result<Database> open(const std::string& path, OpenMode mode,
                                     int busy_timeout_ms = 5000);
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  core::Status run(const std::string& sql);  // any number of statements, no results
  core::Result<Statement> prepare(std::string_view sql, bool is_kept = false);
  core::Result<std::int64_t> ask_number(const std::string& sql);  // first cell of the first row
  std::int64_t changes() const;
  std::int64_t last_rowid() const;
  const std::string& path() const { return path_; }
  core::Error error(const std::string& doing) const;
  sqlite3* raw() const { return db_; }
  // A long statement is given up with kCancelled; from any thread.
  void interrupt();

 private:
  Database(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
  sqlite3* db_ = nullptr;
  std::string path_;
};

class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters from 1. Text and blobs are copied.
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view text);
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_null(int index);
  Statement& bind(int index, const core::Cell& cell);

  core::Result<bool> step();  // true: a row is there
  core::Status run();         // to the end, then reset
  void reset();

  int columns() const;
  std::string column_name(int column) const;
  std::int64_t number(int column) const;
  std::string text(int column) const;
  std::string_view bytes(int column) const;  // until the next step
  bool is_null(int column) const;
  core::Cell cell(int column) const;

 private:
  friend class Database;
  Statement(sqlite3_stmt* statement, const Database* db) : statement_(statement), db_(db) {}
  core::Error error() const;
  sqlite3_stmt* statement_ = nullptr;
  const Database* db_ = nullptr;  // for its path in messages; outlives the statement
};

// BEGIN IMMEDIATE … COMMIT; rolled back unless committed.
class Transaction {
 public:
  static core::Result<Transaction> begin(Database& db, const char* sql = "BEGIN IMMEDIATE");
  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  core::Status commit();

 private:
  explicit Transaction(Database& db) : db_(&db) {}
  Database* db_;
};

// "name" with quotes doubled: fit to stand in SQL as an identifier.
std::string quoted(std::string_view identifier);

}  // namespace syncline::sqlite
