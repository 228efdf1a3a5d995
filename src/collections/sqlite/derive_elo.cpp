// Ratings of a replica: all its matches in the order of (timestamp, key), whatever order they came.
//
// Matches that are newer than all before continue from the ratings in memory; anything else (an
// older match that came late, a row that changed, a restart) derives all of them anew.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>
#include <sstream>

#include "collections/sqlite/derive.hpp"
#include "collections/sqlite/elo.hpp"

namespace syncline::collections::sqlite {
namespace {

using core::Cell;
using core::Status;
using syncline::sqlite::quoted;
namespace db = syncline::sqlite;

// Points are kept to this: beyond it two machines' pow() may differ.
constexpr double kPointsPerUnit = 1e6;

// SQL for the first of those columns that is there and not NULL.
std::string first_of(const std::set<std::string>& columns, const std::vector<std::string>& names,
                     const char* otherwise) {
  std::string out = otherwise;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (columns.count(*name) > 0) out = "ifnull(" + quoted(*name) + ", " + out + ")";
  }
  return out;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string text_of(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return std::to_string(*number);
  return "";
}

class EloDeriver : public Deriver {
 public:
  explicit EloDeriver(const core::DeriveConfig& config) : config_(config), table_(config) {}

  std::string settings() const override {
    std::ostringstream out;
    out.precision(17);
    out << "elo 1 " << config_.matches << ' ' << config_.ratings << ' ' << config_.start << ' '
        << config_.k;
    for (const auto& [name, points] : config_.pinned) out << ' ' << name << '=' << points;
    for (const std::string& glob : config_.unrated) out << " -" << glob;
    return out.str();
  }
  bool reads(const std::string& table) const override { return table == config_.matches; }
  std::set<std::string> writes() const override { return {config_.ratings}; }
  void forget() override { is_current_ = false; }

  core::Result<DerivedCounts> run(db::Database& db, bool only_added) override {
    SYNCLINE_TRY(prepare(db));
    if (columns_.empty()) return DerivedCounts{};
    SYNCLINE_ASSIGN(const std::int64_t now,
                    db.ask_number("SELECT count(*) FROM " + quoted(config_.matches)));
    const bool can_continue = only_added && is_current_ && last_;
    if (can_continue) {
      SYNCLINE_ASSIGN(auto newer, db.prepare("SELECT count(*) FROM " + quoted(config_.matches) +
                                             " WHERE " + timestamp_ + " > ?"));
      newer.bind(1, *last_);
      SYNCLINE_TRY(newer.step());
      if (count_ + newer.number(0) == now) return rate(db, true, now);
    }
    return rate(db, false, now);
  }

 private:
  Status prepare(db::Database& db) {
    columns_.clear();
    SYNCLINE_ASSIGN(auto names, db.prepare("SELECT name FROM pragma_table_info(?)"));
    names.bind(1, std::string_view(config_.matches));
    while (true) {
      SYNCLINE_ASSIGN(const bool has_row, names.step());
      if (!has_row) break;
      columns_.insert(names.text(0));
    }
    if (columns_.empty()) return {};
    timestamp_ = first_of(columns_, {"timestamp", "played_at", "created_at"}, "0");
    const std::string index = quoted("syncline_order_" + config_.matches);
    if (timestamp_ != "0") {
      SYNCLINE_TRY(db.run("CREATE INDEX IF NOT EXISTS " + index + " ON " + quoted(config_.matches) +
                          " (" + timestamp_ + ")"));
    }
    return db.run("CREATE TABLE IF NOT EXISTS " + quoted(config_.ratings) +
                  " (participant_id TEXT NOT NULL, board_type TEXT NOT NULL, "
                  "num_players INTEGER NOT NULL, rating REAL NOT NULL, "
                  "games_played INTEGER NOT NULL, wins INTEGER NOT NULL, "
                  "losses INTEGER NOT NULL, draws INTEGER NOT NULL, last_update, "
                  "PRIMARY KEY (participant_id, board_type, num_players))");
  }

