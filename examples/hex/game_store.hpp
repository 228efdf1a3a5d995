// Games as rows, in the schema that self-play programs of this family share: one `games` row and
// its players, initial state and moves by foreign key. The program's own SQLite file; it knows
// nothing of Syncline.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace hex {

inline constexpr int kSchemaVersion = 18;

enum class JournalMode { kWal, kDelete };

struct NewGame {
  std::string game_id;
  std::string board_type;  // "hex8", "hex11"
  int board_size = 8;
  std::string player_names[2];  // "uct-200"
  std::string source;           // "hex_selfplay/spot-1"
  std::uint64_t seed = 0;
};

struct PlayedMove {
  int number = 0;  // from 1
  int player = 1;  // 1 or 2
  int row = 0;
  int column = 0;
  std::string cell;    // "c4"
  double value = 0.5;  // what the mover expected
  int playouts = 0;
  double think_ms = 0;
};

struct GameResult {
  int winner = 0;
  int total_moves = 0;
  double quality_score = 0;
  std::vector<std::string> winning_path;  // cells of the winner from edge to edge
};

// Throws std::runtime_error with SQLite's message: a self-play program that cannot store its games
// has no reason to go on.
class GameStore {
 public:
  GameStore(const std::string& path, JournalMode mode);
  ~GameStore();
  GameStore(const GameStore&) = delete;
  GameStore& operator=(const GameStore&) = delete;

  void begin_game(const NewGame& game);                                              // one commit
  void add_moves(const std::string& game_id, const std::vector<PlayedMove>& moves);  // one commit
  void finish_game(const std::string& game_id, const std::vector<PlayedMove>& last_moves,
                   const GameResult& result);  // one commit

 private:
  void run(const std::string& sql);
  void insert_moves(const std::string& game_id, const std::vector<PlayedMove>& moves);
  sqlite3* db_ = nullptr;
};

// "2025-03-09T14:05:07.123Z"
std::string now_iso8601();
// A random version 4 UUID (RFC 9562) from 128 given bits.
std::string make_uuid(std::uint64_t high, std::uint64_t low);

}  // namespace hex
