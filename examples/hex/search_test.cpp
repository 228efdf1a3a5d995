#include "hex/search.hpp"

#include <gtest/gtest.h>

namespace hex {
namespace {

// First player's chain runs down column b of a 4×4 board to row 3; a4 and b4 both end it.
Board one_move_from_winning() {
  Board board(4);
  for (const int cell : {1, 3, 5, 7, 9, 2}) board.play(cell);
  return board;
}

TEST(Search, takes_the_win_that_is_one_move_away) {
  Board board = one_move_from_winning();
  ASSERT_EQ(board.to_move(), Player::kFirst);
  Search search(1);
  board.play(search.choose(board, 400).cell);
  EXPECT_EQ(board.winner(), Player::kFirst);
}

TEST(Search, blocks_the_only_cell_that_would_lose_at_once) {
  // First player holds the left column but for its last cell, and has no other way down at once.
  Board board(4);
  for (const int cell : {0, 1, 4, 5, 8}) board.play(cell);
  ASSERT_EQ(board.to_move(), Player::kSecond);
  Search search(2);
  EXPECT_EQ(search.choose(board, 2000).cell, 12);
}

TEST(Search, same_seed_same_choice) {
  Search a(7);
  Search b(7);
  const Board board(8);
  EXPECT_EQ(a.choose(board, 300).cell, b.choose(board, 300).cell);
}

TEST(Search, more_playouts_beat_fewer) {
  int wins_of_strong = 0;
  constexpr int kGames = 20;
  for (int game = 0; game < kGames; ++game) {
    Board board(6);
    Search strong(100 + game);
    Search weak(200 + game);
    const Player strong_side = game % 2 == 0 ? Player::kFirst : Player::kSecond;
    while (board.winner() == Player::kNone) {
      const bool is_strong = board.to_move() == strong_side;
      board.play(is_strong ? strong.choose(board, 400).cell : weak.choose(board, 4).cell);
    }
    wins_of_strong += board.winner() == strong_side ? 1 : 0;
  }
  EXPECT_GE(wins_of_strong, 15);
}

}  // namespace
}  // namespace hex
