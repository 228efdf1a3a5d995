#include "hex/game_store.hpp"

#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <string_view>
#include <variant>

namespace hex {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS games(
  game_id TEXT PRIMARY KEY,
  board_type TEXT NOT NULL,
  num_players INTEGER NOT NULL,
  rng_seed TEXT,
  created_at TEXT NOT NULL,
  completed_at TEXT,
  game_status TEXT NOT NULL,
  winner INTEGER,
  termination_reason TEXT,
  total_moves INTEGER NOT NULL DEFAULT 0,
  quality_score REAL,
  source TEXT,
  schema_version INTEGER NOT NULL,
  metadata_json TEXT);
CREATE TABLE IF NOT EXISTS game_players(
  game_id TEXT NOT NULL REFERENCES games(game_id) ON DELETE CASCADE,
  player_number INTEGER NOT NULL,
  player_type TEXT NOT NULL,
  ai_type TEXT,
  final_score REAL,
  PRIMARY KEY (game_id, player_number));
CREATE TABLE IF NOT EXISTS game_initial_state(
  game_id TEXT PRIMARY KEY REFERENCES games(game_id) ON DELETE CASCADE,
  initial_state_json TEXT NOT NULL,
  compressed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS game_moves(
  game_id TEXT NOT NULL REFERENCES games(game_id) ON DELETE CASCADE,
  move_number INTEGER NOT NULL,
  player INTEGER NOT NULL,
  move_type TEXT NOT NULL,
  position_row INTEGER NOT NULL,
  position_col INTEGER NOT NULL,
  move_json TEXT NOT NULL,
  think_time_ms REAL,
  engine_eval REAL,
  PRIMARY KEY (game_id, move_number));
CREATE INDEX IF NOT EXISTS idx_games_completed ON games(completed_at);
)sql";

// A slow disk or another writer of the same file: wait, do not fail.
constexpr int kBusyTimeoutMs = 10'000;

using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string>;

[[noreturn]] void fail(sqlite3* db, std::string_view doing) {
  throw std::runtime_error(std::string(doing) + ": " + (db ? sqlite3_errmsg(db) : "out of memory"));
}

class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) {
    if (sqlite3_prepare_v2(db, sql, -1, &handle_, nullptr) != SQLITE_OK) fail(db, sql);
  }
  ~Statement() { sqlite3_finalize(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void run(const std::vector<Value>& values) {
    sqlite3_reset(handle_);
    for (std::size_t i = 0; i < values.size(); ++i) bind(static_cast<int>(i + 1), values[i]);
    if (sqlite3_step(handle_) != SQLITE_DONE) fail(db_, sqlite3_sql(handle_));
  }

 private:
  void bind(int at, const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      sqlite3_bind_int64(handle_, at, *number);
    } else if (const auto* real = std::get_if<double>(&value)) {
      sqlite3_bind_double(handle_, at, *real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      sqlite3_bind_text(handle_, at, text->data(), static_cast<int>(text->size()),
                        SQLITE_TRANSIENT);
    } else {
      sqlite3_bind_null(handle_, at);
    }
  }
  sqlite3* db_;
  sqlite3_stmt* handle_ = nullptr;
};

std::string json_list(const std::vector<std::string>& names) {
  std::string json = "[";
  for (const auto& name : names) json += (json.size() > 1 ? ",\"" : "\"") + name + '"';
  return json + "]";
}

}  // namespace

