// Plays one whole game against itself and stores it as it goes.
#pragma once

#include <cstdint>
#include <string>

#include "hex/game_store.hpp"
#include "hex/search.hpp"

namespace hex {

struct SelfPlayOptions {
  std::string board_type = "hex8";
  int board_size = 8;
  int playouts = 200;
  int moves_per_commit = 8;
  // Moves at the start of which about every second is drawn at random, so that games differ.
  int opening_moves = 4;
  std::string source = "hex_selfplay";
};

struct FinishedGame {
  std::string game_id;
  GameResult result;
};

// `seed` decides the whole game: its moves and its id.
// Throws std::runtime_error if the store fails, or if the winner has no path (a bug of ours: such a
// game is never marked as completed).
FinishedGame play_one_game(GameStore& store, const SelfPlayOptions& options, std::uint64_t seed);

}  // namespace hex
