// Ratings from the matches of a replica: all of them, as after a start or a late match, and one
// that is newer than all before, as in a running fleet. Bound of the first: reading the rows in
// order.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "collections/sqlite/derive.hpp"

namespace {

using namespace syncline;

struct Matches {
  std::string path;
  explicit Matches(std::int64_t count) {
    char name[] = "/tmp/derive-bench-XXXXXX";
    path = std::string(::mkdtemp(name)) + "/r.db";
    auto db = open();
    must(
        db.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
               "CREATE TABLE match_history (game_id TEXT PRIMARY KEY, participant_a TEXT, "
               "participant_b TEXT, winner TEXT, timestamp REAL, board_type TEXT, "
               "num_players INTEGER);"));
    must(db.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                std::to_string(count) +
                ") INSERT INTO match_history SELECT 'g' || i, 'p' || (i % 97), 'q' || (i % 89), "
                "CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' ELSE 'draw' END, i, 'hex8', 2 FROM n"));
  }
  ~Matches() { std::filesystem::remove_all(std::filesystem::path(path).parent_path()); }
  sqlite::Database open() const {
    auto db = sqlite::Database::open(path, sqlite::OpenMode::kReadWriteCreate);
    if (!db.ok()) std::abort();
    return std::move(db).value();
  }
  static void must(const core::Status& status) {
    if (!status.ok()) std::abort();
  }
};

void in_transaction(sqlite::Database& db, collections::sqlite::Deriver& deriver, bool only_added,
                    std::uint64_t rated) {
  auto transaction = sqlite::Transaction::begin(db);
  const auto counts = deriver.run(db, only_added);
  if (!transaction.ok() || !counts.ok() || counts->rated != rated) std::abort();
  Matches::must(transaction->commit());
}

void all_matches(benchmark::State& state) {
  const Matches matches(state.range(0));
  auto db = matches.open();
  const auto deriver = collections::sqlite::make_elo_deriver({});
  const auto count = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) in_transaction(db, *deriver, false, count);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void read_in_order(benchmark::State& state) {
  const Matches matches(state.range(0));
  auto db = matches.open();
  for (auto _ : state) {
    auto rows = db.prepare("SELECT * FROM match_history ORDER BY timestamp, game_id");
    std::int64_t bytes = 0;
    while (*rows->step()) {
      for (int i = 0; i < rows->columns(); ++i)
        bytes += static_cast<std::int64_t>(rows->cell(i).index());
    }
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void one_newer_match(benchmark::State& state) {
  const Matches matches(state.range(0));
  auto db = matches.open();
  const auto deriver = collections::sqlite::make_elo_deriver({});
  auto count = static_cast<std::uint64_t>(state.range(0));
  in_transaction(db, *deriver, false, count);
  for (auto _ : state) {
    ++count;
    Matches::must(db.run("INSERT INTO match_history VALUES ('g" + std::to_string(count) +
                         "', 'p1', 'q1', 'a', " + std::to_string(count) + ", 'hex8', 2)"));
    in_transaction(db, *deriver, true, count);
  }
}

BENCHMARK(all_matches)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(read_in_order)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(one_newer_match)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
