#include "hex/board.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

namespace hex {

Geometry::Geometry(int n) : n_(n) {
  // A cell's neighbours in (row, column) steps: the two diagonals are one above right, one below
  // left, which makes each inner cell a hexagon.
  static constexpr int kSteps[6][2] = {{-1, 0}, {-1, 1}, {0, -1}, {0, 1}, {1, -1}, {1, 0}};
  for (int row = 0; row < n; ++row) {
    for (int column = 0; column < n; ++column) {
      const int cell = row * n + column;
      for (const auto& step : kSteps) {
        const int r = row + step[0];
        const int c = column + step[1];
        if (r < 0 || r >= n || c < 0 || c >= n) continue;
        neighbours_[cell][counts_[cell]++] = static_cast<std::int16_t>(r * n + c);
      }
    }
  }
}

const Geometry& Geometry::of_size(int n) {
  if (n < kSizeMin || n > kSizeMax) std::abort();
  static std::mutex guard;
  static std::map<int, std::unique_ptr<const Geometry>> made;
  const std::lock_guard lock(guard);
  auto& geometry = made[n];
  if (!geometry) geometry.reset(new Geometry(n));
  return *geometry;
}

bool Geometry::touches_start(Player player, int cell) const {
  return player == Player::kFirst ? cell < n_ : cell % n_ == 0;
}

bool Geometry::touches_goal(Player player, int cell) const {
  return player == Player::kFirst ? cell >= n_ * (n_ - 1) : cell % n_ == n_ - 1;
}

Board::Board(int n) : geometry_(&Geometry::of_size(n)) {
  for (int i = 0; i < cells() + 4; ++i) parents_[i] = static_cast<std::int16_t>(i);
}

int Board::find(int node) const {
  while (parents_[node] != node) {
    parents_[node] = parents_[parents_[node]];
    node = parents_[node];
  }
  return node;
}

void Board::join(int a, int b) {
  parents_[find(a)] = static_cast<std::int16_t>(find(b));
}

bool Board::is_legal(int cell) const {
  return cell >= 0 && cell < cells() && stones_[cell] == Player::kNone && winner_ == Player::kNone;
}

bool Board::play(int cell) {
  if (!is_legal(cell)) return false;
  const Player mover = to_move_;
  const int start_edge = cells() + (mover == Player::kFirst ? 0 : 2);
  const int goal_edge = start_edge + 1;
  stones_[cell] = mover;
  if (geometry_->touches_start(mover, cell)) join(cell, start_edge);
  if (geometry_->touches_goal(mover, cell)) join(cell, goal_edge);
  for (int i = 0; i < geometry_->neighbour_count(cell); ++i) {
    const int next = geometry_->neighbour(cell, i);
    if (stones_[next] == mover) join(cell, next);
  }
  if (find(start_edge) == find(goal_edge)) winner_ = mover;
  to_move_ = other(mover);
  ++moves_;
  return true;
}

std::vector<int> Board::empty_cells() const {
  std::vector<int> empty;
  empty.reserve(cells());
  for (int cell = 0; cell < cells(); ++cell) {
    if (stones_[cell] == Player::kNone) empty.push_back(cell);
  }
  return empty;
}

std::vector<int> winning_path(const Board& board, Player player) {
  const Geometry& geometry = board.geometry();
  std::vector<int> came_from(board.cells(), -2);
  std::deque<int> open;
  for (int cell = 0; cell < board.cells(); ++cell) {
    if (board.at(cell) == player && geometry.touches_start(player, cell)) {
      came_from[cell] = -1;
      open.push_back(cell);
    }
  }
  while (!open.empty()) {
    const int cell = open.front();
    open.pop_front();
    if (geometry.touches_goal(player, cell)) {
      std::vector<int> path;
      for (int at = cell; at >= 0; at = came_from[at]) path.push_back(at);
      std::reverse(path.begin(), path.end());
      return path;
    }
    for (int i = 0; i < geometry.neighbour_count(cell); ++i) {
      const int next = geometry.neighbour(cell, i);
      if (board.at(next) != player || came_from[next] != -2) continue;
      came_from[next] = cell;
      open.push_back(next);
    }
  }
  return {};
}

bool is_winning_path(const Board& board, Player player, const std::vector<int>& path) {
  if (path.empty()) return false;
  const Geometry& geometry = board.geometry();
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] < 0 || path[i] >= board.cells() || board.at(path[i]) != player) return false;
    if (i == 0) continue;
    bool is_next = false;
    for (int k = 0; k < geometry.neighbour_count(path[i - 1]); ++k) {
      is_next = is_next || geometry.neighbour(path[i - 1], k) == path[i];
    }
    if (!is_next) return false;
  }
  return geometry.touches_start(player, path.front()) && geometry.touches_goal(player, path.back());
}

std::string cell_name(int n, int cell) {
  return std::string(1, static_cast<char>('a' + cell % n)) + std::to_string(cell / n + 1);
}

}  // namespace hex
