// The rules of Hex, without the swap rule: two players place stones in turn on an n × n rhombus of
// hexagons; player 1 connects the top row with the bottom row, player 2 the left column with the
// right one. Exactly one of them can (Hex cannot be drawn: Nash, 1952).
//
// A board is a value: copying it copies the position. Cells are numbered row * n + column.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace hex {

inline constexpr int kSizeMin = 2;
inline constexpr int kSizeMax = 19;
inline constexpr int kCellsMax = kSizeMax * kSizeMax;

enum class Player : std::uint8_t { kNone = 0, kFirst = 1, kSecond = 2 };

inline Player other(Player player) {
  return player == Player::kFirst ? Player::kSecond : Player::kFirst;
}

// The up to six neighbours of every cell, the same for all boards of one size.
class Geometry {
 public:
  static const Geometry& of_size(int n);  // REQUIRES: kSizeMin <= n <= kSizeMax

  int size() const { return n_; }
  int cells() const { return n_ * n_; }
  int neighbour_count(int cell) const { return counts_[cell]; }
  int neighbour(int cell, int i) const { return neighbours_[cell][i]; }
  bool touches_start(Player player, int cell) const;  // top row, or left column
  bool touches_goal(Player player, int cell) const;   // bottom row, or right column

 private:
  explicit Geometry(int n);
  int n_;
  std::array<std::uint8_t, kCellsMax> counts_{};
  std::array<std::array<std::int16_t, 6>, kCellsMax> neighbours_{};
};

class Board {
 public:
  explicit Board(int n);

  int size() const { return geometry_->size(); }
  int cells() const { return geometry_->cells(); }
  const Geometry& geometry() const { return *geometry_; }
  Player at(int cell) const { return stones_[cell]; }
  Player to_move() const { return to_move_; }
  int moves_played() const { return moves_; }
  // kNone while both can still win.
  Player winner() const { return winner_; }
  bool is_legal(int cell) const;

  // Places a stone for to_move(). Returns false and changes nothing if the move is not legal.
  bool play(int cell);

  std::vector<int> empty_cells() const;

 private:
  int find(int node) const;
  void join(int a, int b);

  const Geometry* geometry_;
  Player to_move_ = Player::kFirst;
  Player winner_ = Player::kNone;
  int moves_ = 0;
  std::array<Player, kCellsMax> stones_{};
  // Union-find over the cells and the four edges; find() halves paths, so it is mutable.
  mutable std::array<std::int16_t, kCellsMax + 4> parents_{};
};

// A shortest chain of `player`'s stones from edge to edge, found by search over the stones alone
// and thus independent of the union-find above; empty if there is none.
std::vector<int> winning_path(const Board& board, Player player);

// True if `path` is a chain of neighbouring stones of `player` from one of its edges to the other.
bool is_winning_path(const Board& board, Player player, const std::vector<int>& path);

// "a1", "h8": column letter, row from 1.
std::string cell_name(int n, int cell);

}  // namespace hex
