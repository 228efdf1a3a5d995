// hex_selfplay: plays Hex against itself and writes each game into its own SQLite file.
//
// It knows nothing of Syncline: it stands for any program that generates games.
#include <getopt.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <string>
#include <thread>

#include "hex/self_play.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kUsage =
    "usage: hex_selfplay --db PATH [options]\n"
    "  --db PATH                 SQLite file, created if missing\n"
    "  --board hex8|hex11        board (default hex8)\n"
    "  --playouts N              per move (default 200)\n"
    "  --games N                 stop after N games (default: no limit)\n"
    "  --seconds S               stop after S seconds (default: no limit)\n"
    "  --seed S                  same seed, same games (default: random)\n"
    "  --journal-mode wal|delete of the database (default wal)\n"
    "  --games-per-second X      never faster than this (default: no limit)\n"
    "  --moves-per-commit N      (default 8)\n"
    "  --source NAME             written into games.source (default hex_selfplay)\n"
    "  --print-games             one line per game, after its commit: id, winner, moves, time\n"
    "  --version, --help\n"
    "SIGTERM or SIGINT: the game under way is played to its end and stored, then it exits with 0.\n"
    "A second one stops at once; the game under way stays incomplete in the database.\n";

std::atomic<int> stop_signals{0};

void on_stop(int) {
  if (stop_signals.fetch_add(1) >= 1) _exit(130);
}

struct Options {
  std::string db;
  hex::SelfPlayOptions play;
  long games = -1;
  double seconds = -1;
  std::uint64_t seed = 0;
  hex::JournalMode journal = hex::JournalMode::kWal;
  double games_per_second = 0;
  bool prints_games = false;
};

[[noreturn]] void fail_usage(const std::string& why) {
  std::fprintf(stderr, "hex_selfplay: %s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

double positive_number(const char* name, const char* text) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value > 0)) {
    fail_usage(std::string(name) + " wants a number above 0, not \"" + text + '"');
  }
  return value;
}

long positive_count(const char* name, const char* text, long max) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (end == text || *end != '\0' || value < 1 || value > max) {
    fail_usage(std::string(name) + " wants a whole number from 1 to " + std::to_string(max) +
               ", not \"" + text + '"');
  }
  return value;
}

void set_option(Options& options, const std::string& name, const char* value) {
  if (name == "db") {
    options.db = value;
  } else if (name == "board") {
    options.play.board_type = value;
    if (options.play.board_type == "hex8")
      options.play.board_size = 8;
    else if (options.play.board_type == "hex11")
      options.play.board_size = 11;
    else
      fail_usage("--board is hex8 or hex11");
  } else if (name == "playouts") {
    options.play.playouts = static_cast<int>(positive_count("--playouts", value, 1'000'000));
  } else if (name == "games") {
    options.games = positive_count("--games", value, 1'000'000'000);
  } else if (name == "seconds") {
    options.seconds = positive_number("--seconds", value);
  } else if (name == "seed") {
    char* end = nullptr;
    options.seed = std::strtoull(value, &end, 10);
    if (end == value || *end != '\0') fail_usage("--seed wants a whole number");
  } else if (name == "journal-mode") {
    const std::string mode = value;
    if (mode != "wal" && mode != "delete") fail_usage("--journal-mode is wal or delete");
    options.journal = mode == "wal" ? hex::JournalMode::kWal : hex::JournalMode::kDelete;
  } else if (name == "games-per-second") {
    options.games_per_second = positive_number("--games-per-second", value);
  } else if (name == "moves-per-commit") {
    options.play.moves_per_commit =
        static_cast<int>(positive_count("--moves-per-commit", value, 10'000));
  } else if (name == "source") {
    options.play.source = value;
  }
}

Options parse(int argc, char** argv) {
  static const option kLong[] = {{"db", required_argument, nullptr, 0},
                                 {"board", required_argument, nullptr, 0},
                                 {"playouts", required_argument, nullptr, 0},
                                 {"games", required_argument, nullptr, 0},
                                 {"seconds", required_argument, nullptr, 0},
                                 {"seed", required_argument, nullptr, 0},
                                 {"journal-mode", required_argument, nullptr, 0},
                                 {"games-per-second", required_argument, nullptr, 0},
                                 {"moves-per-commit", required_argument, nullptr, 0},
                                 {"source", required_argument, nullptr, 0},
                                 {"print-games", no_argument, nullptr, 'p'},
                                 {"version", no_argument, nullptr, 'v'},
                                 {"help", no_argument, nullptr, 'h'},
                                 {nullptr, 0, nullptr, 0}};
  Options options;
  std::random_device device;
  options.seed = (std::uint64_t{device()} << 32) ^ device();
  int index = 0;
  for (int c; (c = getopt_long(argc, argv, "", kLong, &index)) != -1;) {
    if (c == 'h') {
      std::fputs(kUsage, stdout);
      std::exit(0);
    } else if (c == 'v') {
      std::printf("hex_selfplay %s\n", SYNCLINE_VERSION);
      std::exit(0);
    } else if (c == 'p') {
      options.prints_games = true;
    } else if (c == 0) {
      set_option(options, kLong[index].name, optarg);
    } else {
      fail_usage("unknown or incomplete option");
    }
  }
  if (optind < argc) fail_usage(std::string("unexpected argument ") + argv[optind]);
  if (options.db.empty()) fail_usage("--db is missing");
  return options;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// In short steps, so that a signal is answered at once.
void sleep_until_or_stop(Clock::time_point until) {
  while (stop_signals.load() == 0 && Clock::now() < until) {
    const auto left = until - Clock::now();
    std::this_thread::sleep_for(std::min<Clock::duration>(left, std::chrono::milliseconds(20)));
  }
}

int play(const Options& options) {
  hex::GameStore store(options.db, options.journal);
  hex::Random seeds(options.seed);
  const auto start = Clock::now();
  auto next_game_at = start;
  long games = 0;
  long moves = 0;
  while (stop_signals.load() == 0 && (options.games < 0 || games < options.games) &&
         (options.seconds < 0 || seconds_since(start) < options.seconds)) {
    const hex::FinishedGame game = play_one_game(store, options.play, seeds.next());
    ++games;
    moves += game.result.total_moves;
    if (options.prints_games) {
      std::printf("%s winner=%d moves=%d committed=%s\n", game.game_id.c_str(), game.result.winner,
                  game.result.total_moves, hex::now_iso8601().c_str());
      std::fflush(stdout);
    }
    if (options.games_per_second > 0) {
      next_game_at += std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(1 / options.games_per_second));
      // After a stall the pace goes on from now; the missed games are not made up in a burst.
      next_game_at = std::max(next_game_at, Clock::now() - std::chrono::seconds(1));
      sleep_until_or_stop(next_game_at);
    }
  }
  const double seconds = seconds_since(start);
  std::printf("games=%ld moves=%ld seconds=%.2f games_per_second=%.2f\n", games, moves, seconds,
              seconds > 0 ? static_cast<double>(games) / seconds : 0.0);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  struct sigaction action {};
  action.sa_handler = on_stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  try {
    return play(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hex_selfplay: %s\n", error.what());
    return 1;
  }
}
