// Databases that were copied here: each copy is a new file, and mostly the same database.
#include "collections/sqlite/source_test_support.hpp"

namespace syncline::collections::sqlite {
namespace {

class CopiedSource : public SourceTest {
 protected:
  CopiedSource() {
    use_games();
    origin_ = Origin::kCopied;
    std::filesystem::create_directories(folder_ + "/far");
    config_.include = {"copy.db"};
    write(kGamesSchema, "far/g.db");
  }
  // As the collecting service does it: a new file in the place of the older one.
  void copy() {
    write("PRAGMA wal_checkpoint(TRUNCATE)", "far/g.db");
    std::filesystem::copy_file(path("far/g.db"), path("incoming"));
    std::filesystem::rename(path("incoming"), path("copy.db"));
  }
};

// Counts what it was asked: each question is a unit that was read whole.
class Counting final : public KnownUnits {
 public:
  explicit Counting(const Journal& journal) : journal_(journal) {}
  std::optional<core::Digest256> hash_of(const std::string& key) const override {
    asked.insert(key);
    return journal_.hash_of(key);
  }
  mutable std::set<std::string> asked;

 private:
  const Journal& journal_;
};

TEST_F(CopiedSource, a_newer_copy_is_read_from_where_the_last_one_ended) {
  for (int i = 0; i < 20; ++i) play("g" + std::to_string(i), 3, "far/g.db");
  copy();
  poll();
  ASSERT_EQ(journal_.taken.size(), 20u);
  play("new", 3, "far/g.db");
  copy();
  const Counting counting(journal_);
  ReadLimits limits;
  limits.units_max = 1;
  const ReadOutcome read = source().read(journal_.cursors, counting, limits, nullptr, journal_.now);
  ASSERT_EQ(read.units.size(), 1u);
  EXPECT_EQ(read.units[0].key, "games:new");
  EXPECT_TRUE(counting.asked.count("games:new") == 1 && counting.asked.size() <= 2)
      << "older games were read again before the new one";
}

TEST_F(CopiedSource, another_database_in_its_place_is_read_from_its_beginning) {
  for (int i = 0; i < 5; ++i) play("g" + std::to_string(i), 3, "far/g.db");
  copy();
  poll();
  close("far/g.db");
  std::filesystem::remove(path("far/g.db"));
  write(kGamesSchema, "far/g.db");
  for (int i = 0; i < 5; ++i) play("h" + std::to_string(i), 3, "far/g.db");
  copy();
  poll();
  EXPECT_EQ(journal_.taken.size(), 10u);
}

TEST_F(CopiedSource, games_that_were_finished_meanwhile_are_taken) {
  write("INSERT INTO games VALUES ('slow', 'hex8', 2, NULL, NULL, NULL)", "far/g.db");
  copy();
  EXPECT_EQ(poll().open_units, 1u);
  write("UPDATE games SET completed_at = 'now' WHERE game_id = 'slow'", "far/g.db");
  copy();
  EXPECT_EQ(poll().open_units, 0u);
  EXPECT_EQ(journal_.keys_taken(), (std::vector<std::string>{"games:slow"}));
}

}  // namespace
}  // namespace syncline::collections::sqlite
