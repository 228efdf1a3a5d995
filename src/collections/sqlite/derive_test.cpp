// Ratings follow from the united matches: the same on every node, whatever the order of merging.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <fstream>

#include "collections/sqlite/replica_test_support.hpp"

namespace syncline::collections::sqlite {
namespace {

using namespace testing;  // NOLINT: a test's own vocabulary
using Row = std::vector<Cell>;

// participants and winner as the older and the newer programs wrote them.
struct Played {
  std::string id, a, b, winner;
  std::int64_t timestamp = 0;
  std::string ids, winner_id;
};

reconcile::Schema matches_schema() {
  reconcile::Schema schema;
  schema.tables["match_history"] =
      table("match_history", {text("game_id", 1), text("board_type"), number("num_players"),
                              text("participant_a"), text("participant_b"), text("participant_ids"),
                              number("timestamp"), text("winner"), text("winner_id")});
  return schema;
}

Cell or_null(const std::string& text) {
  return text.empty() ? Cell(std::monostate()) : Cell(text);
}

RecordBatchPtr record(const std::string& origin, std::uint64_t seq, const Played& played) {
  static const reconcile::Schema schema = matches_schema();
  core::Unit unit;
  unit.key = "match_history:" + played.id;
  unit.tables.push_back({"match_history",
                         {"board_type", "game_id", "num_players", "participant_a", "participant_b",
                          "participant_ids", "timestamp", "winner", "winner_id"},
                         {{std::string("hex8"), played.id, std::int64_t{2}, or_null(played.a),
                           or_null(played.b), or_null(played.ids), played.timestamp,
                           or_null(played.winner), or_null(played.winner_id)}}});
  reconcile::normalize(unit);
  return batch(origin, seq, unit, schema);
}

core::CollectionConfig rated(const std::string& replica) {
  core::CollectionConfig config = collection(replica, "");
  config.derive.by = "elo";
  config.tables["elo_ratings"].rule = core::MergeRule::kDerived;
  return config;
}

std::vector<std::string> ratings(const std::string& path) {
  return ask(path,
             "SELECT participant_id, board_type, num_players, rating, games_played, wins, "
             "losses, draws, last_update FROM elo_ratings ORDER BY 1, 2, 3");
}

TEST(Elo, moves_ratings_by_k_times_what_was_scored_beyond_expectation) {
  const Folder folder;
  const std::string path = folder.path + "/r.db";
  const auto replica = open(rated(path));
  merge(*replica, {record("n", 1, {"g1", "ann", "bob", "ann", 10, "", ""}),
                   record("n", 2, {"g2", "ann", "bob", "draw", 20, "", ""})});
  // 16 for the win of equals; then 1516 against 1484 expects 1 / (1 + 10^(-32/400)) = 0.545922:
  // 1514.530498.
  EXPECT_EQ(ratings(path), (std::vector<std::string>{"'ann'|'hex8'|2|1514.530498r|2|1|0|1|20",
                                                     "'bob'|'hex8'|2|1485.469502r|2|0|1|1|20"}));
  EXPECT_EQ(replica->derived().text, "2 matches rated");
}

TEST(Elo, several_players_share_k_among_those_the_winner_beat) {
  const Folder folder;
  const std::string path = folder.path + "/r.db";
  const auto replica = open(rated(path));
  merge(*replica, record("n", 1, {"g1", "", "", "", 10, R"(["ann","bob","cid"])", "bob"}));
  EXPECT_EQ(
      ask(path, "SELECT participant_id, rating FROM elo_ratings ORDER BY 1"),
      (std::vector<std::string>{"'ann'|1492.000000r", "'bob'|1516.000000r", "'cid'|1492.000000r"}));
}

TEST(Elo, pinned_ratings_stay_and_what_cannot_be_rated_is_counted) {
  const Folder folder;
  const std::string path = folder.path + "/r.db";
  core::CollectionConfig config = rated(path);
  config.derive.pinned["random"] = 400;
  const auto replica = open(config);
  merge(*replica, {record("n", 1, {"g1", "random", "bob", "a", 1, "", ""}),
                   record("n", 2, {"g2", "", "bob", "bob", 2, "", ""}),
                   record("n", 3, {"g3", "bob", "bob", "bob", 3, "", ""}),
                   record("n", 4, {"g4", "ann", "bob", "", 4, "", ""}),
                   record("n", 5, {"g5", "ann", "bob", "zoe", 5, "", ""}),
                   record("n", 6, {"g6", "candidate_7", "bob", "bob", 6, "", ""}),
                   record("n", 7, {"g7", "", "", "", 7, "{not json", "bob"})});
  EXPECT_EQ(replica->derived().text,
            "1 match rated; skipped: 3 without two participants, 2 without a known winner, "
            "1 with a participant that gets no rating");
  EXPECT_EQ(ask(path, "SELECT participant_id, games_played FROM elo_ratings ORDER BY 1"),
            (std::vector<std::string>{"'bob'|1", "'random'|1"}));
  EXPECT_EQ(ask(path, "SELECT rating FROM elo_ratings WHERE participant_id = 'random'"),
            (std::vector<std::string>{"400.000000r"}));
}

TEST(Elo, other_settings_rate_everything_anew_when_the_replica_is_opened) {
  const Folder folder;
  const std::string path = folder.path + "/r.db";
  core::CollectionConfig config = rated(path);
  merge(*open(config), record("n", 1, {"g1", "ann", "bob", "ann", 10, "", ""}));
  config.derive.k = 10;
  const auto replica = open(config);
  EXPECT_EQ(ask(path, "SELECT rating FROM elo_ratings WHERE participant_id = 'ann'"),
            (std::vector<std::string>{"1505.000000r"}));
  EXPECT_EQ(replica->derived().text, "1 match rated");
}

TEST(Elo, a_replica_that_merged_ratings_before_says_so_and_still_takes_records) {
  const Folder folder;
  const std::string path = folder.path + "/r.db";
  core::CollectionConfig before = collection(path, "");
  reconcile::Schema schema = matches_schema();
  schema.tables["elo_ratings"] =
      table("elo_ratings", {text("participant_id", 1), {"rating", "", "REAL", "", 0}});
  core::Unit unit;
  unit.key = "elo_ratings:ann";
  unit.tables.push_back({"elo_ratings", {"participant_id", "rating"}, {{std::string("ann"), 7.5}}});
  merge(*open(before), batch("n", 1, unit, schema));
  const auto replica = open(rated(path));
  merge(*replica, record("n", 2, {"g1", "ann", "bob", "ann", 10, "", ""}));
  EXPECT_NE(replica->derived().problem.find("was merged here before"), std::string::npos);
  EXPECT_EQ(count(path, "match_history"), 1);
  EXPECT_EQ(ask(path, "SELECT rating FROM elo_ratings"), (std::vector<std::string>{"7.500000r"}));
}

// Matches of a few participants; some twice from two nodes, some with equal times.
std::vector<RecordBatchPtr> draw_matches() {
  const int length = *rc::gen::inRange(1, 13);
  std::map<std::string, std::uint64_t> last_seq;
  std::vector<RecordBatchPtr> history;
  for (int i = 0; i < length; ++i) {
    const std::string origin(1, static_cast<char>('a' + *rc::gen::inRange(0, 3)));
    const auto who = [] {
      return std::string(1, static_cast<char>('p' + *rc::gen::inRange(0, 4)));
    };
    Played played{"g" + std::to_string(*rc::gen::inRange(0, 20)), who(), who(), "", 0, "", ""};
    played.winner = *rc::gen::element(played.a, played.b, std::string("draw"), std::string());
    played.timestamp = *rc::gen::inRange(0, 10);
    history.push_back(record(origin, ++last_seq[origin], played));
  }
  return history;
}

RC_GTEST_PROP(EloProperty, ratings_do_not_depend_on_order_grouping_or_restarts, ()) {
  const Folder folder;
  const std::vector<RecordBatchPtr> history = draw_matches();
  std::vector<std::string> at_once;
  for (int node = 0; node < 3; ++node) {
    const std::string path = folder.path + "/" + std::to_string(node) + ".db";
    auto replica = open(rated(path));
    std::vector<RecordBatchPtr> arrived = history;
    if (node == 0) {
      merge(*replica, arrived);
      at_once = ratings(path);
      continue;
    }
    for (std::size_t i = arrived.size(); i > 1; --i) {
      std::swap(arrived[i - 1], arrived[*rc::gen::inRange<std::size_t>(0, i)]);
    }
    for (const RecordBatchPtr& one : arrived) {
      merge(*replica, one);
      if (*rc::gen::inRange(0, 5) == 0) {
        replica.reset();
        replica = open(rated(path));
      }
    }
    RC_ASSERT(ratings(path) == at_once);
  }
}

RC_GTEST_PROP(EloProperty, matches_in_order_continue_to_what_all_of_them_give, ()) {
  const Folder folder;
  const int length = *rc::gen::inRange(1, 13);
  std::vector<RecordBatchPtr> history;
  for (int i = 1; i <= length; ++i) {
    const std::string winner = *rc::gen::element(std::string("a"), std::string("draw"));
    history.push_back(
        record("n", static_cast<std::uint64_t>(i),
               {"g" + std::to_string(i), "p" + std::to_string(i % 3), "q", winner, i, "", ""}));
  }
  const auto all = open(rated(folder.path + "/all.db"));
  const auto each = open(rated(folder.path + "/each.db"));
  merge(*all, history);
  for (const RecordBatchPtr& one : history) merge(*each, one);
  RC_ASSERT(ratings(folder.path + "/each.db") == ratings(folder.path + "/all.db"));
  RC_ASSERT(each->derived().text == all->derived().text);
}

core::CollectionConfig scripted(const std::string& folder, const std::string& script) {
  core::CollectionConfig config = collection(folder + "/r.db", "");
  config.derive.by = "sql";
  config.derive.script = folder + "/derive.sql";
  config.tables["wins"].rule = core::MergeRule::kDerived;
  std::ofstream(config.derive.script) << script;
  return config;
}

TEST(DeriveSql, runs_a_script_with_each_merge) {
  const Folder folder;
  const auto config =
      scripted(folder.path,
               "CREATE TABLE IF NOT EXISTS wins (who TEXT PRIMARY KEY, n INTEGER);\n"
               "DELETE FROM wins;\n"
               "INSERT INTO wins SELECT winner, count(*) FROM match_history GROUP BY winner;");
  const auto replica = open(config);
  merge(*replica, record("n", 1, {"g1", "ann", "bob", "ann", 1, "", ""}));
  merge(*replica, record("n", 2, {"g2", "ann", "bob", "ann", 2, "", ""}));
  EXPECT_EQ(replica->derived().problem, "");
  EXPECT_EQ(ask(config.replica, "SELECT who, n FROM wins"), (std::vector<std::string>{"'ann'|2"}));
}

TEST(DeriveSql, may_write_nothing_else_and_never_holds_records_up) {
  const char* scripts[] = {
      "DELETE FROM match_history",
      "UPDATE syncline_logs SET merged = ''",
      "CREATE TABLE other (x)",
      "DROP TABLE match_history",
      "ATTACH '/tmp/elsewhere.db' AS elsewhere",
      "PRAGMA journal_mode = OFF",
      "COMMIT",
      "INSERT INTO wins SELECT nonsense FROM match_history",
      "CREATE TRIGGER t AFTER INSERT ON match_history BEGIN DELETE FROM match_history; END",
  };
  for (const char* script : scripts) {
    const Folder folder;
    const auto config = scripted(folder.path, script);
    const auto replica = open(config);
    merge(*replica, record("n", 1, {"g1", "ann", "bob", "ann", 1, "", ""}));
    EXPECT_NE(replica->derived().problem.find("derive.sql"), std::string::npos) << script;
    EXPECT_EQ(count(config.replica, "match_history"), 1) << script;
    EXPECT_EQ(replica->units(), 1u) << script;
  }
}

TEST(DeriveSql, a_script_that_is_not_there_is_told) {
  const Folder folder;
  auto config = scripted(folder.path, "");
  std::filesystem::remove(config.derive.script);
  EXPECT_NE(open(config)->derived().problem.find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace syncline::collections::sqlite
