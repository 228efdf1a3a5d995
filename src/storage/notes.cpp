// Notes on sources and files: cursors, known units, known files and their versions.
#include <algorithm>

#include "storage/state.hpp"
#include "storage/store.hpp"

namespace syncline::storage {

using core::Status;

core::Result<std::map<std::string, std::string>> Store::cursors(
    const core::CollectionName& collection) {
  std::map<std::string, std::string> out;
  SYNCLINE_ASSIGN(auto rows,
                  state_->db.prepare("SELECT database, cursor FROM cursors WHERE collection = ?"));
  rows.bind(1, std::string_view(collection.text));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) return out;
    out[rows.text(0)] = rows.text(1);
  }
}

std::optional<core::Digest256> Store::known_unit(const core::CollectionName& collection,
                                                 const std::string& key) {
  auto row =
      state_->db.prepare("SELECT hash FROM known_units WHERE collection = ? AND unit_key = ?");
  if (!row.ok()) return std::nullopt;
  row->bind(1, std::string_view(collection.text)).bind(2, std::string_view(key));
  auto has_row = row->step();
  if (!has_row.ok() || !*has_row) return std::nullopt;
  core::Digest256 hash;
  const std::string_view bytes = row->bytes(0);
  if (bytes.size() != hash.bytes.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(hash.bytes.data()));
  return hash;
}

core::Result<std::map<std::string, FileNote>> Store::files(const core::CollectionName& collection) {
  std::map<std::string, FileNote> out;
  SYNCLINE_ASSIGN(
      auto rows, state_->db.prepare("SELECT path, known, version FROM files WHERE collection = ?"));
  rows.bind(1, std::string_view(collection.text));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) return out;
    FileNote note;
    note.known = rows.text(1);
    if (!rows.is_null(2)) {
      auto version = core::decode_object_version(rows.bytes(2));
      if (version.ok()) note.version = std::move(version).value();
    }
    out[rows.text(0)] = std::move(note);
  }
}

Status Store::save_known(const core::CollectionName& collection,
                         const std::map<std::string, std::string>& known) {
  SYNCLINE_ASSIGN(sqlite::Transaction transaction, sqlite::Transaction::begin(state_->db));
  SYNCLINE_ASSIGN(
      auto insert,
      state_->db.prepare("INSERT INTO files (collection, path, known) VALUES (?, ?, ?) "
                         "ON CONFLICT (collection, path) DO UPDATE SET known = excluded.known"));
  for (const auto& [path, note] : known) {
    insert.bind(1, std::string_view(collection.text)).bind(2, std::string_view(path));
    insert.bind_blob(3, note);
    SYNCLINE_TRY(insert.run());
  }
  return transaction.commit();
}

Status Store::save_version(const core::CollectionName& collection, const std::string& path,
                           const core::ObjectVersion* version) {
  SYNCLINE_ASSIGN(auto insert,
                  state_->db.prepare(
                      "INSERT INTO files (collection, path, version) VALUES (?, ?, ?) "
                      "ON CONFLICT (collection, path) DO UPDATE SET version = excluded.version"));
  insert.bind(1, std::string_view(collection.text)).bind(2, std::string_view(path));
  if (version == nullptr) {
    insert.bind_null(3);
  } else {
    insert.bind_blob(3, encode(*version));
  }
  return insert.run();
}

Status Store::save_files(const core::CollectionName& collection,
                         std::span<const FileChange> changes) {
  SYNCLINE_ASSIGN(sqlite::Transaction transaction, sqlite::Transaction::begin(state_->db));
  SYNCLINE_ASSIGN(
      auto known,
      state_->db.prepare("INSERT INTO files (collection, path, known) VALUES (?, ?, ?) "
                         "ON CONFLICT (collection, path) DO UPDATE SET known = excluded.known"));
  SYNCLINE_ASSIGN(auto version,
                  state_->db.prepare(
                      "INSERT INTO files (collection, path, version) VALUES (?, ?, ?) "
                      "ON CONFLICT (collection, path) DO UPDATE SET version = excluded.version"));
  SYNCLINE_ASSIGN(auto both,
                  state_->db.prepare("INSERT INTO files (collection, path, known, version) "
                                     "VALUES (?, ?, ?, ?) ON CONFLICT (collection, path) DO UPDATE "
                                     "SET known = excluded.known, version = excluded.version"));
  std::vector<std::string_view> emptied;  // paths of which nothing may be left
  const std::string_view name = collection.text;
  for (const FileChange& change : changes) {
    const bool is_landed =
        change.known && !change.known->empty() && change.version && change.version->has_value();
    if (is_landed) {  // by far the most of many
      both.bind(1, name).bind(2, std::string_view(change.path));
      both.bind_blob(3, *change.known).bind_blob(4, encode(**change.version));
      SYNCLINE_TRY(both.run());
      continue;
    }
    if (change.known) {
      known.bind(1, name).bind(2, std::string_view(change.path));
      if (change.known->empty())
        known.bind_null(3);
      else
        known.bind_blob(3, *change.known);
      SYNCLINE_TRY(known.run());
    }
    if (change.version) {
      version.bind(1, name).bind(2, std::string_view(change.path));
      if (*change.version)
        version.bind_blob(3, encode(**change.version));
      else
        version.bind_null(3);
      SYNCLINE_TRY(version.run());
    }
    const bool is_emptied =
        (change.known && change.known->empty()) || (change.version && !*change.version);
    if (is_emptied) emptied.push_back(change.path);
  }
  if (!emptied.empty()) {
    SYNCLINE_ASSIGN(auto forget,
                    state_->db.prepare("DELETE FROM files WHERE collection = ? AND path = ? AND "
                                       "known IS NULL AND version IS NULL"));
    for (const std::string_view path : emptied) {
      forget.bind(1, name).bind(2, path);
      SYNCLINE_TRY(forget.run());
    }
  }
  return transaction.commit();
}

Status Store::forget_file(const core::CollectionName& collection, const std::string& path) {
  SYNCLINE_ASSIGN(auto erase,
                  state_->db.prepare("DELETE FROM files WHERE collection = ? AND path = ?"));
  erase.bind(1, std::string_view(collection.text)).bind(2, std::string_view(path));
  return erase.run();
}

}  // namespace syncline::storage
