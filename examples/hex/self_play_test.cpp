#include "hex/self_play.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "hex/board.hpp"

namespace hex {
namespace {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "hex-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

using Rows = std::vector<std::vector<std::string>>;

Rows query(const std::string& db_path, const std::string& sql) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(db_path.c_str(), &db), SQLITE_OK);
  Rows rows;
  const auto collect = [](void* out, int n, char** values, char**) {
    auto& row = static_cast<Rows*>(out)->emplace_back();
    for (int i = 0; i < n; ++i) row.emplace_back(values[i] ? values[i] : "NULL");
    return 0;
  };
  char* why = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), collect, &rows, &why), SQLITE_OK) << (why ? why : "");
  sqlite3_free(why);
  sqlite3_close(db);
  return rows;
}

SelfPlayOptions quick() {
  SelfPlayOptions options;
  options.playouts = 20;
  return options;
}

TEST(SelfPlay, stores_whole_games_that_can_be_replayed_to_the_recorded_winner) {
  const Folder folder;
  const std::string path = folder.file("games.db");
  for (const JournalMode mode : {JournalMode::kWal, JournalMode::kDelete}) {
    GameStore store(path, mode);
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      play_one_game(store, quick(), seed + (mode == JournalMode::kWal ? 0 : 100));
    }
  }
  EXPECT_EQ(query(path, "PRAGMA foreign_key_check").size(), 0u);
  EXPECT_EQ(query(path, "SELECT count(*) FROM games WHERE game_status = 'completed'")[0][0], "8");
  for (const auto& game : query(path, "SELECT game_id, winner, total_moves FROM games")) {
    Board board(8);
    const Rows moves = query(path,
                             "SELECT position_row * 8 + position_col, player FROM game_moves"
                             " WHERE game_id = '" +
                                 game[0] + "' ORDER BY move_number");
    ASSERT_EQ(std::to_string(moves.size()), game[2]);
    for (const auto& move : moves) {
      EXPECT_EQ(board.to_move() == Player::kFirst ? "1" : "2", move[1]);
      ASSERT_TRUE(board.play(std::stoi(move[0])));
    }
    EXPECT_EQ(board.winner() == Player::kFirst ? "1" : "2", game[1]);
    EXPECT_EQ(query(path, "SELECT count(*) FROM game_players WHERE game_id = '" + game[0] + "'"),
              Rows{{"2"}});
  }
}

TEST(SelfPlay, a_game_that_was_only_begun_is_visibly_incomplete) {
  const Folder folder;
  const std::string path = folder.file("games.db");
  GameStore store(path, JournalMode::kWal);
  NewGame game;
  game.game_id = "g";
  game.board_type = "hex8";
  store.begin_game(game);
  PlayedMove move;
  move.number = 1;
  store.add_moves("g", {move});
  EXPECT_EQ(query(path, "SELECT completed_at, game_status, total_moves, winner FROM games"),
            (Rows{{"NULL", "active", "1", "NULL"}}));
}

TEST(SelfPlay, the_same_seed_plays_the_same_game_and_others_differ) {
  const Folder folder;
  std::set<std::string> games;
  for (const std::uint64_t seed : {5, 5, 6, 7}) {
    const std::string path = folder.file(std::to_string(games.size()) + "-" + std::to_string(seed));
    GameStore store(path, JournalMode::kWal);
    const std::string id = play_one_game(store, quick(), seed).game_id;
    std::string moves = id;
    for (const auto& row : query(path, "SELECT move_json FROM game_moves ORDER BY move_number")) {
      moves += row[0];
    }
    games.insert(moves);
    std::filesystem::remove(path);
  }
  EXPECT_EQ(games.size(), 3u);
}

TEST(SelfPlay, ids_are_version_4_uuids) {
  EXPECT_EQ(make_uuid(0xffffffffffffffffull, 0xffffffffffffffffull),
            "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_EQ(make_uuid(0, 0), "00000000-0000-4000-8000-000000000000");
}

TEST(SelfPlay, a_file_that_is_no_database_is_refused_with_a_reason) {
  EXPECT_THROW(GameStore("/proc/self/no-such-folder/x.db", JournalMode::kWal), std::runtime_error);
}

}  // namespace
}  // namespace hex
