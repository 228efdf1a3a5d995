#include "collections/files/landing_site.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <sched.h>

#include <functional>

#include "collections/files/files_test_support.hpp"

namespace syncline::collections::files {
namespace {

using std::chrono::hours;

class LandingSiteTest : public FilesTest {
 protected:
  std::unique_ptr<LandingSite> open() {
    return std::move(LandingSite::open(config_, core::NodeId("node-1"))).value();
  }
  KnownFile known(const std::string& path) const {
    struct stat info {};
    EXPECT_EQ(::stat(at(path).c_str(), &info), 0);
    KnownFile known;
    known.root = root_of(get(path));
    known.stamp.size_bytes = static_cast<std::uint64_t>(info.st_size);
    known.stamp.mtime_ns = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
    known.stamp.inode = info.st_ino;
    return known;
  }
  std::size_t staged() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& e :
         std::filesystem::directory_iterator(at(".syncline/staging"))) {
      ++count;
    }
    return count;
  }
};

TEST_F(LandingSiteTest, makes_its_folders_and_opens_twice) {
  config_.root = folder_ + "/new/root";
  EXPECT_NE(open(), nullptr);
  EXPECT_NE(open(), nullptr);
  EXPECT_TRUE(std::filesystem::is_directory(config_.root + "/.syncline/staging"));
}

TEST_F(LandingSiteTest, a_root_that_cannot_be_is_an_error) {
  std::ofstream(folder_ + "/file") << "x";
  config_.root = folder_ + "/file/root";
  EXPECT_FALSE(LandingSite::open(config_, core::NodeId("n")).ok());
}

TEST_F(LandingSiteTest, removes_the_version_it_was_told_to_and_no_other) {
  auto site = open();
  put("a", "old");
  const KnownFile old = known("a");
  put("a", "changed since");
  EXPECT_EQ(site->remove("a", old).error().kind, core::ErrorKind::kConflict);
  EXPECT_EQ(get("a"), "changed since");
  EXPECT_TRUE(site->remove("a", known("a")).ok());
  EXPECT_FALSE(exists("a"));
  EXPECT_TRUE(site->remove("a", old).ok());  // gone already
  EXPECT_FALSE(site->remove("../a", old).ok());
  EXPECT_EQ(staged(), 0u);
}

TEST_F(LandingSiteTest, sets_mode_and_time_where_the_content_is_right_already) {
  auto site = open();
  put("a", "x");
  core::ObjectVersion object;
  object.mode = 04755;
  object.mtime_ms = -1;
  const auto touched = site->touch("a", object, known("a"));
  ASSERT_TRUE(touched.ok());
  struct stat info {};
  ::stat(at("a").c_str(), &info);
  EXPECT_EQ(info.st_mode & 07777, 0755u);  // never set-uid
  EXPECT_EQ(info.st_mtim.tv_sec, -1);
  EXPECT_EQ(info.st_mtim.tv_nsec, 999'000'000);
  KnownFile other = known("a");
  other.stamp.size_bytes = 7;
  EXPECT_EQ(site->touch("a", object, other).error().kind, core::ErrorKind::kConflict);
}

TEST_F(LandingSiteTest, sweeps_what_nobody_came_back_for_and_never_a_live_one) {
  auto site = open();
  const std::string content = test_bytes(kResumeBytesMin + 1);
  auto live = std::move(site->begin(request_for("live", content))).value();
  {
    auto left = std::move(site->begin(request_for("left", content))).value();
    ASSERT_TRUE(left->write_piece(0, std::string_view(content).substr(0, kPieceBytes)).ok());
  }
  EXPECT_EQ(site->sweep(hours(24), later(23 * 3600 * 1000)).files, 0u);
  const Swept swept = site->sweep(hours(24), later(25 * 3600 * 1000));
  EXPECT_EQ(swept.files, 2u);
  EXPECT_GE(swept.bytes, kResumeBytesMin);
  EXPECT_EQ(staged(), 1u);
  write_missing(*live, content);
  EXPECT_TRUE(live->finish().ok());
}

TEST_F(LandingSiteTest, says_how_much_is_staged) {
  auto site = open();
  const std::string content = test_bytes(kResumeBytesMin);
  auto landing = std::move(site->begin(request_for("a", content))).value();
  EXPECT_GE(site->staged_bytes(), kResumeBytesMin);
  landing->discard();
  EXPECT_EQ(site->staged_bytes(), 0u);
}

TEST_F(LandingSiteTest, a_displaced_version_without_notes_is_rescued_and_reported) {
  open();
  const std::string id(32, 'a');
  std::ofstream(at(".syncline/staging/" + id + ".displaced")) << "precious";
  auto site = open();
  const Swept swept = site->sweep(hours(24), later(1000L * 3600 * 1000));
  ASSERT_EQ(swept.conflict_copies.size(), 1u);
  EXPECT_EQ(get(swept.conflict_copies[0]), "precious");
  EXPECT_TRUE(site->sweep(hours(24), later()).conflict_copies.empty());  // told once
}

// Runs `body` in a child process with a small tmpfs mounted on the root; false if that needs
// rights that this machine does not give.
bool on_small_disk(const std::string& root, const std::function<int()>& body, int& result) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_mounted =
        (::unshare(CLONE_NEWNS) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
        (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) &&
        ::mount("tmpfs", root.c_str(), "tmpfs", 0, "size=12m") == 0;
    ::_exit(is_mounted ? body() : 99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  result = WIFEXITED(status) ? WEXITSTATUS(status) : 98;
  return result != 99;
}

TEST_F(LandingSiteTest, a_disk_without_room_is_a_clear_error_and_nothing_is_left) {
  const std::string content = test_bytes(80 * kPieceBytes);
  const auto body = [&]() -> int {
    auto site = open();
    const auto refused = site->begin(request_for("big", content));
    if (refused.ok() || refused.error().kind != core::ErrorKind::kExhausted) return 1;
    if (refused.error().what.find("free disk space") == std::string::npos) return 2;
    if (staged() != 0) return 3;
    // Fill the disk, then land small ones: each fails alone and cleanly, none is half there.
    std::ofstream(at("filler")) << std::string(11'900'000, 'x') << std::flush;
    int failed = 0;
    for (int i = 0; i < 8; ++i) {
      const std::string small = test_bytes(200'000, static_cast<std::uint64_t>(i));
      const std::string path = "small/" + std::to_string(i);
      auto landing = site->begin(request_for(path, small));
      core::Status status =
          landing.ok() ? landing.value()->write_piece(0, small) : core::Status(landing.error());
      if (status.ok()) {
        auto landed = landing.value()->finish();
        status = landed.ok() ? core::Status() : core::Status(landed.error());
      }
      if (!status.ok()) {
        ++failed;
        if (status.error().kind != core::ErrorKind::kExhausted) return 4;
        if (exists(path)) return 5;
      } else if (get(path) != small) {
        return 6;
      }
    }
    if (failed == 0) return 7;
    if (staged() != 0) return 8;
    // Room again: the same landing succeeds.
    std::filesystem::remove(at("filler"));
    auto landing = std::move(site->begin(request_for("small/9", "x"))).value();
    write_missing(*landing, "x");
    return landing->finish().ok() ? 0 : 9;
  };
  int result = 0;
  if (!on_small_disk(config_.root, body, result)) GTEST_SKIP() << "no right to mount a tmpfs";
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace syncline::collections::files
