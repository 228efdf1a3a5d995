#include "collections/sqlite/replica_file.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/sha256.hpp"
#include "env/files.hpp"

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using core::Status;
namespace db = syncline::sqlite;

namespace {

constexpr std::string_view kPlace = "{config_key}";
constexpr std::size_t kNameMax = 120;  // bytes of a file name that a config key may take

// DO NOT CHANGE without a new version; docs/formats/replica.md says what each column means.
constexpr const char* kSideTables = R"(
CREATE TABLE syncline_meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE syncline_logs (
  log INTEGER PRIMARY KEY, origin TEXT NOT NULL, epoch INTEGER NOT NULL,
  merged TEXT NOT NULL DEFAULT '', UNIQUE (origin, epoch));
CREATE TABLE syncline_schemas (
  schema INTEGER PRIMARY KEY, id TEXT NOT NULL, rules BLOB NOT NULL, bytes BLOB NOT NULL,
  UNIQUE (id, rules));
CREATE TABLE syncline_shapes (shape INTEGER PRIMARY KEY, bytes BLOB NOT NULL UNIQUE);
CREATE TABLE syncline_units (
  unit INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, config_key TEXT, hash BLOB, measured BLOB,
  shape INTEGER, rows BLOB, versions BLOB);
CREATE TABLE syncline_records (
  log INTEGER, seq INTEGER, unit INTEGER NOT NULL, hlc INTEGER NOT NULL,
  committed_at INTEGER NOT NULL, schema INTEGER, hash BLOB NOT NULL, config_key TEXT,
  is_superseded INTEGER NOT NULL, PRIMARY KEY (log, seq)) WITHOUT ROWID;
CREATE TABLE syncline_kept (
  log INTEGER, seq INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (log, seq)) WITHOUT ROWID;
CREATE TABLE syncline_ids (
  tab INTEGER, key TEXT, id INTEGER NOT NULL, PRIMARY KEY (tab, key)) WITHOUT ROWID;
CREATE TABLE syncline_refs (
  tab INTEGER, row INTEGER, col TEXT, parent TEXT NOT NULL, key TEXT NOT NULL,
  is_pending INTEGER NOT NULL, PRIMARY KEY (tab, row, col)) WITHOUT ROWID;
CREATE INDEX syncline_refs_pending ON syncline_refs (key) WHERE is_pending;
CREATE TABLE syncline_owners (
  tab INTEGER, key TEXT, unit INTEGER NOT NULL, hlc INTEGER NOT NULL, origin TEXT NOT NULL,
  row INTEGER NOT NULL, PRIMARY KEY (tab, key)) WITHOUT ROWID;
CREATE TABLE syncline_aside (
  log INTEGER, seq INTEGER, reason TEXT NOT NULL, key TEXT, config_key TEXT, schema TEXT, hash BLOB,
  hlc INTEGER, committed_at INTEGER, bytes BLOB, schema_bytes BLOB,
  PRIMARY KEY (log, seq)) WITHOUT ROWID;
)";

Status put_meta(db::Database& file, const char* name, const std::string& value) {
  SYNCLINE_ASSIGN(auto insert, file.prepare("INSERT INTO syncline_meta VALUES (?, ?)"));
  return insert.bind(1, std::string_view(name)).bind(2, std::string_view(value)).run();
}
core::Result<std::string> get_meta(db::Database& file, const char* name) {
  SYNCLINE_ASSIGN(auto select, file.prepare("SELECT value FROM syncline_meta WHERE name = ?"));
  select.bind(1, std::string_view(name));
  SYNCLINE_ASSIGN(const bool is_there, select.step());
  return is_there ? select.text(0) : std::string();
}

// Complete under another name, then renamed: nobody ever sees a database that is not ours yet.
Status create(const std::string& path, const core::CollectionName& collection,
              const core::ConfigKey& config_key) {
  const std::string making = path + ".syncline-new";
  std::error_code ignored;
  for (const char* rest : {"", "-journal", "-wal", "-shm"}) {
    std::filesystem::remove(making + rest, ignored);
    // A WAL without its database would be taken for the new one's.
    if (*rest != '\0') std::filesystem::remove(path + rest, ignored);
  }
  {
    SYNCLINE_ASSIGN(auto file, db::Database::open(making, db::OpenMode::kReadWriteCreate));
    SYNCLINE_TRY(file.run("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL"));
    SYNCLINE_ASSIGN(auto transaction, db::Transaction::begin(file));
    SYNCLINE_TRY(file.run(kSideTables));
    SYNCLINE_TRY(file.run("PRAGMA application_id = " + std::to_string(kReplicaId) +
                          "; PRAGMA user_version = " + std::to_string(kReplicaVersion)));
    SYNCLINE_TRY(put_meta(file, "collection", collection.text));
    SYNCLINE_TRY(put_meta(file, "config_key", config_key.text));
    SYNCLINE_TRY(transaction.commit());
  }
  if (std::rename(making.c_str(), path.c_str()) != 0) {
    return env::system_error("creating the replica", path, errno);
  }
  return env::sync_folder(env::folder_of(path));
}

