#include "hex/self_play.hpp"

#include <chrono>
#include <stdexcept>
#include <vector>

#include "hex/board.hpp"

namespace hex {
namespace {

using Clock = std::chrono::steady_clock;

// How well the searcher foresaw the result: mean over all moves of 1 - |expectation - outcome|.
double quality_of(const std::vector<double>& values_for_first, int winner) {
  double sum = 0;
  for (const double value : values_for_first) sum += winner == 1 ? value : 1 - value;
  return values_for_first.empty() ? 0 : sum / static_cast<double>(values_for_first.size());
}

int player_number(Player player) {
  return player == Player::kFirst ? 1 : 2;
}

GameResult result_of(const Board& board, const std::vector<double>& values_for_first) {
  const std::vector<int> path = winning_path(board, board.winner());
  if (!is_winning_path(board, board.winner(), path) ||
      !winning_path(board, other(board.winner())).empty()) {
    throw std::runtime_error("the game's winner has no path from edge to edge");
  }
  GameResult result;
  result.winner = player_number(board.winner());
  result.total_moves = board.moves_played();
  result.quality_score = quality_of(values_for_first, result.winner);
  for (const int cell : path) result.winning_path.push_back(cell_name(board.size(), cell));
  return result;
}

}  // namespace

FinishedGame play_one_game(GameStore& store, const SelfPlayOptions& options, std::uint64_t seed) {
  Random random(seed);
  const std::uint64_t id_high = random.next();
  const std::uint64_t id_low = random.next();
  const std::string player = "uct-" + std::to_string(options.playouts);
  NewGame game;
  game.game_id = make_uuid(id_high, id_low);
  game.board_type = options.board_type;
  game.board_size = options.board_size;
  game.player_names[0] = player;
  game.player_names[1] = player;
  game.source = options.source;
  game.seed = seed;
  store.begin_game(game);

  Board board(options.board_size);
  Search search(random.next());
  std::vector<PlayedMove> unsaved;
  std::vector<double> values_for_first;
  while (board.winner() == Player::kNone) {
    const auto started = Clock::now();
    Choice choice = search.choose(board, options.playouts);
    if (board.moves_played() < options.opening_moves) {
      const std::vector<int> cells = board.empty_cells();
      // One opening move in two is any legal one: variety is worth more than strength there.
      if (random.below(2) == 0) {
        choice.cell = cells[random.below(static_cast<std::uint32_t>(cells.size()))];
      }
    }
    const Player mover = board.to_move();
    if (!board.play(choice.cell)) throw std::runtime_error("the search chose an illegal move");
    values_for_first.push_back(mover == Player::kFirst ? choice.value : 1 - choice.value);
    PlayedMove move;
    move.number = board.moves_played();
    move.player = player_number(mover);
    move.row = choice.cell / board.size();
    move.column = choice.cell % board.size();
    move.cell = cell_name(board.size(), choice.cell);
    move.value = choice.value;
    move.playouts = choice.playouts;
    move.think_ms = std::chrono::duration<double, std::milli>(Clock::now() - started).count();
    unsaved.push_back(move);
    if (board.winner() == Player::kNone &&
        static_cast<int>(unsaved.size()) >= options.moves_per_commit) {
      store.add_moves(game.game_id, unsaved);
      unsaved.clear();
    }
  }
  const GameResult result = result_of(board, values_for_first);
  store.finish_game(game.game_id, unsaved, result);
  return {game.game_id, result};
}

}  // namespace hex
