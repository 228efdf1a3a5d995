// Notes on sources and files: cursors, known units, known files and their versions.
#include <algorithm>

#include "storage/state.hpp"
#include "storage/store.hpp"

namespace syncline::storage {

using core::Status;

namespace {
// ?5 and ?6: is what is known of it, is its version to be saved? Otherwise it stays as it is.
constexpr const char* kSaveFile =
    "INSERT INTO files (collection, path, known, version) VALUES (?1, ?2, ?3, ?4) "
    "ON CONFLICT (collection, path) DO UPDATE SET "
    "known = CASE WHEN ?5 THEN excluded.known ELSE known END, "
    "version = CASE WHEN ?6 THEN excluded.version ELSE version END";
}  // namespace

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

Status Store::save_files(const core::CollectionName& collection,
                         std::span<const FileChange> changes) {
  SYNCLINE_ASSIGN(sqlite::Transaction transaction, sqlite::Transaction::begin(state_->db));
  SYNCLINE_ASSIGN(auto save, state_->db.prepare(kSaveFile));
  std::vector<std::string_view> emptied;  // paths of which nothing may be left
  const std::string_view name = collection.text;
  for (const FileChange& change : changes) {
    if (!change.known && !change.version) continue;
    save.bind(1, name).bind(2, std::string_view(change.path)).bind_null(3).bind_null(4);
    if (change.known && !change.known->empty()) save.bind_blob(3, *change.known);
    if (change.version && *change.version) save.bind_blob(4, encode(**change.version));
    save.bind(5, std::int64_t{change.known.has_value()});
    save.bind(6, std::int64_t{change.version.has_value()});
    SYNCLINE_TRY(save.run());
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

}  // namespace syncline::storage
