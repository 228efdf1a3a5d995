// Ratings from matches in order, after A. Elo, The Rating of Chessplayers (1978): a participant is
// expected to score 1 / (1 + 10^((other − own) / 400)) and gains K times what it scored beyond.
// Several players: the winner against each other one, or in a draw each pair, with K / (n − 1).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/config.hpp"
#include "core/unit.hpp"

namespace syncline::collections::sqlite {

struct Match {
  std::vector<std::string> participants;  // at least two, different
  std::optional<std::size_t> winner;      // none: a draw
  std::string board_type;
  std::int64_t num_players = 0;
  core::Cell timestamp;
};

struct Rating {
  double points = 0;
  std::int64_t wins = 0;
  std::int64_t losses = 0;
  std::int64_t draws = 0;
  core::Cell last_update;  // timestamp of the last match
  std::int64_t games() const { return wins + losses + draws; }
};
using RatingKey = std::tuple<std::string, std::int64_t, std::string>;  // board, players, who

class EloTable {
 public:
  explicit EloTable(const core::DeriveConfig& config) : config_(config) {}

  bool is_unrated(const std::string& participant) const;
  void rate(const Match& match);

  const std::map<RatingKey, Rating>& ratings() const { return ratings_; }
  // Those that moved since this was asked last.
  std::set<RatingKey> take_changed();

 private:
  Rating& of(const Match& match, std::size_t participant);

  core::DeriveConfig config_;
  std::map<RatingKey, Rating> ratings_;
  std::set<RatingKey> changed_;
};

}  // namespace syncline::collections::sqlite
