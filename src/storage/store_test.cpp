#include "storage/store.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "env/files.hpp"
#include "sqlite/database.hpp"
#include "storage/state.hpp"

namespace syncline::storage {
namespace {

using core::LogId;
using core::SeqSet;

const core::NodeId kSelf("me");
const core::CollectionName kGames("games");
const LogId kOwn{kGames, kSelf, {1}};
const LogId kForeign{kGames, core::NodeId("other"), {4}};

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/syncline-store-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

core::RecordBatchPtr batch(const LogId& log, std::uint64_t first, std::uint64_t last,
                           std::size_t bytes = 10) {
  auto out = std::make_shared<core::RecordBatch>();
  out->log = log;
  out->schemas["s1"] = "a schema";
  for (std::uint64_t seq = first; seq <= last; ++seq) {
    core::Record record;
    record.seq = {seq};
    record.unit.key = "unit-" + std::to_string(seq);
    record.unit.schema = "s1";
    record.unit.config_key = core::ConfigKey(seq % 2 == 0 ? "even" : "odd");
    record.unit.hash.bytes[0] = static_cast<std::uint8_t>(seq);
    record.unit.bytes = std::string(bytes, static_cast<char>('a' + seq % 26));
    out->records.push_back(record);
  }
  return out;
}

SeqSet range(std::uint64_t first, std::uint64_t last) {
  SeqSet out;
  out.insert(first, last);
  return out;
}

core::Status append(Store& store, core::RecordBatchPtr one) {
  return store.append(std::span(&one, 1), {});
}

std::unique_ptr<Store> open(const std::string& folder) {
  auto store = Store::open(folder, kSelf);
  EXPECT_TRUE(store.ok()) << (store.ok() ? "" : to_string(store.error()));
  return std::move(store).value();
}

TEST(Store, takes_records_again_that_it_had_to_give_up) {
  const Folder folder;
  const auto store = open(folder.path);
  ASSERT_TRUE(append(*store, batch(kForeign, 1, 4)).ok());
  ASSERT_TRUE(store->mark_merged(kForeign, range(1, 4)).ok());
  ASSERT_TRUE(store->trim(kForeign, range(1, 4)).ok());
  ASSERT_TRUE(store->forget(kForeign, range(2, 3)).ok());
  const auto state = store->logs()->at(kForeign);
  EXPECT_EQ(to_string(state.held), "1,4");
  EXPECT_EQ(to_string(state.merged), "1,4");
  ASSERT_TRUE(append(*store, batch(kForeign, 1, 4)).ok());
  EXPECT_EQ(store->read(kForeign, range(1, 4), 1 << 20)->records, batch(kForeign, 2, 3)->records)
      << "what is held already is not journalled twice";
}

TEST(Store, gives_back_after_a_restart_what_was_appended) {
  const Folder folder;
  {
    auto store = open(folder.path);
    ASSERT_TRUE(append(*store, batch(kOwn, 1, 5)).ok());
    ASSERT_TRUE(append(*store, batch(kForeign, 3, 4)).ok());
    ASSERT_TRUE(store->save_acks(kOwn, core::NodeId("p"), SeqSet::up_to(3)).ok());
    ASSERT_TRUE(store->mark_merged(kOwn, SeqSet::up_to(2)).ok());
  }
  auto store = open(folder.path);
  const auto logs = *store->logs();
  EXPECT_EQ(to_string(logs.at(kOwn).held), "1-5");
  EXPECT_EQ(to_string(logs.at(kOwn).merged), "1-2");
  EXPECT_EQ(to_string(logs.at(kForeign).held), "3-4");
  EXPECT_EQ(store->load_acks(kOwn)->at(core::NodeId("p")), SeqSet::up_to(3));
  const auto read = *store->read(kOwn, SeqSet::up_to(9), 1 << 20);
  EXPECT_EQ(read.records, batch(kOwn, 1, 5)->records);
}

TEST(Store, holds_a_record_once_however_often_it_is_appended) {
  const Folder folder;
  auto store = open(folder.path);
  ASSERT_TRUE(append(*store, batch(kForeign, 1, 3, 10)).ok());
  ASSERT_TRUE(append(*store, batch(kForeign, 2, 4, 99)).ok());
  const auto read = *store->read(kForeign, SeqSet::up_to(9), 1 << 20);
  ASSERT_EQ(read.records.size(), 4u);
  EXPECT_EQ(read.records[1].unit.bytes.size(), 10u) << "the first one stays";
}

TEST(Store, reads_in_bounded_parts_and_at_least_one_record) {
  const Folder folder;
  auto store = open(folder.path);
  ASSERT_TRUE(append(*store, batch(kOwn, 1, 9, 1000)).ok());
  EXPECT_EQ(store->read(kOwn, SeqSet::up_to(9), 3500)->records.size(), 3u);
  EXPECT_EQ(store->read(kOwn, SeqSet::up_to(9), 1)->records.size(), 1u);
}

TEST(Store, trims_payloads_and_still_knows_what_it_held) {
  const Folder folder;
  {
    auto store = open(folder.path);
    ASSERT_TRUE(append(*store, batch(kOwn, 1, 5)).ok());
    ASSERT_TRUE(store->trim(kOwn, SeqSet::up_to(4)).ok());
  }
  auto store = open(folder.path);
  EXPECT_EQ(to_string(store->logs()->at(kOwn).held), "1-5");
  EXPECT_EQ(to_string(store->logs()->at(kOwn).trimmed), "1-4");
  EXPECT_EQ(store->read(kOwn, SeqSet::up_to(9), 1 << 20)->records.size(), 1u);
  ASSERT_TRUE(append(*store, batch(kOwn, 2, 3)).ok());
  EXPECT_EQ(store->read(kOwn, SeqSet::up_to(9), 1 << 20)->records.size(), 1u);
}

TEST(Store, cursors_move_with_the_units_that_they_stand_for) {
  const Folder folder;
  auto store = open(folder.path);
  const auto units = batch(kOwn, 1, 2);
  const SourceProgress progress{kGames, {{"a.db", "cursor-1"}}};
  ASSERT_TRUE(store->append(std::span(&units, 1), std::span(&progress, 1)).ok());
  EXPECT_EQ(store->cursors(kGames)->at("a.db"), "cursor-1");
  EXPECT_EQ(store->known_unit(kGames, "unit-2")->bytes[0], 2);
  EXPECT_FALSE(store->known_unit(kGames, "unit-3").has_value());
  EXPECT_EQ(to_string(store->with_config_key(kGames, "ev*")->at(kOwn)), "2");
}

TEST(Store, notes_of_many_files_are_saved_together_and_a_file_without_any_is_forgotten) {
  const Folder folder;
  auto store = std::move(Store::open(folder.path, kSelf)).value();
  core::ObjectVersion version;
  version.size_bytes = 7;
  ASSERT_TRUE(store
                  ->save_files(kGames, std::vector<FileChange>{{"a", "stamp", version},
                                                               {"b", "stamp", std::nullopt},
                                                               {"c", std::nullopt, version}})
                  .ok());
  auto files = *store->files(kGames);
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files["a"].known, "stamp");
  EXPECT_EQ(files["a"].version, version);
  EXPECT_FALSE(files["b"].version);
  EXPECT_EQ(files["c"].known, "");
  ASSERT_TRUE(store
                  ->save_files(kGames,
                               std::vector<FileChange>{
                                   {"a", "", std::nullopt},
                                   {"b", "", std::nullopt},
                                   {"c", std::nullopt, std::optional<core::ObjectVersion>()}})
                  .ok());
  files = *store->files(kGames);
  ASSERT_EQ(files.size(), 1u) << "only `a` still has a version";
  EXPECT_EQ(files["a"].version, version);
}

TEST(Store, epochs_grow_even_when_the_clock_goes_back) {
  const Folder folder;
  EXPECT_EQ(*open(folder.path)->next_epoch(1000), 1000u);
  EXPECT_EQ(*open(folder.path)->next_epoch(5), 1001u);
}

TEST(Store, refuses_a_damaged_a_foreign_and_a_newer_database_and_changes_nothing) {
  const Folder folder;
  const std::string path = folder.path + "/syncline.db";
  std::ofstream(path) << std::string(8192, 'x');
  const auto damaged = Store::open(folder.path, kSelf);
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().kind, core::ErrorKind::kCorrupt);
  EXPECT_EQ(*env::read_file(path, 10000), std::string(8192, 'x'));
  std::filesystem::remove(path);
  { open(folder.path); }
  {
    auto db = sqlite::Database::open(path, sqlite::OpenMode::kReadWriteCreate);
    ASSERT_TRUE(db->run("PRAGMA user_version = 99").ok());
  }
  const auto newer = Store::open(folder.path, kSelf);
  ASSERT_FALSE(newer.ok());
  EXPECT_NE(newer.error().what.find("newer Syncline"), std::string::npos);
}

