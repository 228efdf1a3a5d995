// What tests of the replica share: schemas and units as a source makes them, and what a replica's
// tables say when the numbers that it gave itself are left out.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "collections/sqlite/replica.hpp"
#include "core/sha256.hpp"
#include "reconcile/fold.hpp"
#include "reconcile/schema.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite::testing {

using core::Cell;
using core::RecordBatchPtr;
using core::SeqSet;

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/syncline-replica-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

inline core::CollectionConfig collection(const std::string& replica,
                                         const std::string& unit = "games") {
  core::CollectionConfig config;
  config.name = core::CollectionName("games");
  config.kind = core::Kind::kSqlite;
  config.replica = replica;
  config.unit = unit;
  return config;
}

inline reconcile::Table table(const std::string& name, std::vector<reconcile::Column> columns,
                              std::vector<reconcile::ForeignKey> keys = {},
                              std::vector<std::vector<std::string>> uniques = {}) {
  reconcile::Table made;
  made.name = made.found_as = name;
  made.columns = std::move(columns);
  for (reconcile::Column& column : made.columns) column.found_as = column.name;
  made.foreign_keys = std::move(keys);
  made.uniques = std::move(uniques);
  return made;
}
inline reconcile::Column text(const std::string& name, int key = 0, const std::string& value = "") {
  return {name, "", "TEXT", value, key};
}
inline reconcile::Column number(const std::string& name, int key = 0,
                                const std::string& value = "") {
  return {name, "", "INTEGER", value, key};
}

// games ← game_players, game_moves, by natural keys.
inline reconcile::Schema games_schema() {
  reconcile::Schema schema;
  schema.tables["games"] = table("games", {text("game_id", 1),
                                           text("board_type"),
                                           number("num_players"),
                                           number("winner"),
                                           {"quality", "", "REAL", "", 0}});
  schema.tables["game_players"] =
      table("game_players", {text("game_id", 1), number("player", 2), text("model")},
            {{{"game_id"}, "games", {"game_id"}}});
  schema.tables["game_moves"] =
      table("game_moves", {text("game_id", 1), number("move_number", 2), text("move")},
            {{{"game_id"}, "games", {"game_id"}}});
  return schema;
}

inline core::Unit game(const std::string& id, int moves, std::int64_t winner = 1,
                       const std::string& config_key = "hex8_2p") {
  core::Unit unit;
  unit.key = "games:" + id;
  unit.config_key = core::ConfigKey(config_key);
  unit.tables.push_back({"games",
                         {"board_type", "game_id", "num_players", "quality", "winner"},
                         {{std::string("hex8"), id, std::int64_t{2}, 0.75, winner}}});
  core::TableRows players{"game_players", {"game_id", "model", "player"}, {}};
  for (std::int64_t p = 1; p <= 2; ++p) players.rows.push_back({id, std::string("canonical"), p});
  unit.tables.push_back(players);
  core::TableRows rows{"game_moves", {"game_id", "move", "move_number"}, {}};
  for (std::int64_t m = 1; m <= moves; ++m) {
    rows.rows.push_back({id, "m" + std::to_string(m * 7 % 50), m});
  }
  if (moves > 0) unit.tables.push_back(rows);
  reconcile::normalize(unit);
  return unit;
}

inline core::LogId log_of(const std::string& origin, std::uint64_t epoch = 1) {
  return {core::CollectionName("games"), core::NodeId(origin), {epoch}};
}

// One record; what is not told is made up from `seq`.
inline RecordBatchPtr batch(const std::string& origin, std::uint64_t seq, const core::Unit& unit,
                            const reconcile::Schema& schema, std::uint64_t hlc = 0) {
  auto out = std::make_shared<core::RecordBatch>();
  out->log = log_of(origin);
  core::Record record;
  record.seq = {seq};
  record.hlc = hlc == 0 ? 1000 + seq : hlc;
  record.committed_at = {static_cast<std::int64_t>(1700000000000 + seq)};
  record.unit = core::seal(unit);
  record.unit.schema = reconcile::id_of(schema);
  out->schemas[record.unit.schema] = reconcile::encode(schema);
  out->records.push_back(std::move(record));
  return out;
}

inline std::unique_ptr<Replica> open(const core::CollectionConfig& config) {
  auto replica = Replica::open(config);
  EXPECT_TRUE(replica.ok()) << (replica.ok() ? "" : to_string(replica.error()));
  return replica.ok() ? std::move(replica).value() : nullptr;
}
inline MergeReport merge(Replica& replica, const std::vector<RecordBatchPtr>& batches) {
  auto report = replica.merge(batches);
  EXPECT_TRUE(report.ok()) << (report.ok() ? "" : to_string(report.error()));
  return report.ok() ? std::move(report).value() : MergeReport{};
}
inline MergeReport merge(Replica& replica, const RecordBatchPtr& one) {
  return merge(replica, std::vector<RecordBatchPtr>{one});
}

inline std::string shown(const Cell& cell) {
  struct {
    std::string operator()(std::monostate) const { return "NULL"; }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return std::to_string(v) + "r"; }
    std::string operator()(const std::string& v) const { return "'" + v + "'"; }
    std::string operator()(const core::Blob& v) const { return "x'" + v.bytes + "'"; }
  } writer;
  return std::visit(writer, cell);
}

inline syncline::sqlite::Database look(const std::string& path) {
  auto db = syncline::sqlite::Database::open(path, syncline::sqlite::OpenMode::kReadOnly);
  EXPECT_TRUE(db.ok());
  return std::move(db).value();
}

inline std::vector<std::string> ask(const std::string& path, const std::string& sql) {
  auto db = look(path);
  auto rows = db.prepare(sql);
  EXPECT_TRUE(rows.ok()) << (rows.ok() ? "" : to_string(rows.error())) << " " << sql;
  std::vector<std::string> out;
  while (rows.ok() && *rows->step()) {
    std::string line;
    for (int i = 0; i < rows->columns(); ++i) line += (i > 0 ? "|" : "") + shown(rows->cell(i));
    out.push_back(line);
  }
  return out;
}

inline std::int64_t count(const std::string& path, const std::string& table) {
  return std::stoll(ask(path, "SELECT count(*) FROM " + syncline::sqlite::quoted(table)).at(0));
}

// Every row of every table, columns by name, `hidden` columns ("table.column") left out.
inline std::vector<std::string> dump(const std::string& path,
                                     const std::set<std::string>& hidden = {}) {
  std::vector<std::string> out;
  for (std::string name : ask(path,
                              "SELECT name FROM sqlite_schema WHERE type = 'table' AND "
                              "name NOT LIKE 'syncline\\_%' ESCAPE '\\' AND "
                              "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")) {
    name = name.substr(1, name.size() - 2);
    std::string columns;
    for (std::string column :
         ask(path, "SELECT name FROM pragma_table_info('" + name + "') ORDER BY name")) {
      column = column.substr(1, column.size() - 2);
      if (hidden.count(name + "." + column) > 0) continue;
      columns += (columns.empty() ? "" : ", ") + syncline::sqlite::quoted(column);
    }
    for (const std::string& row :
         ask(path, "SELECT " + columns + " FROM " + syncline::sqlite::quoted(name))) {
      out.push_back(name + ": " + row);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace syncline::collections::sqlite::testing
