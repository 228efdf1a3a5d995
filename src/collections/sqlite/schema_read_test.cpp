#include "collections/sqlite/schema_read.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "reconcile/plan.hpp"

namespace syncline::collections::sqlite {
namespace {

using syncline::sqlite::Database;
using syncline::sqlite::OpenMode;
using Names = std::vector<std::string>;

class SchemaRead : public testing::Test {
 protected:
  SchemaRead() {
    std::string pattern = testing::TempDir() + "schema_read_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~SchemaRead() override { std::filesystem::remove_all(folder_); }

  core::Result<reconcile::Schema> read(const std::string& sql,
                                       const core::CollectionConfig& config = {}) {
    auto db = Database::open(folder_ + "/" + std::to_string(++count_) + ".db",
                             OpenMode::kReadWriteCreate);
    const core::Status made = db->run(sql);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : core::to_string(made.error()));
    return read_schema(*db, config);
  }
  static Names columns(const reconcile::Table& table) {
    Names names;
    for (const auto& column : table.columns) names.push_back(column.name);
    return names;
  }

  std::string folder_;
  int count_ = 0;
};

TEST_F(SchemaRead, tells_columns_keys_uniques_and_foreign_keys) {
  const auto schema = read(
      "CREATE TABLE games (game_id TEXT PRIMARY KEY, n INTEGER DEFAULT 2, s TEXT DEFAULT 'it''s');"
      "CREATE TABLE moves (game_id TEXT REFERENCES games, n INT, PRIMARY KEY (n, game_id))"
      " WITHOUT ROWID;"
      "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, a, b, UNIQUE (b, a), UNIQUE (a),"
      " FOREIGN KEY (a, b) REFERENCES moves (n, game_id), FOREIGN KEY (b) REFERENCES "
      "games(game_id))");
  ASSERT_TRUE(schema.ok());
  ASSERT_EQ(schema->tables.size(), 3u) << "sqlite_sequence is SQLite's own";
  const reconcile::Table& games = *schema->find("games");
  EXPECT_EQ(games.primary_key(), Names{"game_id"});
  EXPECT_EQ(games.find("n")->default_value, "2");
  EXPECT_EQ(games.find("s")->default_value, "'it''s'");
  EXPECT_EQ(games.find("n")->type, "INTEGER");
  const reconcile::Table& moves = *schema->find("moves");
  EXPECT_FALSE(moves.has_rowid);
  EXPECT_EQ(moves.primary_key(), (Names{"n", "game_id"}));
  ASSERT_EQ(moves.foreign_keys.size(), 1u);
  EXPECT_EQ(moves.foreign_keys[0].parent_columns, Names{"game_id"}) << "implied";
  const reconcile::Table& notes = *schema->find("notes");
  EXPECT_EQ(notes.surrogate(), "id");
  EXPECT_EQ(notes.uniques, (std::vector<Names>{{"a"}, {"b", "a"}}));
  ASSERT_EQ(notes.foreign_keys.size(), 2u);
  EXPECT_EQ(notes.foreign_keys[0].columns, (Names{"a", "b"})) << "in the order declared";
}

TEST_F(SchemaRead, leaves_out_views_virtual_generated_and_internal_things) {
  const auto schema = read(
      "CREATE TABLE t (a TEXT, b AS (a || 'x'), c AS (a) STORED);"
      "CREATE VIEW v AS SELECT 1; CREATE VIRTUAL TABLE f USING fts5(a);"
      "CREATE TABLE syncline_merged (a)");
  ASSERT_TRUE(schema.ok());
  ASSERT_EQ(schema->tables.size(), 1u);
  EXPECT_EQ(columns(schema->tables.at("t")), Names{"a"});
}

TEST_F(SchemaRead, applies_aliases_and_knows_how_the_database_calls_a_column) {
  core::CollectionConfig config;
  config.unit = "Match_History";
  config.tables["match_history"].aliases = {{"model_a_id", "participant_a"},
                                            {"model_a", "participant_a"}};
  config.unit = "match_history";
  const auto schema = read(
      "CREATE TABLE participants (id TEXT PRIMARY KEY);"
      "CREATE TABLE MATCH_HISTORY (Model_A_ID TEXT REFERENCES Participants (ID), "
      "UNIQUE(model_a_id))",
      config);
  ASSERT_TRUE(schema.ok());
  const reconcile::Table* matches = schema->find("match_history");
  ASSERT_NE(matches, nullptr) << "written as the configuration writes it";
  EXPECT_EQ(matches->found_as, "MATCH_HISTORY");
  EXPECT_EQ(matches->find("participant_a")->found_as, "Model_A_ID");
  EXPECT_EQ(matches->uniques, std::vector<Names>{Names{"participant_a"}});
  ASSERT_EQ(matches->foreign_keys.size(), 1u);
  EXPECT_EQ(matches->foreign_keys[0].columns, Names{"participant_a"});
  EXPECT_EQ(matches->foreign_keys[0].parent, "participants");
  EXPECT_EQ(matches->foreign_keys[0].parent_columns, Names{"id"});
}

TEST_F(SchemaRead, refuses_two_columns_of_one_name) {
  core::CollectionConfig config;
  config.tables["t"].aliases = {{"a", "x"}, {"b", "x"}};
  const auto schema = read("CREATE TABLE t (a, b)", config);
  ASSERT_FALSE(schema.ok());
  EXPECT_NE(schema.error().what.find("two columns that are kept as 'x'"), std::string::npos);
}

TEST_F(SchemaRead, what_peers_would_refuse_is_left_empty_and_the_rest_can_be_sent) {
  const auto schema = read(
      "CREATE TABLE t (a \"ODD-TYPE\" DEFAULT (random()), b TEXT DEFAULT null, "
      "c REAL DEFAULT -1.5e3, d DEFAULT current_timestamp, e DEFAULT x'00')");
  ASSERT_TRUE(schema.ok());
  const reconcile::Table& table = *schema->find("t");
  EXPECT_EQ(table.find("a")->type, "");
  EXPECT_EQ(table.find("a")->default_value, "");
  EXPECT_EQ(table.find("b")->default_value, "");
  EXPECT_EQ(table.find("c")->default_value, "-1.5e3");
  EXPECT_EQ(table.find("d")->default_value, "CURRENT_TIMESTAMP");
  EXPECT_EQ(table.find("e")->default_value, "");
  const auto back = reconcile::decode_schema(reconcile::encode(*schema));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(reconcile::id_of(*back), reconcile::id_of(*schema));
}

TEST_F(SchemaRead, references_to_missing_tables_and_partial_or_computed_indexes_do_not_count) {
  const auto schema = read(
      "CREATE TABLE t (a, b, FOREIGN KEY (a) REFERENCES gone (x));"
      "CREATE UNIQUE INDEX i1 ON t (a) WHERE b IS NULL; CREATE UNIQUE INDEX i2 ON t (lower(a));"
      "CREATE UNIQUE INDEX i3 ON t (b)");
  ASSERT_TRUE(schema.ok());
  EXPECT_TRUE(schema->find("t")->foreign_keys.empty());
  EXPECT_EQ(schema->find("t")->uniques, std::vector<Names>{Names{"b"}});
}

TEST_F(SchemaRead, the_cookie_moves_with_the_schema_and_with_vacuum) {
  auto db = Database::open(folder_ + "/c.db", OpenMode::kReadWriteCreate);
  ASSERT_TRUE(db->run("CREATE TABLE t (a)").ok());
  const std::int64_t first = *schema_cookie(*db);
  ASSERT_TRUE(db->run("INSERT INTO t VALUES (1)").ok());
  EXPECT_EQ(*schema_cookie(*db), first);
  ASSERT_TRUE(db->run("VACUUM").ok());
  const std::int64_t second = *schema_cookie(*db);
  EXPECT_NE(second, first);
  ASSERT_TRUE(db->run("ALTER TABLE t ADD COLUMN b").ok());
  EXPECT_NE(*schema_cookie(*db), second);
}

}  // namespace
}  // namespace syncline::collections::sqlite