std::uint32_t big_endian(const char* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// A config key as a part of a file name: no separator, no "..", never empty, never too long.
std::string file_part(const std::string& key) {
  if (key.empty()) return "%none";
  std::string out;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain =
        std::isalnum(byte) != 0 || c == '-' || c == '_' || (c == '.' && !out.empty());
    if (is_plain) {
      out.push_back(c);
    } else {
      char hex[4];
      std::snprintf(hex, sizeof(hex), "%%%02X", byte);
      out += hex;
    }
  }
  if (out.size() > kNameMax) out = "%long-" + to_hex(core::sha256(key)).substr(0, 32);
  return out;
}

std::string with_part(std::string pattern, const std::string& part) {
  for (std::size_t at = pattern.find(kPlace); at != std::string::npos;
       at = pattern.find(kPlace, at + part.size())) {
    pattern.replace(at, kPlace.size(), part);
  }
  return pattern;
}

// SQLite refuses symbolic links on the way to a file; an operator's link to another disk is fine.
std::string resolved(const std::string& path) {
  std::error_code error;
  const auto folder = std::filesystem::canonical(env::folder_of(path), error);
  return error ? path : (folder / std::filesystem::path(path).filename()).string();
}

}  // namespace

core::Result<FileState> look_at(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return FileState::kMissing;
  if (status.type() != std::filesystem::file_type::regular) {
    return Error{ErrorKind::kConflict, "there is something else than a file in the replica's place",
                 path};
  }
  char header[100] = {};
  std::ifstream in(path, std::ios::binary);
  in.read(header, sizeof(header));
  const auto size = in.gcount();
  if (!in.is_open()) return env::system_error("reading the replica", path, EACCES);
  if (size == 0) return FileState::kMissing;
  if (size < 100 || std::string_view(header, 16) != std::string_view("SQLite format 3\0", 16)) {
    return Error{ErrorKind::kCorrupt,
                 "the replica is damaged, or is no database at all; it is left alone: move it away "
                 "and it is made anew from the other nodes",
                 path};
  }
  if (big_endian(header + 68) != kReplicaId) {
    return Error{ErrorKind::kConflict,
                 "this database is not Syncline's: choose another path for the replica", path};
  }
  if (big_endian(header + 60) > kReplicaVersion) {
    return Error{ErrorKind::kConflict, "the replica was written by a newer Syncline: install that",
                 path};
  }
  return FileState::kOurs;
}

core::Result<db::Database> open_replica_file(const std::string& wanted,
                                             const core::CollectionName& collection,
                                             const core::ConfigKey& config_key) {
  SYNCLINE_ASSIGN(const FileState state, look_at(wanted));
  if (state == FileState::kMissing) SYNCLINE_TRY(env::make_folders(env::folder_of(wanted), 0755));
  const std::string path = resolved(wanted);
  if (state == FileState::kMissing) SYNCLINE_TRY(create(path, collection, config_key));
  SYNCLINE_ASSIGN(auto file, db::Database::open(path, db::OpenMode::kReadWriteCreate));
  SYNCLINE_TRY(
      file.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
               "PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY; "
               "PRAGMA cache_size = -16000; PRAGMA journal_size_limit = 67108864"));
  SYNCLINE_ASSIGN(const std::string holds, get_meta(file, "collection"));
  SYNCLINE_ASSIGN(const std::string key, get_meta(file, "config_key"));
  if (holds != collection.text || key != config_key.text) {
    return Error{ErrorKind::kConflict,
                 "this replica holds collection '" + holds + "', config key '" + key +
                     "'; two collections cannot share one",
                 path};
  }
  return file;
}

bool has_config_key(const std::string& path_pattern) {
  return path_pattern.find(kPlace) != std::string::npos;
}

std::string path_for(const std::string& path_pattern, const core::ConfigKey& config_key) {
  return with_part(path_pattern, file_part(config_key.text));
}

core::Result<std::vector<ReplicaFile>> files_of(const std::string& path_pattern) {
  const std::size_t place = path_pattern.find(kPlace);
  const std::size_t slash = path_pattern.rfind('/', place);
  const std::string folder =
      slash == std::string::npos ? "." : path_pattern.substr(0, std::max<std::size_t>(slash, 1));
  const std::string component = path_pattern.substr(
      slash == std::string::npos ? 0 : slash + 1,
      path_pattern.find('/', place) - (slash == std::string::npos ? 0 : slash + 1));
  const std::size_t at = component.find(kPlace);
  const std::string before = component.substr(0, at);
  const std::string after = component.substr(at + kPlace.size());
  std::vector<ReplicaFile> files;
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error) return files;  // not there yet: no file
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (name.size() <= before.size() + after.size() || !name.starts_with(before) ||
        !name.ends_with(after)) {
      continue;
    }
    const std::string part = name.substr(before.size(), name.size() - before.size() - after.size());
    const std::string path = with_part(path_pattern, part);
    const auto state = look_at(path);
    if (!state.ok() && state.error().kind == ErrorKind::kConflict) continue;  // not ours
    SYNCLINE_TRY(state.ok() ? Status() : Status(state.error()));
    if (*state != FileState::kOurs) continue;
    SYNCLINE_ASSIGN(auto file, db::Database::open(resolved(path), db::OpenMode::kReadWriteCreate));
    SYNCLINE_ASSIGN(std::string key, get_meta(file, "config_key"));
    if (path_for(path_pattern, core::ConfigKey(key)) != path)
      continue;  // a copy under a wrong name
    files.push_back({path, core::ConfigKey(std::move(key))});
  }
  std::sort(files.begin(), files.end(),
            [](const ReplicaFile& a, const ReplicaFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace syncline::collections::sqlite
