#include "env/watch.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace syncline::env {
namespace {

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/syncline-watch-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

void touch(const std::string& path) {
  std::ofstream(path) << "x";
}

bool told_of(Watch& watch, const std::string& path) {
  for (int i = 0; i < 20; ++i) {
    pollfd ready{watch.fd(), POLLIN, 0};
    ::poll(&ready, 1, 100);
    for (const FileChange& change : watch.read_changes()) {
      if (change.path == path) return true;
    }
  }
  return false;
}

TEST(Watch, tells_of_changes_in_folders_that_came_later) {
  const Folder folder;
  std::filesystem::create_directories(folder.path + "/old");
  auto watch = Watch::open();
  ASSERT_TRUE(watch.ok());
  ASSERT_TRUE(watch->add_root(folder.path).ok());
  touch(folder.path + "/old/a.db-wal");
  EXPECT_TRUE(told_of(*watch, "old/a.db-wal"));
  std::filesystem::create_directories(folder.path + "/new/deep");
  EXPECT_TRUE(told_of(*watch, "new"));
  touch(folder.path + "/new/deep/b.db");
  EXPECT_TRUE(told_of(*watch, "new/deep/b.db"));
}

TEST(Watch, does_not_follow_links_out_of_the_root) {
  const Folder folder;
  const Folder outside;
  std::filesystem::create_directory_symlink(outside.path, folder.path + "/link");
  auto watch = Watch::open();
  ASSERT_TRUE(watch.ok());
  ASSERT_TRUE(watch->add_root(folder.path).ok());
  touch(outside.path + "/x");
  touch(folder.path + "/y");
  EXPECT_TRUE(told_of(*watch, "y"));
  for (const FileChange& change : watch->read_changes()) EXPECT_NE(change.path, "link/x");
}

TEST(Watch, says_so_when_there_is_no_such_folder) {
  auto watch = Watch::open();
  ASSERT_TRUE(watch.ok());
  EXPECT_EQ(watch->add_root("/nonexistent").error().kind, core::ErrorKind::kMissing);
}

}  // namespace
}  // namespace syncline::env
