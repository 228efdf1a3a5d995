#include "sqlite/database.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace syncline::sqlite {

using core::Error;
using core::ErrorKind;

namespace {

ErrorKind kind_of(int extended) {
  switch (extended & 0xff) {
    case SQLITE_FULL:
      return ErrorKind::kExhausted;
    case SQLITE_NOMEM:
      return ErrorKind::kExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::kOverloaded;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return ErrorKind::kCorrupt;
    case SQLITE_CANTOPEN:
      return ErrorKind::kMissing;
    case SQLITE_INTERRUPT:
      return ErrorKind::kCancelled;
    case SQLITE_CONSTRAINT:
      return ErrorKind::kConflict;
    case SQLITE_IOERR:
      return extended == SQLITE_IOERR_WRITE || extended == SQLITE_IOERR_FSYNC ||
                     extended == SQLITE_IOERR_SHMSIZE
                 ? ErrorKind::kExhausted
                 : ErrorKind::kInvalid;
    default:
      return ErrorKind::kInvalid;
  }
}

// A path as a URI: what SQLite would take for an escape, a query or a fragment is escaped.
std::string uri_of(const std::string& path) {
  std::string uri = "file:";
  for (char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      char escaped[4];
      std::snprintf(escaped, sizeof(escaped), "%%%02x", static_cast<unsigned>(c));
      uri += escaped;
    } else {
      uri += c;
    }
  }
  return uri + "?mode=ro&immutable=1";
}

Error error_of(sqlite3* db, const std::string& doing, const std::string& path) {
  const int code = sqlite3_extended_errcode(db);
  return {kind_of(code), (doing.empty() ? "" : doing + ": ") + sqlite3_errmsg(db), path};
}

// SQLite's own handler sleeps longer and longer, up to 100 ms, and so misses the moments between
// two commits of a program that writes all the time with a rollback journal.
constexpr int kPollsQuick = 200;
constexpr int kQuickMs = 1;
constexpr int kSlowMs = 10;

int poll_for_lock(void* timeout_ms, int tries) {
  const int waited_ms =
      std::min(tries, kPollsQuick) * kQuickMs + std::max(tries - kPollsQuick, 0) * kSlowMs;
  if (waited_ms >= static_cast<int>(reinterpret_cast<std::intptr_t>(timeout_ms))) return 0;
  sqlite3_sleep(tries < kPollsQuick ? kQuickMs : kSlowMs);
  return 1;
}

}  // namespace

core::Result<Database> Database::open(const std::string& path, OpenMode mode, int busy_timeout_ms) {
  const bool is_immutable = mode == OpenMode::kImmutable;
  const int flags = mode == OpenMode::kReadWriteCreate
                        ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                        : SQLITE_OPEN_READONLY | (is_immutable ? SQLITE_OPEN_URI : 0);
  sqlite3* db = nullptr;
  const std::string name = is_immutable ? uri_of(path) : path;
  const int code = sqlite3_open_v2(name.c_str(), &db, flags | SQLITE_OPEN_NOFOLLOW, nullptr);
  if (code != SQLITE_OK) {
    Error error = db == nullptr ? Error{ErrorKind::kExhausted, "no memory for a connection", path}
                                : error_of(db, "opening the database", path);
    sqlite3_close_v2(db);
    return error;
  }
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_handler(db, poll_for_lock,
                       reinterpret_cast<void*>(static_cast<std::intptr_t>(busy_timeout_ms)));
  if (mode != OpenMode::kReadWriteCreate) {
    // The last connection to a WAL database checkpoints when it closes; we never do.
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_wal_autocheckpoint(db, 0);
  }
  // A database file is foreign input: nothing in its schema may run code of ours.
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  return Database(db, path);
}

Database::~Database() {
  sqlite3_close_v2(db_);
}
Database::Database(Database&& other) noexcept
    : db_(std::exchange(other.db_, nullptr)), path_(std::move(other.path_)) {}
Database& Database::operator=(Database&& other) noexcept {
  std::swap(db_, other.db_);
  std::swap(path_, other.path_);
  return *this;
}

Error Database::error(const std::string& doing) const {
  return error_of(db_, doing, path_);
}

core::Status Database::run(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return error("");
  return {};
}

core::Result<Statement> Database::prepare(std::string_view sql, bool is_kept) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                      is_kept ? SQLITE_PREPARE_PERSISTENT : 0, &statement, nullptr);
  if (code != SQLITE_OK) return error("");
  return Statement(statement, this);
}

core::Result<std::int64_t> Database::ask_number(const std::string& sql) {
  SYNCLINE_ASSIGN(Statement statement, prepare(sql));
  SYNCLINE_ASSIGN(const bool has_row, statement.step());
  if (!has_row) return Error{ErrorKind::kMissing, "no row answers " + sql, path_};
  return statement.number(0);
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(db_);
}
std::int64_t Database::last_rowid() const {
  return sqlite3_last_insert_rowid(db_);
}
void Database::interrupt() {
  sqlite3_interrupt(db_);
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}
Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), db_(other.db_) {}
Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  std::swap(db_, other.db_);
  return *this;
}

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
  return *this;
}
Statement& Statement::bind(int index, double value) {
  sqlite3_bind_double(statement_, index, value);
  return *this;
}
Statement& Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement_, index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                      SQLITE_TRANSIENT);
  return *this;
}
Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(statement_, index);
  return *this;
}
Statement& Statement::bind(int index, const core::Cell& cell) {
  struct {
    Statement& s;
    int i;
    void operator()(std::monostate) const { s.bind_null(i); }
    void operator()(std::int64_t v) const { s.bind(i, v); }
    void operator()(double v) const { s.bind(i, v); }
    void operator()(const std::string& v) const { s.bind(i, std::string_view(v)); }
    void operator()(const core::Blob& v) const { s.bind_blob(i, v.bytes); }
  } binder{*this, index};
  std::visit(binder, cell);
  return *this;
}

Error Statement::error() const {
  return error_of(sqlite3_db_handle(statement_), "", db_->path());
}

core::Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error();
}

core::Status Statement::run() {
  while (true) {
    auto row = step();
    if (!row.ok()) {
      core::Error failed = row.error();
      reset();
      return failed;
    }
    if (!*row) break;
  }
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_);
}

int Statement::columns() const {
  return sqlite3_column_count(statement_);
}
std::string Statement::column_name(int column) const {
  return sqlite3_column_name(statement_, column);
}
std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}
bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return {static_cast<const char*>(data), data == nullptr ? 0 : static_cast<std::size_t>(size)};
}
std::string Statement::text(int column) const {
  return std::string(bytes(column));
}

core::Cell Statement::cell(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement_, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement_, column);
    case SQLITE_TEXT:
      return text(column);
    case SQLITE_BLOB:
      return core::Blob{text(column)};
    default:
      return std::monostate{};
  }
}

core::Result<Transaction> Transaction::begin(Database& db, const char* sql) {
  SYNCLINE_TRY(db.run(sql));
  return Transaction(db);
}
Transaction::~Transaction() {
  if (db_ != nullptr && sqlite3_get_autocommit(db_->raw()) == 0) {
    sqlite3_exec(db_->raw(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}
Transaction::Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
core::Status Transaction::commit() {
  SYNCLINE_TRY(db_->run("COMMIT"));
  db_ = nullptr;
  return {};
}

std::string quoted(std::string_view identifier) {
  std::string out = "\"";
  for (char c : identifier) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

}  // namespace syncline::sqlite
