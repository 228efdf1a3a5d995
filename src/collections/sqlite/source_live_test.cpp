// What a source does to databases that programs are writing, and what these programs can do to it.
#include <fstream>
#include <iterator>

#include "collections/sqlite/source_process_test_support.hpp"
#include "collections/sqlite/source_test_support.hpp"

namespace syncline::collections::sqlite {
namespace {

std::string bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

constexpr int kMovesMax = 12;

// Games as a self-play program writes them: every third one move by move over several
// transactions, the others at once. Two connections, so that writers meet each other as well.
int write_games(const std::string& path, const char* journal_mode, int games,
                const Program::Say& say) {
  auto first = Database::open(path, OpenMode::kReadWriteCreate, 5000);
  auto second = Database::open(path, OpenMode::kReadWriteCreate, 5000);
  if (!first.ok() || !second.ok()) return kProgramFailed;
  // Small WALs, so that checkpoints and resets happen all the time.
  const std::string settings = std::string("PRAGMA journal_mode = ") + journal_mode +
                               "; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 20;";
  if (int code = run_in_program(*first, settings)) return code;
  if (int code = run_in_program(*second, settings)) return code;
  for (int g = 0; g < games; ++g) {
    Database& db = g % 2 == 0 ? *first : *second;
    const std::string id = "'g" + std::to_string(g) + "'";
    const int moves = 1 + g % kMovesMax;
    const bool is_slow = g % 3 == 0;
    const auto step = [&](const std::string& sql) {
      return run_in_program(db, is_slow ? "BEGIN IMMEDIATE;" + sql + "COMMIT;" : sql);
    };
    int code = is_slow ? 0 : run_in_program(db, "BEGIN IMMEDIATE;");
    if (code == 0) {
      code = step("INSERT INTO games VALUES (" + id + ", 'hex8', 2, NULL, NULL, " +
                  std::to_string(moves) + ");");
    }
    for (int p = 1; p <= 2 && code == 0; ++p) {
      code = step("INSERT INTO game_players VALUES (" + id + ", " + std::to_string(p) + ", 'p');");
    }
    for (int m = 1; m <= moves && code == 0; ++m) {
      code = step("INSERT INTO game_moves VALUES (" + id + ", " + std::to_string(m) + ", 'a');");
    }
    if (code == 0) {
      code = step("UPDATE games SET completed_at = 'now', winner = 1 WHERE game_id = " + id + ";");
    }
    if (code == 0 && !is_slow) code = run_in_program(db, "COMMIT;");
    if (code != 0) return code;
    if (g == 0) say();
  }
  return 0;
}

class LiveSource : public SourceTest, public testing::WithParamInterface<const char*> {
 protected:
  LiveSource() {
    use_games();
    write(std::string("PRAGMA journal_mode = ") + GetParam() + ";" + kGamesSchema);
    close();
  }
};
INSTANTIATE_TEST_SUITE_P(InEachJournalMode, LiveSource, testing::Values("WAL", "DELETE"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(LiveSource, takes_every_game_of_a_busy_writer_once_and_whole) {
  constexpr int kGames = 400;
  Program writer(
      [&](const Program::Say& say) { return write_games(path("g.db"), GetParam(), kGames, say); });
  ASSERT_TRUE(writer.wait_until_said());
  std::size_t taken_meanwhile = 0;
  while (!writer.has_ended()) {
    journal_.read_once(source());
    taken_meanwhile = journal_.taken.size();
  }
  EXPECT_EQ(writer.exit_code(), 0) << "2: it met SQLITE_BUSY";
  EXPECT_GT(taken_meanwhile, 0u);
  const ReadOutcome outcome = poll();
  EXPECT_TRUE(outcome.problems.empty()) << lines(outcome.problems);
  EXPECT_EQ(outcome.open_units, 0u);
  EXPECT_EQ(journal_.taken.size(), static_cast<std::size_t>(kGames)) << "each once";
  EXPECT_EQ(journal_.latest.size(), static_cast<std::size_t>(kGames));
  for (const core::EncodedUnit& sealed : journal_.taken) {
    const core::Unit game = *core::decode_unit(sealed.bytes);
    const auto total = std::get<std::int64_t>(column(game, "games", "total_moves").at(0));
    EXPECT_EQ(rows_of(game, "game_moves"), static_cast<std::size_t>(total)) << game.key;
    EXPECT_EQ(rows_of(game, "game_players"), 2u) << game.key;
  }
}

TEST_P(LiveSource, leaves_what_a_killed_writer_had_not_committed_and_every_file_as_it_was) {
  Program writer([&](const Program::Say& say) {
    auto db = Database::open(path("g.db"), OpenMode::kReadWriteCreate, 5000);
    // A small cache spills the transaction under way into the files.
    int code = db.ok() ? run_in_program(*db,
                                        "PRAGMA cache_size = 5; BEGIN;"
                                        "INSERT INTO games VALUES"
                                        " ('whole', 'hex8', 2, 'now', 1, 0); COMMIT; BEGIN;"
                                        "INSERT INTO games VALUES"
                                        " ('torn', 'hex8', 2, 'now', 1, 2000)")
                       : kProgramFailed;
    for (int m = 0; m < 2000 && code == 0; ++m) {
      code = run_in_program(*db, "INSERT INTO game_moves VALUES ('torn', " + std::to_string(m) +
                                     ", printf('%.*c', 200, 'x'))");
    }
    if (code != 0) return code;
    say();
    idle();
  });
  ASSERT_TRUE(writer.wait_until_said());
  writer.kill();
  const bool is_wal = std::string(GetParam()) == "WAL";
  const std::string companion = path(is_wal ? "g.db-wal" : "g.db-journal");
  const std::string main_before = bytes_of_file(path("g.db"));
  const std::string companion_before = bytes_of_file(companion);
  // The WAL gets what is new; a rollback journal what was there before, and the main file the rest.
  ASSERT_GT((is_wal ? companion_before : main_before).size(), 200'000u) << "it was spilled";
  ASSERT_FALSE(companion_before.empty());
  const ReadOutcome outcome = poll();
  restart();
  poll();
  EXPECT_TRUE(main_before == bytes_of_file(path("g.db")));
  EXPECT_TRUE(companion_before == bytes_of_file(companion));
  if (is_wal) {
    EXPECT_EQ(journal_.keys_taken(), std::vector<std::string>{"games:whole"});
    EXPECT_TRUE(outcome.problems.empty()) << lines(outcome.problems);
  } else {
    EXPECT_TRUE(journal_.taken.empty()) << "the main file is half of a transaction";
    ASSERT_EQ(outcome.problems.size(), 1u);
    EXPECT_NE(outcome.problems[0].find("in the middle of a transaction"), std::string::npos);
  }
  play("next");  // the program is back: it recovers its database
  EXPECT_TRUE(poll().problems.empty());
  EXPECT_EQ(journal_.keys_taken(), (std::vector<std::string>{"games:whole", "games:next"}));
}

class WalSource : public SourceTest {
 protected:
  WalSource() {
    use_games();
    write(std::string("PRAGMA journal_mode = WAL;") + kGamesSchema);
    close();
  }
  // Writes a game that stays in the WAL, and keeps the database open.
  Program::Say write_one_and_idle(const Program::Say& say) {
    auto db = Database::open(path("g.db"), OpenMode::kReadWriteCreate, 5000);
    const int code = db.ok()
                         ? run_in_program(*db,
                                          "PRAGMA wal_autocheckpoint = 0; BEGIN;"
                                          "INSERT INTO games VALUES ('g', 'hex8', 2, 'now', 1, 0);"
                                          "INSERT INTO game_moves VALUES ('g', 1, 'a'); COMMIT")
                         : kProgramFailed;
    if (code != 0) ::_exit(code);
    say();
    idle();
  }
};

TEST_F(WalSource, never_checkpoints_a_database_that_is_in_use) {
  Program writer([&](const Program::Say& say) {
    write_one_and_idle(say);
    return 0;
  });
  ASSERT_TRUE(writer.wait_until_said());
  const std::string main_before = bytes_of_file(path("g.db"));
  const std::string wal_before = bytes_of_file(path("g.db-wal"));
  ASSERT_FALSE(wal_before.empty());
  for (int i = 0; i < 3; ++i) {
    poll();
    restart();
  }
  EXPECT_EQ(journal_.keys_taken(), std::vector<std::string>{"games:g"});
  EXPECT_TRUE(main_before == bytes_of_file(path("g.db")));
  EXPECT_TRUE(wal_before == bytes_of_file(path("g.db-wal")));
  EXPECT_FALSE(writer.has_ended());
}

TEST_F(WalSource, reads_the_wal_of_a_dead_program_and_leaves_it_to_the_next) {
  Program writer([&](const Program::Say& say) {
    write_one_and_idle(say);
    return 0;
  });
  ASSERT_TRUE(writer.wait_until_said());
  writer.kill();
  const std::string main_before = bytes_of_file(path("g.db"));
  const std::string wal_before = bytes_of_file(path("g.db-wal"));
  ASSERT_FALSE(wal_before.empty());
  EXPECT_TRUE(poll().problems.empty());
  // A machine that crashed, or a copy, leaves no shared memory beside the WAL.
  std::filesystem::remove(path("g.db-shm"));
  restart();
  journal_.cursors.clear();
  EXPECT_TRUE(poll().problems.empty());
  EXPECT_EQ(journal_.keys_taken(), std::vector<std::string>{"games:g"});
  EXPECT_TRUE(main_before == bytes_of_file(path("g.db")));
  EXPECT_TRUE(wal_before == bytes_of_file(path("g.db-wal")));
}

TEST_F(WalSource, makes_no_file_beside_a_database_that_nobody_uses) {
  play("g");
  close();
  ASSERT_FALSE(std::filesystem::exists(path("g.db-wal")));
  EXPECT_TRUE(poll().problems.empty());
  EXPECT_EQ(journal_.keys_taken(), std::vector<std::string>{"games:g"});
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    files.push_back(entry.path().filename());
  }
  EXPECT_EQ(files, std::vector<std::string>{"g.db"});
}

TEST_F(WalSource, a_program_can_truncate_its_wal_while_it_is_read) {
  Program writer([&](const Program::Say& say) {
    auto db = Database::open(path("g.db"), OpenMode::kReadWriteCreate, 5000);
    if (!db.ok()) return kProgramFailed;
    for (int g = 0; g < 60; ++g) {
      const std::string id = "'t" + std::to_string(g) + "'";
      int code =
          run_in_program(*db, "INSERT INTO games VALUES (" + id + ", 'hex8', 2, 'now', 1, 0)");
      auto checkpoint = db->prepare("PRAGMA wal_checkpoint(TRUNCATE)");
      if (!checkpoint.ok() || !checkpoint->step().ok()) return kProgramFailed;
      if (code == 0 && checkpoint->number(0) != 0) code = kProgramMetBusy;
      if (code != 0) return code;
      if (g == 0) say();
    }
    return 0;
  });
  ASSERT_TRUE(writer.wait_until_said());
  while (!writer.has_ended()) journal_.read_once(source());
  EXPECT_EQ(writer.exit_code(), 0);
  poll();
  EXPECT_EQ(journal_.taken.size(), 60u);
}

}  // namespace
}  // namespace syncline::collections::sqlite
