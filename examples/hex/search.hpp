// Chooses moves by Monte-Carlo tree search (UCT: Kocsis and Szepesvári, 2006) with random playouts.
//
// A playout fills the whole board at random: in Hex the winner of the filled board is the winner of
// any order of those moves, so one flood fill at the end decides it.
// Deterministic: the same position, playouts and seed choose the same move.
#pragma once

#include <cstdint>
#include <vector>

#include "hex/board.hpp"

namespace hex {

// xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  std::uint64_t next();
  // 0 .. bound - 1 by multiplication; its bias of at most bound / 2^32 does not matter here.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

 private:
  std::uint64_t state_[4];
};

struct Choice {
  int cell = -1;
  double value = 0.5;  // share of playouts through this move that the mover won
  int playouts = 0;    // spent on the decision
};

class Search {
 public:
  explicit Search(std::uint64_t seed) : random_(seed) {}

  // REQUIRES: the game is not over; playouts >= 1.
  Choice choose(const Board& board, int playouts);

 private:
  struct Node {
    int cell = -1;  // the move that led here
    std::uint32_t first_child = 0;
    std::uint32_t child_count = 0;
    std::uint32_t visits = 0;
    double wins = 0;  // of the player who made that move
  };

  std::uint32_t best_child(const Node& node) const;
  void expand(std::uint32_t node, const Board& board);
  Player playout(const Board& board);

  Random random_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> path_;
};

}  // namespace hex
