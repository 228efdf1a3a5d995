#include "env/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace syncline::env {
namespace {

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/syncline-files-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

TEST(Files, replaces_a_file_whole_and_leaves_nothing_beside_it) {
  const Folder folder;
  const std::string path = folder.path + "/a";
  ASSERT_TRUE(write_file_atomic(path, "one", 0600).ok());
  ASSERT_TRUE(write_file_atomic(path, "two", 0640).ok());
  EXPECT_EQ(*read_file(path, 100), "two");
  EXPECT_EQ(*mode_of(path), 0640u);
  int entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path)) {
    (void)entry;
    ++entries;
  }
  EXPECT_EQ(entries, 1);
}

TEST(Files, creates_but_never_replaces_when_asked_so) {
  const Folder folder;
  const std::string path = folder.path + "/a";
  ASSERT_TRUE(create_file_atomic(path, "one", 0600).ok());
  const auto again = create_file_atomic(path, "two", 0600);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind, core::ErrorKind::kConflict);
  EXPECT_EQ(*read_file(path, 100), "one");
}

TEST(Files, refuses_to_read_more_than_its_bound) {
  const Folder folder;
  ASSERT_TRUE(write_file_atomic(folder.path + "/a", std::string(1000, 'x'), 0600).ok());
  EXPECT_FALSE(read_file(folder.path + "/a", 999).ok());
  EXPECT_TRUE(read_file(folder.path + "/a", 1000).ok());
}

TEST(Files, tells_what_is_missing_from_what_is_forbidden) {
  EXPECT_EQ(read_file("/nonexistent/x", 10).error().kind, core::ErrorKind::kMissing);
}

TEST(Files, a_lock_is_held_by_one) {
  const Folder folder;
  auto first = FileLock::take(folder.path + "/lock");
  ASSERT_TRUE(first.ok());
  const auto second = FileLock::take(folder.path + "/lock");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, core::ErrorKind::kConflict);
  { const FileLock gone = std::move(first).value(); }
  EXPECT_TRUE(FileLock::take(folder.path + "/lock").ok());
}

TEST(Files, a_full_disk_leaves_the_old_file) {
  const Folder folder;
  const std::string mount = "mount -t tmpfs -o size=64k tmpfs " + folder.path + " 2>/dev/null";
  if (std::system(mount.c_str()) != 0) GTEST_SKIP() << "needs the right to mount a tmpfs";
  ASSERT_TRUE(write_file_atomic(folder.path + "/a", "old", 0600).ok());
  const auto full = write_file_atomic(folder.path + "/a", std::string(1 << 20, 'x'), 0600);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().kind, core::ErrorKind::kExhausted);
  EXPECT_EQ(*read_file(folder.path + "/a", 100), "old");
  EXPECT_TRUE(write_file_atomic(folder.path + "/a", "new", 0600).ok());
  ASSERT_EQ(std::system(("umount " + folder.path).c_str()), 0);
}

}  // namespace
}  // namespace syncline::env
