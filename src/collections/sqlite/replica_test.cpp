#include "collections/sqlite/replica.hpp"

#include <gtest/gtest.h>

#include "collections/sqlite/replica_test_support.hpp"

namespace syncline::collections::sqlite {
namespace {

using namespace testing;  // NOLINT: a test's own vocabulary

const reconcile::Schema kGames = games_schema();

TEST(Replica, a_merged_game_is_there_with_all_its_rows_and_is_given_back_as_it_came) {
  const Folder folder;
  const std::string path = folder.path + "/games.db";
  const auto sent = batch("a", 1, game("g1", 40), kGames);
  {
    const auto replica = open(collection(path));
    EXPECT_EQ(merge(*replica, sent).merged, 1u);
    EXPECT_EQ(replica->units(), 1u);
  }
  EXPECT_EQ(count(path, "games"), 1);
  EXPECT_EQ(count(path, "game_moves"), 40);
  EXPECT_EQ(ask(path, "PRAGMA foreign_key_check"), std::vector<std::string>{});
  const auto replica = open(collection(path));
  EXPECT_EQ(to_string(replica->merged_all().at(log_of("a"))), "1");
  const auto back = replica->read(log_of("a"), SeqSet::up_to(9), 1 << 20);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, *sent);
  EXPECT_EQ(count(path, "syncline_kept"), 0) << "the rows themselves are the content";
}

TEST(Replica, a_record_counts_once_however_often_it_comes) {
  const Folder folder;
  const auto replica = open(collection(folder.path + "/games.db"));
  const auto one = batch("a", 1, game("g1", 3), kGames);
  EXPECT_EQ(merge(*replica, {one, one}).repeated, 1u);
  EXPECT_EQ(merge(*replica, one).repeated, 1u);
  EXPECT_EQ(replica->units(), 1u);
  EXPECT_EQ(count(folder.path + "/games.db", "game_moves"), 3);
}

TEST(Replica, versions_of_two_origins_become_one_game_whatever_the_order) {
  const Folder folder;
  const auto older = batch("a", 1, game("g1", 3, 1), kGames, 10);
  const auto newer = batch("b", 7, game("g1", 2, 2), kGames, 20);
  const auto one = open(collection(folder.path + "/one.db"));
  const auto two = open(collection(folder.path + "/two.db"));
  merge(*one, older);
  merge(*one, newer);
  merge(*two, newer);
  merge(*two, older);
  EXPECT_EQ(dump(folder.path + "/one.db"), dump(folder.path + "/two.db"));
  EXPECT_EQ(one->fingerprint(), two->fingerprint());
  EXPECT_EQ(count(folder.path + "/one.db", "game_moves"), 3) << "a row that is missing later stays";
  EXPECT_EQ(ask(folder.path + "/one.db", "SELECT winner FROM games"),
            std::vector<std::string>{"2"});
  for (const auto& sent : {older, newer}) {
    EXPECT_EQ(*one->read(sent->log, SeqSet::up_to(9), 1 << 20), *sent) << "both contribute";
  }
}

TEST(Replica, a_version_that_is_covered_leaves_only_its_name) {
  const Folder folder;
  const auto replica = open(collection(folder.path + "/games.db"));
  const auto older = batch("a", 1, game("g1", 3, 1), kGames, 10);
  const auto newer = batch("a", 2, game("g1", 3, 2), kGames, 20);
  merge(*replica, older);
  merge(*replica, newer);
  const auto back = *replica->read(log_of("a"), SeqSet::up_to(9), 1 << 20);
  ASSERT_EQ(back.records.size(), 2u);
  EXPECT_TRUE(back.records[0].is_superseded());
  EXPECT_EQ(back.records[0].unit.hash, older->records[0].unit.hash);
  EXPECT_EQ(back.records[1], newer->records[0]);
  EXPECT_EQ(count(folder.path + "/games.db", "syncline_kept"), 0);

  // Another node notes the name as held, and gets the rows from the version that covers it.
  const auto other = open(collection(folder.path + "/other.db"));
  EXPECT_EQ(merge(*other, std::make_shared<core::RecordBatch>(back)).merged, 2u);
  EXPECT_EQ(other->fingerprint(), replica->fingerprint());
  EXPECT_EQ(*other->read(log_of("a"), SeqSet::up_to(9), 1 << 20), back);
}

}  // namespace
}  // namespace syncline::collections::sqlite