  core::Result<DerivedCounts> rate(db::Database& db, bool continues, std::int64_t count) {
    is_current_ = false;
    if (!continues) {
      table_ = EloTable(config_);
      counts_ = {};
      last_.reset();
      SYNCLINE_TRY(db.run("DELETE FROM " + quoted(config_.ratings)));
    }
    const auto [a, b] =
        std::pair(first_of(columns_, {"participant_a", "model_a", "model_a_id"}, "NULL"),
                  first_of(columns_, {"participant_b", "model_b", "model_b_id"}, "NULL"));
    const std::string ids = first_of(columns_, {"participant_ids"}, "NULL");
    const std::string winner = first_of(columns_, {"winner_id", "winner"}, "NULL");
    const std::string board = first_of(columns_, {"board_type"}, "''");
    const std::string players = first_of(columns_, {"num_players"}, "0");
    const std::string game = first_of(columns_, {"game_id"}, "''");
    SYNCLINE_ASSIGN(auto rows, db.prepare("SELECT " + timestamp_ + ", " + a + ", " + b + ", " +
                                          ids + ", " + winner + ", " + board + ", " + players +
                                          " FROM " + quoted(config_.matches) +
                                          (continues ? " WHERE " + timestamp_ + " > ?" : "") +
                                          " ORDER BY 1, " + game + ", 4, 2, 3, 5, 6, 7"));
    if (continues) rows.bind(1, *last_);
    SYNCLINE_ASSIGN(auto list, db.prepare("SELECT value FROM json_each(CASE WHEN json_valid(?1) "
                                          "THEN CASE WHEN json_type(?1) = 'array' THEN ?1 "
                                          "ELSE '[]' END ELSE '[]' END)"));
    while (true) {
      SYNCLINE_ASSIGN(const bool has_row, rows.step());
      if (!has_row) break;
      SYNCLINE_TRY(take(rows, list));
    }
    count_ = count;
    SYNCLINE_TRY(write(db));
    is_current_ = true;
    return counts_;
  }

  Status take(const db::Statement& row, db::Statement& list) {
    last_ = row.cell(0);
    Match match;
    match.timestamp = *last_;
    if (!row.is_null(3)) {
      list.reset();
      list.bind(1, row.cell(3));
      while (true) {
        SYNCLINE_ASSIGN(const bool has_one, list.step());
        if (!has_one) break;
        match.participants.push_back(text_of(list.cell(0)));
      }
    }
    const bool is_two_sided = match.participants.empty();
    if (is_two_sided) match.participants = {text_of(row.cell(1)), text_of(row.cell(2))};
    const std::set<std::string> different(match.participants.begin(), match.participants.end());
    if (different.size() != match.participants.size() || different.size() < 2 ||
        different.count("") > 0) {
      ++counts_.without_participants;
      return {};
    }
    if (!find_winner(text_of(row.cell(4)), is_two_sided, match)) {
      ++counts_.without_winner;
      return {};
    }
    if (std::any_of(different.begin(), different.end(),
                    [&](const std::string& name) { return table_.is_unrated(name); })) {
      ++counts_.with_unrated;
      return {};
    }
    match.board_type = text_of(row.cell(5));
    match.num_players = row.number(6);
    if (match.num_players == 0) {
      match.num_players = static_cast<std::int64_t>(match.participants.size());
    }
    table_.rate(match);
    ++counts_.rated;
    return {};
  }

  // False: nobody can say who won.
  static bool find_winner(const std::string& winner, bool is_two_sided, Match& match) {
    const auto found = std::find(match.participants.begin(), match.participants.end(), winner);
    if (found != match.participants.end()) {
      match.winner = static_cast<std::size_t>(found - match.participants.begin());
      return true;
    }
    const std::string word = lower(winner);
    if (word == "draw") return true;
    if (!is_two_sided) return false;
    for (const char* side : {"", "model_", "participant_"}) {
      if (word == side + std::string("a")) match.winner = 0;
      if (word == side + std::string("b")) match.winner = 1;
    }
    return match.winner.has_value();
  }

  Status write(db::Database& db) {
    SYNCLINE_ASSIGN(auto put, db.prepare("INSERT OR REPLACE INTO " + quoted(config_.ratings) +
                                         " (participant_id, board_type, num_players, rating, "
                                         "games_played, wins, losses, draws, last_update) "
                                         "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    for (const RatingKey& key : table_.take_changed()) {
      const Rating& rating = table_.ratings().at(key);
      const auto& [board, players, name] = key;
      put.bind(1, std::string_view(name)).bind(2, std::string_view(board)).bind(3, players);
      put.bind(4, std::round(rating.points * kPointsPerUnit) / kPointsPerUnit);
      put.bind(5, rating.games()).bind(6, rating.wins).bind(7, rating.losses);
      SYNCLINE_TRY(put.bind(8, rating.draws).bind(9, rating.last_update).run());
    }
    return {};
  }

  core::DeriveConfig config_;
  std::set<std::string> columns_;  // of the matches
  std::string timestamp_;          // SQL
  EloTable table_;
  DerivedCounts counts_;
  bool is_current_ = false;   // memory is what the database says
  std::optional<Cell> last_;  // timestamp of the newest match
  std::int64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Deriver> make_elo_deriver(const core::DeriveConfig& config) {
  return std::make_unique<EloDeriver>(config);
}

}  // namespace syncline::collections::sqlite
