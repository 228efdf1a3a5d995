#include "transports/ssh/remote.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sqlite3.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "transports/ssh/ssh_test_support.hpp"
#include "transports/test_destination.hpp"

namespace syncline::transports::ssh {
namespace {

using core::ErrorKind;

constexpr transfer::Times kTimes{core::seconds(10), core::seconds(30), 1};

class Database {
 public:
  explicit Database(const std::string& path) {
    SYNCLINE_CHECK(sqlite3_open(path.c_str(), &handle_) == SQLITE_OK, path);
    sqlite3_busy_timeout(handle_, 10'000);
  }
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  bool run(const std::string& sql) {
    return sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  std::string ask(const std::string& sql) {
    std::string answer = "?";
    sqlite3_exec(
        handle_, sql.c_str(),
        [](void* to, int, char** values, char**) {
          *static_cast<std::string*>(to) = values[0] != nullptr ? values[0] : "NULL";
          return 0;
        },
        &answer, nullptr);
    return answer;
  }

 private:
  sqlite3* handle_ = nullptr;
};

class RemoteTest : public testing::Test {
 protected:
  RemoteTest() : logins_(sshd_.folder() + "/ssh"), temporary_(sshd_.folder() + "/tmp there") {
    std::filesystem::create_directories(temporary_);
  }
  Remote remote() {
    return Remote(logins_, core::NodeId("far"), sshd_.endpoint(), kTimes, temporary_);
  }
  std::string there(const std::string& path) const { return sshd_.root() + "/" + path; }
  std::string here(const std::string& name) const { return sshd_.folder() + "/here-" + name; }
  bool is_clean_there() {
    return comes_true([&] { return std::filesystem::is_empty(temporary_); });
  }

  Sshd sshd_;
  Logins logins_;
  std::string temporary_;
};

TEST_F(RemoteTest, lists_files_of_every_name_with_sizes_and_times) {
  const std::vector<std::string> names = {"a b/c.db", "two\nlines", "-x", "tab\there", "*[1]"};
  for (const std::string& name : names) write_file(there(name), name);
  write_file(there(".syncline-push-0123"), "left over");
  std::filesystem::create_symlink("/etc/passwd", there("link"));
  const auto listed = remote().list({}, {});
  ASSERT_TRUE(listed.ok()) << core::to_string(listed.error());
  ASSERT_EQ(listed->size(), names.size());
  for (const RemoteFile& file : *listed) {
    EXPECT_NE(std::find(names.begin(), names.end(), file.path), names.end()) << file.path;
    EXPECT_EQ(file.size_bytes, file.path.size());
    struct stat about {};
    ASSERT_EQ(::stat(there(file.path).c_str(), &about), 0);
    EXPECT_NEAR(static_cast<double>(file.mtime_ms),
                static_cast<double>(about.st_mtim.tv_sec) * 1000 +
                    static_cast<double>(about.st_mtim.tv_nsec) / 1e6,
                1.0);
  }
}

TEST_F(RemoteTest, a_list_is_bounded_and_a_missing_root_is_an_error) {
  for (int i = 0; i < 20; ++i) write_file(there(std::to_string(i)), "");
  ListLimits few;
  few.files_max = 19;
  EXPECT_EQ(remote().list(few, {}).error().kind, ErrorKind::kExhausted);
  SshEndpoint elsewhere = sshd_.endpoint();
  elsewhere.root = "/no/such/root";
  Remote gone(logins_, core::NodeId("far"), elsewhere, kTimes);
  EXPECT_FALSE(gone.list({}, {}).ok());
}

TEST_F(RemoteTest, fetches_a_file_and_then_only_what_changed) {
  std::string content = test_bytes(4u << 20);
  write_file(there("big file"), content);
  ASSERT_TRUE(remote().fetch_file("big file", here("big"), {}).ok());
  EXPECT_TRUE(file_content(here("big")) == content);
  content[2'000'000] ^= 1;
  write_file(there("big file"), content);
  const auto again = remote().fetch_file("big file", here("big"), {});
  ASSERT_TRUE(again.ok()) << core::to_string(again.error());
  EXPECT_TRUE(file_content(here("big")) == content);
  EXPECT_LT(*again, 300'000u);
  EXPECT_EQ(remote().fetch_file("none", here("none"), {}).error().kind, ErrorKind::kMissing);
  EXPECT_EQ(remote().fetch_file("../x", here("x"), {}).error().kind, ErrorKind::kInvalid);
}

TEST_F(RemoteTest, pushes_a_file_whole_into_new_folders_and_leaves_nothing_beside_it) {
  const TestObject object = test_object(test_bytes(3u << 20));
  write_file(here("model"), object.content);
  for (const std::string path : {"new folder/sub/it's.pth", "-rf", "a[1]\\*", "two\nlines"}) {
    const auto pushed = remote().push_file(here("model"), path, object.object.root, {});
    ASSERT_TRUE(pushed.ok()) << core::to_string(pushed.error());
    EXPECT_TRUE(file_content(there(path)) == object.content) << path;
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(sshd_.root())) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 4u);
  std::filesystem::create_directories(there("folder"));
  EXPECT_EQ(remote().push_file(here("model"), "folder", object.object.root, {}).error().kind,
            ErrorKind::kConflict);
}

TEST_F(RemoteTest, a_push_that_broke_goes_on_and_readers_see_the_old_version_until_the_end) {
  const TestObject object = test_object(test_bytes(32u << 20));
  write_file(here("model"), object.content);
  write_file(there("model"), "the old version");
  RemoteCall slow;
  slow.bandwidth_mbps = 8;
  slow.cancel_fd = ::eventfd(0, EFD_CLOEXEC);
  slow.progress = [&](std::uint64_t bytes) {
    if (bytes > (6u << 20)) ::eventfd_write(slow.cancel_fd, 1);
  };
  const auto broken = remote().push_file(here("model"), "model", object.object.root, slow);
  ::close(slow.cancel_fd);
  ASSERT_EQ(broken.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(file_content(there("model")), "the old version");
  const auto pushed = remote().push_file(here("model"), "model", object.object.root, {});
  ASSERT_TRUE(pushed.ok()) << core::to_string(pushed.error());
  EXPECT_LT(*pushed, object.content.size() - (4u << 20));
  EXPECT_TRUE(file_content(there("model")) == object.content);
}

TEST_F(RemoteTest, copies_a_database_that_is_being_written_consistently) {
  for (const std::string mode : {"wal", "delete"}) {
    SCOPED_TRACE(mode);
    const std::string path = "games of " + mode + "'s.db";
    Database live(there(path));
    ASSERT_TRUE(live.run("PRAGMA journal_mode=" + mode +
                         ";PRAGMA synchronous=OFF;"
                         "CREATE TABLE a(x, y); CREATE TABLE b(x);"
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 2000)"
                         "INSERT INTO a SELECT i, randomblob(500) FROM n;"
                         "INSERT INTO b SELECT x FROM a;"));
    std::atomic<bool> is_over{false};
    std::atomic<int> written{0};
    std::thread writer([&] {
      Database other(there(path));
      for (int i = 0; !is_over; ++i) {
        if (other.run("BEGIN IMMEDIATE; INSERT INTO a VALUES(1, 'new'); INSERT INTO b VALUES(1);"
                      "COMMIT;")) {
          ++written;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    });
    EXPECT_TRUE(comes_true([&] { return written > 0; }));
    const auto copied = remote().snapshot_database(path, here(mode), {});
    is_over = true;
    writer.join();
    ASSERT_TRUE(copied.ok()) << core::to_string(copied.error());
    Database copy(here(mode));
    EXPECT_EQ(copy.ask("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(copy.ask("SELECT (SELECT count(*) FROM a) - (SELECT count(*) FROM b)"), "0");
    EXPECT_GE(std::stoi(copy.ask("SELECT count(*) FROM a")), 2001);
    EXPECT_TRUE(is_clean_there());
  }
}

TEST_F(RemoteTest, a_second_snapshot_sends_only_what_changed) {
  Database live(there("games.db"));
  ASSERT_TRUE(
      live.run("PRAGMA journal_mode=wal; CREATE TABLE a(x, y);"
               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 4000)"
               "INSERT INTO a SELECT i, randomblob(1000) FROM n;"));
  ASSERT_TRUE(remote().snapshot_database("games.db", here("copy"), {}).ok());
  ASSERT_TRUE(live.run("INSERT INTO a VALUES(0, 'one more')"));
  const auto second = remote().snapshot_database("games.db", here("copy"), {});
  ASSERT_TRUE(second.ok()) << core::to_string(second.error());
  EXPECT_LT(*second, 500'000u);
  EXPECT_EQ(Database(here("copy")).ask("SELECT count(*) FROM a"), "4001");
}

TEST_F(RemoteTest, removes_its_copy_over_there_when_it_is_cancelled_or_the_connection_breaks) {
  Database live(there("games.db"));
  ASSERT_TRUE(
      live.run("CREATE TABLE a(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 "
               "FROM n LIMIT 20000) INSERT INTO a SELECT randomblob(1000) FROM n;"));
  RemoteCall slow;
  slow.bandwidth_mbps = 2;
  slow.cancel_fd = ::eventfd(0, EFD_CLOEXEC);
  bool was_there = false;
  slow.progress = [&](std::uint64_t) {
    was_there = was_there || !std::filesystem::is_empty(temporary_);
    ::eventfd_write(slow.cancel_fd, 1);
  };
  EXPECT_EQ(remote().snapshot_database("games.db", here("copy"), slow).error().kind,
            ErrorKind::kCancelled);
  ::close(slow.cancel_fd);
  EXPECT_TRUE(was_there);
  EXPECT_TRUE(is_clean_there());

  // The connection: its master is ended while the copy is on its way.
  slow.cancel_fd = -1;
  bool is_broken = false;
  slow.progress = [&](std::uint64_t) {
    if (!is_broken) logins_.close();
    is_broken = true;
  };
  EXPECT_FALSE(remote().snapshot_database("games.db", here("copy"), slow).ok());
  EXPECT_TRUE(is_broken);
  EXPECT_TRUE(is_clean_there());
}

TEST_F(RemoteTest, refuses_a_database_with_the_reason) {
  EXPECT_EQ(remote().snapshot_database("none.db", here("x"), {}).error().kind, ErrorKind::kMissing);
  write_file(there("text.db"), std::string(5000, 'x'));
  const auto text = remote().snapshot_database("text.db", here("x"), {});
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(text.error().what.find("not a database"), std::string::npos) << text.error().what;
  EXPECT_TRUE(is_clean_there());
}

TEST_F(RemoteTest, says_that_there_is_no_sqlite3) {
  const std::string tools = sshd_.folder() + "/tools";
  std::filesystem::create_directories(tools);
  for (const char* tool : {"sh", "find", "id", "mktemp", "rm", "cat", "sleep"}) {
    std::filesystem::create_symlink(env::find_program(tool), tools + "/" + tool);
  }
  Sshd bare(tools);
  write_file(bare.root() + "/games.db", "x");
  Remote far(logins_, core::NodeId("bare"), bare.endpoint(), kTimes, temporary_);
  const auto refused = far.snapshot_database("games.db", here("x"), {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(refused.error().what.find("bare has no sqlite3"), std::string::npos)
      << refused.error().what;
}

TEST(ListOutput, reads_entries_cut_anywhere_and_refuses_what_is_none) {
  const std::string text(
      "12\t1700000000.5\ta\tb\nc\0"
      "0\t-1.25\tx\0",
      32);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    ListOutput output{{}};
    ASSERT_TRUE(output.take(text.substr(0, cut)).ok());
    ASSERT_TRUE(output.take(text.substr(cut)).ok());
    const auto files = output.finish();
    ASSERT_TRUE(files.ok());
    EXPECT_EQ(*files, (std::vector<RemoteFile>{{"a\tb\nc", 12, 1700000000500}, {"x", 0, -1250}}));
  }
  for (const std::string bad : {"12\t3\t/etc", "12\t3\t../x", "x\t3\ta", "12\ta", "12\t1e99\ta"}) {
    ListOutput output{{}};
    EXPECT_FALSE(output.take(bad + '\0').ok()) << bad;
  }
  ListOutput cut{{}};
  ASSERT_TRUE(cut.take("12\t3\ta").ok());
  EXPECT_FALSE(cut.finish().ok());
}

RC_GTEST_PROP(ListOutput, never_fails_otherwise_than_by_an_error, (const std::string& bytes)) {
  ListOutput output{{100, 10'000}};
  if (output.take(bytes).ok()) (void)output.finish();
}

}  // namespace
}  // namespace syncline::transports::ssh
