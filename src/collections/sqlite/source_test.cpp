#include "collections/sqlite/source.hpp"

#include "collections/sqlite/cursor.hpp"
#include "collections/sqlite/source_test_support.hpp"

namespace syncline::collections::sqlite {
namespace {

using Keys = std::vector<std::string>;

class GamesSource : public SourceTest {
 protected:
  GamesSource() {
    use_games();
    write(kGamesSchema);
  }
};

TEST_F(GamesSource, takes_whole_games_once_and_in_order) {
  for (int i = 0; i < 5; ++i) play("g" + std::to_string(i), 3 + i);
  EXPECT_TRUE(poll().problems.empty());
  EXPECT_EQ(journal_.keys_taken(),
            (Keys{"games:g0", "games:g1", "games:g2", "games:g3", "games:g4"}));
  const core::Unit& game = journal_.latest.at("games:g3");
  EXPECT_EQ(game.config_key, core::ConfigKey("hex8_2p"));
  EXPECT_EQ(game.tables[0].table, "games");
  EXPECT_EQ(rows_of(game, "game_moves"), 6u);
  EXPECT_EQ(rows_of(game, "game_players"), 2u);
  poll();
  restart();
  poll();
  EXPECT_EQ(journal_.taken.size(), 5u);
}

TEST_F(GamesSource, a_game_under_way_is_remembered_and_taken_when_it_is_over) {
  write(
      "INSERT INTO games VALUES ('slow', 'hex8', 2, NULL, NULL, NULL);"
      "INSERT INTO game_moves VALUES ('slow', 1, 'a1')");
  EXPECT_EQ(poll().open_units, 1u);
  play("quick");
  EXPECT_EQ(poll().open_units, 1u);
  EXPECT_EQ(journal_.keys_taken(), Keys{"games:quick"});
  restart();
  write(
      "INSERT INTO game_moves VALUES ('slow', 2, 'a2'); "
      "UPDATE games SET completed_at = 'now' WHERE game_id = 'slow'");
  EXPECT_EQ(poll().open_units, 0u);
  EXPECT_EQ(journal_.keys_taken(), (Keys{"games:quick", "games:slow"}));
  EXPECT_EQ(rows_of(journal_.latest.at("games:slow"), "game_moves"), 2u);
}

TEST_F(GamesSource, moves_added_to_a_finished_game_are_sent_as_a_new_version) {
  play("g");
  play("h");
  poll();
  write("INSERT INTO game_moves VALUES ('g', 99, 'late')");
  poll();
  EXPECT_EQ(journal_.keys_taken(), (Keys{"games:g", "games:h", "games:g"}));
  EXPECT_EQ(rows_of(journal_.latest.at("games:g"), "game_moves"), 4u);
}

TEST_F(GamesSource, an_update_of_an_old_row_is_found_by_comparison) {
  for (int i = 0; i < 50; ++i) play("g" + std::to_string(i));
  poll();
  write("UPDATE games SET winner = 2 WHERE game_id = 'g7'");
  poll();
  ASSERT_EQ(journal_.taken.size(), 51u);
  EXPECT_EQ(journal_.taken.back().key, "games:g7");
  write("UPDATE game_moves SET move = 'zz' WHERE game_id = 'g8' AND move_number = 1");
  poll();
  ASSERT_EQ(journal_.taken.size(), 52u);
  EXPECT_EQ(journal_.taken.back().key, "games:g8");
}

TEST_F(GamesSource, nothing_is_told_as_deleted_and_reused_rowids_are_noticed) {
  for (int i = 0; i < 10; ++i) play("g" + std::to_string(i));
  poll();
  write(
      "DELETE FROM games WHERE game_id IN ('g8', 'g9');"
      "DELETE FROM game_moves WHERE game_id IN ('g8', 'g9');"
      "DELETE FROM game_players WHERE game_id IN ('g8', 'g9')");
  play("new8");
  play("new9");
  poll();
  ASSERT_EQ(journal_.taken.size(), 12u);
  EXPECT_EQ(journal_.taken[10].key, "games:new8");
  EXPECT_EQ(journal_.taken[11].key, "games:new9");
}

TEST_F(GamesSource, vacuum_renumbers_rows_and_nothing_is_lost_or_doubled) {
  for (int i = 0; i < 40; ++i) play("g" + std::to_string(i));
  write("INSERT INTO games VALUES ('slow', 'hex8', 2, NULL, NULL, NULL)");
  poll();
  write(
      "DELETE FROM games WHERE game_id < 'g2'; DELETE FROM game_moves WHERE game_id < 'g2';"
      "DELETE FROM game_players WHERE game_id < 'g2'; VACUUM");
  play("after");
  write("UPDATE games SET completed_at = 'now' WHERE game_id = 'slow'");
  EXPECT_EQ(poll().open_units, 0u);
  EXPECT_EQ(journal_.taken.size(), 42u);
  EXPECT_EQ(journal_.latest.count("games:after"), 1u);
  EXPECT_EQ(journal_.latest.count("games:slow"), 1u);
}

TEST_F(GamesSource, a_column_that_nobody_uses_yet_does_not_send_everything_again) {
  for (int i = 0; i < 5; ++i) play("g" + std::to_string(i));
  poll();
  write("ALTER TABLE games ADD COLUMN quality REAL");
  poll();
  EXPECT_EQ(journal_.taken.size(), 5u);
  write("UPDATE games SET quality = 0.5 WHERE game_id = 'g2'");
  poll();
  ASSERT_EQ(journal_.taken.size(), 6u);
  EXPECT_EQ(column(journal_.latest.at("games:g2"), "games", "quality"),
            (std::vector<core::Cell>{0.5}));
  EXPECT_EQ(journal_.schemas.size(), 2u);
}

TEST_F(GamesSource, news_do_not_wait_for_the_comparison_of_everything_before) {
  for (int i = 100; i < 200; ++i) play("g" + std::to_string(i));
  poll();
  write("UPDATE games SET winner = 2 WHERE game_id = 'g150'");  // found by comparison only
  play("fresh");
  const ReadOutcome first = journal_.read_once(source());
  ASSERT_EQ(first.units.size(), 1u);
  EXPECT_EQ(first.units[0].key, "games:fresh");
  EXPECT_FALSE(first.has_more);
  EXPECT_TRUE(first.compares_on) << "the comparison goes on in the next read";
  poll();
  EXPECT_EQ(journal_.taken.back().key, "games:g150");
}

TEST_F(GamesSource, limits_cut_a_read_and_the_next_goes_on_where_it_ended) {
  for (int i = 100; i < 150; ++i) play("g" + std::to_string(i));
  journal_.limits.units_max = 7;
  ReadOutcome first = journal_.read_once(source());
  EXPECT_EQ(first.units.size(), 7u);
  EXPECT_TRUE(first.has_more);
  restart();
  journal_.limits.units_max = 512;
  journal_.limits.bytes_max = 1;  // one unit at least
  EXPECT_EQ(journal_.read_once(source()).units.size(), 1u);
  poll();
  ASSERT_EQ(journal_.taken.size(), 50u);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(journal_.taken[static_cast<std::size_t>(i)].key, "games:g" + std::to_string(100 + i));
  }
}

TEST_F(GamesSource, a_unit_beyond_the_limit_is_reported_and_the_rest_goes_on) {
  journal_.limits.unit.bytes_max = 10'000;
  play("a");
  write(
      "INSERT INTO games VALUES ('big', 'hex8', 2, 'now', 1, 1);"
      "INSERT INTO game_moves VALUES ('big', 1, printf('%.*c', 20000, 'x'))");
  write(
      "INSERT INTO games VALUES ('many', 'hex8', 2, 'now', 1, 1);"
      "INSERT INTO game_moves WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "LIMIT 3000) SELECT 'many', i, 'x' FROM n");
  play("z");
  const ReadOutcome outcome = poll();
  EXPECT_EQ(journal_.keys_taken(), (Keys{"games:a", "games:z"}));
  ASSERT_EQ(outcome.problems.size(), 2u) << lines(outcome.problems);
  EXPECT_NE(outcome.problems[0].find("g.db: the unit games"), std::string::npos);
  EXPECT_NE(outcome.problems[0].find("larger than 10 KB"), std::string::npos);
  EXPECT_EQ(poll().problems.size(), 2u) << "told for as long as it is so";
}

TEST_F(GamesSource, orphan_rows_never_travel_and_are_counted) {
  play("g");
  write(
      "INSERT INTO game_moves SELECT 'nobody', value, 'x' FROM "
      "json_each('[1,2,3,4,5,6,7,8,9,10,11,12]')");
  const ReadOutcome outcome = poll();
  EXPECT_EQ(journal_.keys_taken(), Keys{"games:g"});
  ASSERT_EQ(outcome.problems.size(), 1u) << lines(outcome.problems);
  EXPECT_EQ(outcome.problems[0],
            "g.db: 12 rows of game_moves belong to no row of games and will not travel");
  restart();
  EXPECT_EQ(poll().problems, outcome.problems);
  play("h");
  write("INSERT INTO games VALUES ('nobody', 'hex8', 2, 'now', 1, 12)");
  EXPECT_TRUE(poll().problems.empty());
  EXPECT_EQ(rows_of(journal_.latest.at("games:nobody"), "game_moves"), 12u);
}

TEST_F(GamesSource, an_unchanged_database_is_not_even_opened) {
  play("g");
  const auto is_quiet = [&] {
    const auto cursor = decode_cursor(journal_.cursors["g.db"]);
    return cursor && cursor->stamp && !cursor->is_pass_owed();
  };
  while (!is_quiet()) poll();  // files written within the last 50 ms are looked at again
  // Whoever opened it now would meet this lock, which writes nothing.
  write("BEGIN EXCLUSIVE");
  const ReadOutcome outcome = poll();
  EXPECT_TRUE(outcome.problems.empty()) << lines(outcome.problems);
  EXPECT_TRUE(outcome.cursors.empty());
  write("ROLLBACK; UPDATE games SET winner = 2");
  poll();
  EXPECT_EQ(journal_.taken.size(), 2u);
}

TEST_F(GamesSource, tells_when_a_change_was_noticed_even_if_the_clock_went_back) {
  play("g");
  journal_.now = {5'000'000};
  EXPECT_EQ(journal_.read_once(source()).seen_at, std::vector<core::WallMs>{{5'000'000}});
  journal_.now = {4'000'000};
  play("h");
  EXPECT_EQ(journal_.read_once(source()).seen_at, std::vector<core::WallMs>{{4'000'000}});
}

TEST_F(GamesSource, looks_only_at_the_databases_it_is_told_to) {
  write(kGamesSchema, "h.db");
  play("a");
  play("b", 3, "h.db");
  const std::set<std::string> only{"h.db", "../elsewhere.db", "/etc/passwd", "notes.txt"};
  const ReadOutcome outcome = journal_.poll(source(), &only);
  EXPECT_EQ(journal_.keys_taken(), Keys{"games:b"});
  EXPECT_TRUE(outcome.problems.empty()) << lines(outcome.problems);
  write("INSERT INTO games VALUES ('slow', 'hex8', 2, NULL, NULL, NULL)");
  poll();
  restart();
  EXPECT_EQ(journal_.poll(source(), &only).open_units, 1u) << "in all databases";
}

TEST_F(GamesSource, a_new_condition_is_applied_to_what_was_there) {
  write("INSERT INTO games VALUES ('slow', 'hex8', 2, NULL, 1, NULL)");
  play("g");
  poll();
  restart();
  config_.complete_when = "winner IS NOT NULL";
  poll();
  EXPECT_EQ(journal_.keys_taken(), (Keys{"games:g", "games:slow"}));
}

TEST_F(GamesSource, a_condition_may_ask_for_the_children) {
  config_.complete_when =
      "(SELECT count(*) FROM game_moves m WHERE m.game_id = games.game_id) = total_moves";
  write(
      "INSERT INTO games VALUES ('g', 'hex8', 2, NULL, NULL, 2);"
      "INSERT INTO game_moves VALUES ('g', 1, 'x')");
  EXPECT_EQ(poll().open_units, 1u);
  write("INSERT INTO game_moves VALUES ('g', 2, 'x')");
  poll();
  EXPECT_EQ(journal_.keys_taken(), Keys{"games:g"});
}

TEST_F(GamesSource, ends_early_when_it_is_cancelled) {
  play("g");
  source().cancel();
  const ReadOutcome outcome = journal_.read_once(source());
  EXPECT_TRUE(outcome.units.empty());
  EXPECT_FALSE(outcome.has_more);
}

}  // namespace
}  // namespace syncline::collections::sqlite
