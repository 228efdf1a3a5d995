#include "hex/board.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>

#include "hex/search.hpp"

namespace hex {
namespace {

Board after(int n, const std::vector<std::pair<int, int>>& moves) {
  Board board(n);
  for (const auto& [row, column] : moves) EXPECT_TRUE(board.play(row * n + column));
  return board;
}

TEST(Hex, first_player_wins_by_joining_top_and_bottom) {
  const Board board = after(3, {{0, 1}, {0, 0}, {1, 1}, {1, 0}, {2, 1}});
  EXPECT_EQ(board.winner(), Player::kFirst);
  EXPECT_EQ(winning_path(board, Player::kFirst), (std::vector<int>{1, 4, 7}));
}

TEST(Hex, second_player_wins_by_joining_left_and_right) {
  const Board board = after(3, {{0, 0}, {1, 0}, {0, 1}, {1, 1}, {0, 2}, {1, 2}});
  EXPECT_EQ(board.winner(), Player::kSecond);
}

TEST(Hex, only_one_of_the_two_diagonals_connects) {
  // (0,2) (1,1) (2,0) are neighbours along the short diagonal; (0,0) (1,1) (2,2) are not.
  EXPECT_EQ(after(3, {{0, 2}, {0, 1}, {1, 1}, {1, 2}, {2, 0}}).winner(), Player::kFirst);
  EXPECT_EQ(after(3, {{0, 0}, {0, 1}, {1, 1}, {1, 2}, {2, 2}}).winner(), Player::kNone);
}

TEST(Hex, touching_both_edges_of_the_other_player_wins_nothing) {
  EXPECT_EQ(after(3, {{1, 0}, {0, 0}, {1, 1}, {0, 1}, {1, 2}}).winner(), Player::kNone);
}

TEST(Hex, refuses_an_occupied_cell_a_cell_off_the_board_and_any_move_after_the_end) {
  Board board(3);
  EXPECT_TRUE(board.play(4));
  EXPECT_FALSE(board.play(4));
  EXPECT_FALSE(board.play(-1));
  EXPECT_FALSE(board.play(9));
  EXPECT_EQ(board.moves_played(), 1);
  Board over = after(3, {{0, 1}, {0, 0}, {1, 1}, {1, 0}, {2, 1}});
  EXPECT_FALSE(over.play(8));
}

TEST(Hex, a_broken_or_borrowed_path_is_not_accepted_as_proof) {
  const Board board = after(3, {{0, 1}, {0, 0}, {1, 1}, {1, 0}, {2, 1}});
  EXPECT_TRUE(is_winning_path(board, Player::kFirst, {1, 4, 7}));
  EXPECT_FALSE(is_winning_path(board, Player::kFirst, {1, 7}));
  EXPECT_FALSE(is_winning_path(board, Player::kFirst, {1, 4}));
  EXPECT_FALSE(is_winning_path(board, Player::kSecond, {1, 4, 7}));
  EXPECT_FALSE(is_winning_path(board, Player::kFirst, {1, 4, 99}));
}

// Plays random legal moves to the end, or over the full board if `plays_on`.
Board random_game(int n, std::uint64_t seed) {
  Board board(n);
  Random random(seed);
  while (board.winner() == Player::kNone) {
    const auto empty = board.empty_cells();
    board.play(empty[random.below(static_cast<std::uint32_t>(empty.size()))]);
  }
  return board;
}

RC_GTEST_PROP(Hex, every_game_ends_with_one_winner_who_has_a_path,
              (std::uint64_t seed, std::uint8_t size)) {
  const int n = 2 + size % 13;
  const Board board = random_game(n, seed);
  RC_ASSERT(is_winning_path(board, board.winner(), winning_path(board, board.winner())));
  RC_ASSERT(winning_path(board, other(board.winner())).empty());
}

RC_GTEST_PROP(Hex, union_find_and_path_search_agree_after_each_move, (std::uint64_t seed)) {
  Board board(7);
  Random random(seed);
  while (board.winner() == Player::kNone) {
    const auto empty = board.empty_cells();
    const Player mover = board.to_move();
    board.play(empty[random.below(static_cast<std::uint32_t>(empty.size()))]);
    RC_ASSERT((board.winner() == mover) == !winning_path(board, mover).empty());
  }
}

}  // namespace
}  // namespace hex
