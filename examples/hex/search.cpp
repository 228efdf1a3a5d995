#include "hex/search.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace hex {
namespace {

// Exploration against exploitation. sqrt(2) is UCT's theory; strong Hex programs use less, since
// playouts of a filled board are already informative.
constexpr double kExploration = 0.7;
// A leaf gets children once it was visited this often: keeps the tree small at few playouts.
constexpr std::uint32_t kVisitsToExpand = 4;

std::uint64_t rotl(std::uint64_t x, int k) {
  return (x << k) | (x >> (64 - k));
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (auto& word : state_) {
    seed += 0x9e3779b97f4a7c15ull;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    word = z ^ (z >> 31);
  }
}

std::uint64_t Random::next() {
  const std::uint64_t result = rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotl(state_[3], 45);
  return result;
}

Choice Search::choose(const Board& board, int playouts) {
  if (board.winner() != Player::kNone || playouts < 1) std::abort();
  nodes_.clear();
  nodes_.emplace_back();
  expand(0, board);
  for (int i = 0; i < playouts; ++i) {
    Board position = board;
    path_.assign(1, 0);
    std::uint32_t at = 0;
    while (nodes_[at].child_count > 0 && position.winner() == Player::kNone) {
      at = best_child(nodes_[at]);
      position.play(nodes_[at].cell);
      path_.push_back(at);
    }
    if (nodes_[at].visits >= kVisitsToExpand && position.winner() == Player::kNone) {
      expand(at, position);
      at = nodes_[at].first_child + random_.below(nodes_[at].child_count);
      position.play(nodes_[at].cell);
      path_.push_back(at);
    }
    const Player winner =
        position.winner() != Player::kNone ? position.winner() : playout(position);
    Player mover = other(board.to_move());  // who "made" the root
    for (const std::uint32_t node : path_) {
      nodes_[node].visits += 1;
      nodes_[node].wins += winner == mover ? 1 : 0;
      mover = other(mover);
    }
  }
  const Node& root = nodes_[0];
  Choice choice;
  choice.playouts = playouts;
  std::uint32_t most = 0;
  for (std::uint32_t i = 0; i < root.child_count; ++i) {
    const Node& child = nodes_[root.first_child + i];
    if (choice.cell < 0 || child.visits > most) {
      most = child.visits;
      choice.cell = child.cell;
      choice.value = child.visits > 0 ? child.wins / child.visits : 0.5;
    }
  }
  return choice;
}

std::uint32_t Search::best_child(const Node& node) const {
  const double log_visits = std::log(node.visits + 1.0);
  std::uint32_t best = node.first_child;
  double best_score = -1;
  for (std::uint32_t i = 0; i < node.child_count; ++i) {
    const Node& child = nodes_[node.first_child + i];
    const double visits = child.visits;
    const double score = child.visits == 0
                             ? 10.0
                             : child.wins / visits + kExploration * std::sqrt(log_visits / visits);
    if (score > best_score) {
      best_score = score;
      best = node.first_child + i;
    }
  }
  return best;
}

void Search::expand(std::uint32_t node, const Board& board) {
  std::vector<int> cells = board.empty_cells();
  // Shuffled, so that with fewer playouts than moves no corner of the board is preferred.
  for (std::size_t i = cells.size(); i > 1; --i) {
    std::swap(cells[i - 1], cells[random_.below(static_cast<std::uint32_t>(i))]);
  }
  nodes_[node].first_child = static_cast<std::uint32_t>(nodes_.size());
  nodes_[node].child_count = static_cast<std::uint32_t>(cells.size());
  for (const int cell : cells) {
    Node child;
    child.cell = cell;
    nodes_.push_back(child);
  }
}

Player Search::playout(const Board& board) {
  const Geometry& geometry = board.geometry();
  const int cells = board.cells();
  std::array<Player, kCellsMax> stones;
  std::array<std::int16_t, kCellsMax> empty;
  int empty_count = 0;
  for (int cell = 0; cell < cells; ++cell) {
    stones[cell] = board.at(cell);
    if (stones[cell] == Player::kNone) empty[empty_count++] = static_cast<std::int16_t>(cell);
  }
  Player mover = board.to_move();
  for (int left = empty_count; left > 0; --left) {
    const int pick = static_cast<int>(random_.below(static_cast<std::uint32_t>(left)));
    stones[empty[pick]] = mover;
    empty[pick] = empty[left - 1];
    mover = other(mover);
  }
  // Flood from the top: player 1 reaches the bottom, or player 2 has won.
  std::array<std::int16_t, kCellsMax> stack;
  std::array<bool, kCellsMax> seen{};
  int depth = 0;
  for (int column = 0; column < geometry.size(); ++column) {
    if (stones[column] != Player::kFirst) continue;
    seen[column] = true;
    stack[depth++] = static_cast<std::int16_t>(column);
  }
  while (depth > 0) {
    const int cell = stack[--depth];
    if (geometry.touches_goal(Player::kFirst, cell)) return Player::kFirst;
    for (int i = 0; i < geometry.neighbour_count(cell); ++i) {
      const int next = geometry.neighbour(cell, i);
      if (seen[next] || stones[next] != Player::kFirst) continue;
      seen[next] = true;
      stack[depth++] = static_cast<std::int16_t>(next);
    }
  }
  return Player::kSecond;
}

}  // namespace hex