TEST(Store, remembers_the_nodes_that_were_removed) {
  const Folder folder;
  ASSERT_TRUE(open(folder.path)->save_removed_node(core::NodeId("gone")).ok());
  auto store = open(folder.path);
  ASSERT_TRUE(store->save_removed_node(core::NodeId("gone")).ok());
  EXPECT_EQ(*store->removed_nodes(), std::set<core::NodeId>{core::NodeId("gone")});
  EXPECT_GE(*store->next_epoch(5), 5u) << "the epoch lies beside them";
}

TEST(Store, only_lazy_commits_do_not_wait_for_the_disk) {
  const Folder folder;
  auto db = sqlite::Database::open(folder.path + "/x.db", sqlite::OpenMode::kReadWriteCreate);
  ASSERT_TRUE(
      db->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t(x)").ok());
  const auto level = [&] { return *db->ask_number("PRAGMA synchronous"); };
  constexpr std::int64_t kNormal = 1;
  constexpr std::int64_t kFull = 2;
  for (const char* statement : {"INSERT INTO t VALUES (1)", "INSERT INTO nowhere VALUES (1)"}) {
    {
      const LazyCommits lazy(*db);
      EXPECT_EQ(level(), kNormal);
      auto transaction = sqlite::Transaction::begin(*db);
      const core::Status ran = db->run(statement);
      if (ran.ok()) {
        ASSERT_TRUE(transaction->commit().ok());
      }
    }
    EXPECT_EQ(level(), kFull) << statement;
  }
}

TEST(Store, a_full_disk_is_said_and_healed_when_there_is_room_again) {
  const Folder folder;
  const std::string mount = "mount -t tmpfs -o size=2m tmpfs " + folder.path + " 2>/dev/null";
  if (std::system(mount.c_str()) != 0) GTEST_SKIP() << "needs the right to mount a tmpfs";
  {
    auto store = open(folder.path);
    ASSERT_TRUE(append(*store, batch(kOwn, 1, 3, 1000)).ok());
    std::ofstream(folder.path + "/ballast") << std::string(1500 * 1024, 'x');
    const auto full = append(*store, batch(kOwn, 4, 60, 20000));
    ASSERT_FALSE(full.ok());
    EXPECT_EQ(full.error().kind, core::ErrorKind::kExhausted) << to_string(full.error());
    EXPECT_EQ(to_string(store->logs()->at(kOwn).held), "1-3");
    EXPECT_EQ(store->read(kOwn, SeqSet::up_to(99), 1 << 20)->records.size(), 3u);
    std::filesystem::remove(folder.path + "/ballast");
    EXPECT_TRUE(append(*store, batch(kOwn, 4, 6, 1000)).ok());
  }
  EXPECT_EQ(std::system(("umount " + folder.path).c_str()), 0);
}

// A child appends and writes down what was answered; it is killed at a random moment. Whatever was
// answered must be there, and nothing torn.
TEST(Store, keeps_what_it_answered_through_kill_9_at_random_moments) {
  const char* wanted = std::getenv("SYNCLINE_KILL_ROUNDS");
  const int rounds = wanted != nullptr ? std::atoi(wanted) : 20;
  std::mt19937_64 random(7);
  const Folder folder;
  for (int round = 0; round < rounds; ++round) {
    int pipe_fds[2];
    ASSERT_EQ(::pipe(pipe_fds), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = Store::open(folder.path, kSelf);
      if (!store.ok()) ::_exit(1);
      std::uint64_t next =
          (*store)->logs()->count(kOwn) ? (*store)->logs()->at(kOwn).held.last() : 0;
      while (true) {
        const std::uint64_t last = next + 1 + next % 7;
        auto units = batch(kOwn, next + 1, last, 500);
        if (!(*store)->append(std::span(&units, 1), {}).ok()) ::_exit(1);
        next = last;
        if (::write(pipe_fds[1], &next, sizeof(next)) != sizeof(next)) ::_exit(1);
      }
    }
    ::close(pipe_fds[1]);
    ::usleep(static_cast<useconds_t>(5000 + random() % 60000));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself in round " << round;
    std::uint64_t answered = 0;
    std::uint64_t value = 0;
    while (::read(pipe_fds[0], &value, sizeof(value)) == sizeof(value)) answered = value;
    ::close(pipe_fds[0]);
    auto store = open(folder.path);
    const auto logs = *store->logs();
    const std::uint64_t held = logs.count(kOwn) ? logs.at(kOwn).held.watermark() : 0;
    ASSERT_GE(held, answered) << "round " << round;
    const auto sizes = *store->record_sizes(kOwn, SeqSet::up_to(held));
    ASSERT_EQ(sizes.size(), held) << "round " << round;
  }
}

}  // namespace
}  // namespace syncline::storage