GameStore::GameStore(const std::string& path, JournalMode mode) {
  if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) {
    const std::string why = db_ ? sqlite3_errmsg(db_) : "out of memory";
    sqlite3_close(db_);
    throw std::runtime_error("cannot open " + path + ": " + why);
  }
  try {
    sqlite3_busy_timeout(db_, kBusyTimeoutMs);
    run("PRAGMA foreign_keys = ON");
    run(mode == JournalMode::kWal ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode = DELETE");
    // In WAL mode a crash of the machine may cost the last games, never the file; self-play
    // programs take that bargain.
    run(mode == JournalMode::kWal ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
    run(kSchema);
  } catch (...) {
    sqlite3_close(db_);
    throw;
  }
}

GameStore::~GameStore() {
  sqlite3_close(db_);
}

void GameStore::run(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(db_, sql);
}

void GameStore::begin_game(const NewGame& game) {
  run("BEGIN IMMEDIATE");
  Statement(db_,
            "INSERT INTO games(game_id, board_type, num_players, rng_seed, created_at, game_status,"
            " source, schema_version) VALUES(?, ?, 2, ?, ?, 'active', ?, ?)")
      .run({game.game_id, game.board_type, std::to_string(game.seed), now_iso8601(), game.source,
            std::int64_t{kSchemaVersion}});
  Statement players(db_,
                    "INSERT INTO game_players(game_id, player_number, player_type, ai_type)"
                    " VALUES(?, ?, 'ai', ?)");
  for (std::int64_t i = 0; i < 2; ++i) players.run({game.game_id, i + 1, game.player_names[i]});
  const std::string n = std::to_string(game.board_size);
  Statement(db_, "INSERT INTO game_initial_state(game_id, initial_state_json) VALUES(?, ?)")
      .run({game.game_id, "{\"game\":\"hex\",\"rows\":" + n + ",\"columns\":" + n +
                              ",\"to_move\":1,\"stones\":[]}"});
  run("COMMIT");
}

void GameStore::insert_moves(const std::string& game_id, const std::vector<PlayedMove>& moves) {
  Statement insert(db_,
                   "INSERT INTO game_moves(game_id, move_number, player, move_type, position_row,"
                   " position_col, move_json, think_time_ms, engine_eval)"
                   " VALUES(?, ?, ?, 'place', ?, ?, ?, ?, ?)");
  for (const PlayedMove& move : moves) {
    insert.run({game_id, std::int64_t{move.number}, std::int64_t{move.player},
                std::int64_t{move.row}, std::int64_t{move.column},
                "{\"to\":\"" + move.cell + "\",\"playouts\":" + std::to_string(move.playouts) + "}",
                move.think_ms, move.value});
  }
}

void GameStore::add_moves(const std::string& game_id, const std::vector<PlayedMove>& moves) {
  run("BEGIN IMMEDIATE");
  insert_moves(game_id, moves);
  Statement(db_, "UPDATE games SET total_moves = total_moves + ? WHERE game_id = ?")
      .run({static_cast<std::int64_t>(moves.size()), game_id});
  run("COMMIT");
}

void GameStore::finish_game(const std::string& game_id, const std::vector<PlayedMove>& last_moves,
                            const GameResult& result) {
  run("BEGIN IMMEDIATE");
  insert_moves(game_id, last_moves);
  Statement score(db_,
                  "UPDATE game_players SET final_score = ?"
                  " WHERE game_id = ? AND player_number = ?");
  for (std::int64_t player = 1; player <= 2; ++player) {
    score.run({player == result.winner ? 1.0 : 0.0, game_id, player});
  }
  Statement(db_,
            "UPDATE games SET completed_at = ?, game_status = 'completed', winner = ?,"
            " termination_reason = 'connection', total_moves = ?, quality_score = ?,"
            " metadata_json = ? WHERE game_id = ?")
      .run({now_iso8601(), std::int64_t{result.winner}, std::int64_t{result.total_moves},
            result.quality_score, "{\"winning_path\":" + json_list(result.winning_path) + "}",
            game_id});
  run("COMMIT");
}

std::string now_iso8601() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char day[32];
  std::strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc);
  char text[48];
  std::snprintf(text, sizeof(text), "%s.%03dZ", day, static_cast<int>(ms % 1000));
  return text;
}

std::string make_uuid(std::uint64_t high, std::uint64_t low) {
  high = (high & ~0xf000ull) | 0x4000ull;
  low = (low & ~(3ull << 62)) | (2ull << 62);
  char text[40];
  std::snprintf(text, sizeof(text), "%08x-%04x-%04x-%04x-%012llx",
                static_cast<unsigned>(high >> 32), static_cast<unsigned>((high >> 16) & 0xffff),
                static_cast<unsigned>(high & 0xffff), static_cast<unsigned>(low >> 48),
                static_cast<unsigned long long>(low & 0xffffffffffffull));
  return text;
}

}  // namespace hex
