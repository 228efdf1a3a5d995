// What the tests of sources share: a folder with databases, and a journal in memory that takes what
// a source answers the way the real one does, cursors and units together.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collections/sqlite/source.hpp"
#include "reconcile/schema.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

using syncline::sqlite::Database;
using syncline::sqlite::OpenMode;

inline constexpr const char* kGamesSchema =
    "CREATE TABLE games (game_id TEXT PRIMARY KEY, board_type TEXT, num_players INTEGER,"
    " completed_at TEXT, winner INTEGER, total_moves INTEGER);"
    "CREATE TABLE game_players (game_id TEXT REFERENCES games(game_id), player_number INTEGER,"
    " name TEXT, PRIMARY KEY (game_id, player_number));"
    "CREATE TABLE game_moves (game_id TEXT REFERENCES games(game_id), move_number INTEGER,"
    " move TEXT, PRIMARY KEY (game_id, move_number));";

class Journal : public KnownUnits {
 public:
  std::optional<core::Digest256> hash_of(const std::string& key) const override {
    const auto found = known.find(key);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  }

  // Reads until there is no more; answers what the last read told beside units.
  ReadOutcome poll(Source& source, const std::set<std::string>* only = nullptr) {
    ReadOutcome last;
    for (int reads = 0; reads < 10'000; ++reads) {
      last = read_once(source, only);
      if (!last.has_more && !last.compares_on) return last;
    }
    ADD_FAILURE() << "a read always told of more";
    return last;
  }

  ReadOutcome read_once(Source& source, const std::set<std::string>* only = nullptr) {
    ReadOutcome outcome = source.read(cursors, *this, limits, only, now, named);
    EXPECT_EQ(outcome.units.size(), outcome.seen_at.size());
    for (core::EncodedUnit& unit : outcome.units) {
      EXPECT_EQ(outcome.schemas.count(unit.schema), 1u);
      known[unit.key] = unit.hash;
      taken.push_back(unit);
      const auto decoded = core::decode_unit(unit.bytes);
      EXPECT_TRUE(decoded.ok());
      if (decoded.ok()) latest[unit.key] = *decoded;
    }
    for (const auto& [name, cursor] : outcome.cursors) cursors[name] = cursor;
    schemas.insert(outcome.schemas.begin(), outcome.schemas.end());
    return outcome;
  }

  std::vector<std::string> keys_taken() const {
    std::vector<std::string> keys;
    for (const auto& unit : taken) keys.push_back(unit.key);
    return keys;
  }

  std::map<std::string, std::string> cursors;
  std::map<std::string, core::Digest256> known;
  std::map<std::string, core::Unit> latest;
  std::vector<core::EncodedUnit> taken;  // every version, in order
  std::map<std::string, std::string> schemas;
  ReadLimits limits;
  const NamedFiles* named = nullptr;
  core::WallMs now{1'000'000};
};

class SourceTest : public testing::Test {
 protected:
  SourceTest() {
    std::string pattern = testing::TempDir() + "source_XXXXXX";
    // Sources resolve links on the way to their root; so do the paths compared with here.
    folder_ = std::filesystem::canonical(mkdtemp(pattern.data())).string();
    config_.name = core::CollectionName("games");
    config_.kind = core::Kind::kSqlite;
    config_.root = folder_;
    config_.include = {"**/*.db", "*.db"};
  }
  ~SourceTest() override {
    source_.reset();
    writers_.clear();
    std::filesystem::remove_all(folder_);
  }

  void use_games() {
    config_.unit = "games";
    config_.complete_when = "completed_at IS NOT NULL";
    config_.config_key = {"board_type", "num_players"};
  }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  // Runs SQL as the database's own program would; its connection stays open until closed.
  void write(const std::string& sql, const std::string& name = "g.db") {
    if (writers_.count(name) == 0) {
      auto db = Database::open(path(name), OpenMode::kReadWriteCreate);
      ASSERT_TRUE(db.ok());
      writers_.emplace(name, std::make_unique<Database>(std::move(db).value()));
    }
    const core::Status done = writers_.at(name)->run(sql);
    ASSERT_TRUE(done.ok()) << core::to_string(done.error()) << "\n" << sql;
  }
  void close(const std::string& name = "g.db") { writers_.erase(name); }

  // One whole game in one transaction.
  void play(const std::string& id, int moves = 3, const std::string& name = "g.db") {
    std::string sql = "BEGIN; INSERT INTO games VALUES ('" + id + "', 'hex8', 2, 'now', 1, " +
                      std::to_string(moves) + ");";
    for (int p = 1; p <= 2; ++p) {
      sql += "INSERT INTO game_players VALUES ('" + id + "', " + std::to_string(p) + ", 'p');";
    }
    for (int m = 1; m <= moves; ++m) {
      sql += "INSERT INTO game_moves VALUES ('" + id + "', " + std::to_string(m) + ", 'a1');";
    }
    write(sql + "COMMIT;", name);
  }

  Source& source() {
    if (!source_) {
      auto opened = Source::open(config_, origin_);
      EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : core::to_string(opened.error()));
      source_ = std::move(opened).value();
    }
    return *source_;
  }
  // As after a restart of the daemon: nothing but the journal remembers.
  void restart() { source_.reset(); }
  ReadOutcome poll() { return journal_.poll(source()); }

  static std::size_t rows_of(const core::Unit& unit, const std::string& table) {
    for (const auto& one : unit.tables) {
      if (one.table == table) return one.rows.size();
    }
    return 0;
  }
  // The cells of one column, in the order of rows.
  static std::vector<core::Cell> column(const core::Unit& unit, const std::string& table,
                                        const std::string& name) {
    std::vector<core::Cell> cells;
    for (const auto& one : unit.tables) {
      if (one.table != table) continue;
      for (std::size_t c = 0; c < one.columns.size(); ++c) {
        for (const auto& row : one.rows) {
          if (one.columns[c] == name) cells.push_back(row[c]);
        }
      }
    }
    return cells;
  }

  std::string folder_;
  core::CollectionConfig config_;
  Origin origin_ = Origin::kLive;
  std::map<std::string, std::unique_ptr<Database>> writers_;
  std::unique_ptr<Source> source_;
  Journal journal_;
};

inline std::string lines(const std::vector<std::string>& problems) {
  std::string out;
  for (const auto& line : problems) out += line + "\n";
  return out;
}

}  // namespace syncline::collections::sqlite
