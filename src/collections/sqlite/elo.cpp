#include "collections/sqlite/elo.hpp"

#include <cmath>
#include <utility>

namespace syncline::collections::sqlite {

bool EloTable::is_unrated(const std::string& participant) const {
  return config_.pinned.count(participant) == 0 &&
         core::any_glob_matches(config_.unrated, participant);
}

Rating& EloTable::of(const Match& match, std::size_t participant) {
  const std::string& name = match.participants[participant];
  RatingKey key{match.board_type, match.num_players, name};
  const auto [it, is_new] = ratings_.try_emplace(key);
  if (is_new) {
    const auto pinned = config_.pinned.find(name);
    it->second.points = pinned == config_.pinned.end() ? config_.start : pinned->second;
  }
  changed_.insert(std::move(key));
  return it->second;
}

void EloTable::rate(const Match& match) {
  const std::size_t count = match.participants.size();
  std::vector<Rating*> players;
  for (std::size_t i = 0; i < count; ++i) players.push_back(&of(match, i));
  std::vector<double> gains(count, 0.0);
  const double k = config_.k / static_cast<double>(count - 1);
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t b = a + 1; b < count; ++b) {
      const bool is_won = match.winner == a || match.winner == b;
      if (match.winner && !is_won) continue;  // two that lost: nobody knows who was better
      const double scored = !match.winner ? 0.5 : match.winner == a ? 1.0 : 0.0;
      const double expected =
          1.0 / (1.0 + std::pow(10.0, (players[b]->points - players[a]->points) / 400.0));
      gains[a] += k * (scored - expected);
      gains[b] -= k * (scored - expected);
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    Rating& rating = *players[i];
    if (config_.pinned.count(match.participants[i]) == 0) rating.points += gains[i];
    ++(!match.winner ? rating.draws : match.winner == i ? rating.wins : rating.losses);
    rating.last_update = match.timestamp;
  }
}

std::set<RatingKey> EloTable::take_changed() {
  return std::exchange(changed_, {});
}

}  // namespace syncline::collections::sqlite
