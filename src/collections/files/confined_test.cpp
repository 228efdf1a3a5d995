#include "collections/files/confined.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "collections/files/files_test_support.hpp"

namespace syncline::collections::files {
namespace {

using std::string_literals::operator""s;

TEST(Paths, those_that_lead_astray_are_refused) {
  for (const std::string& path :
       {""s, "/etc/passwd"s, ".."s, "../x"s, "a/../../x"s, "a/./b"s, "a//b"s, "a/"s, "."s, "a\0b"s,
        ".syncline"s, ".syncline/staging/x"s, "\xff"s, "a/\xc0\xaf/b"s, std::string(4000, 'a'),
        std::string(256, 'a')}) {
    const auto status = check_path(path);
    ASSERT_FALSE(status.ok()) << path;
    EXPECT_EQ(status.error().kind, core::ErrorKind::kInvalid);
  }
}

TEST(Paths, ordinary_and_odd_but_harmless_ones_are_accepted) {
  for (const std::string& path : {"a"s, "a/b.pth"s, "..a"s, "a..b/c"s, "…/ü b"s, "a/.syncline"s,
                                  ".hidden"s, "-rf"s, "a\nb"s, std::string(255, 'a')}) {
    EXPECT_TRUE(check_path(path).ok()) << path;
  }
}

RC_GTEST_PROP(Paths, an_accepted_path_has_no_part_that_could_climb, (const std::string& path)) {
  if (!check_path(path).ok()) return;
  RC_ASSERT(path.front() != '/');
  RC_ASSERT(("/" + path + "/").find("/../") == std::string::npos);
  RC_ASSERT(("/" + path + "/").find("//") == std::string::npos);
}

class ConfinedTest : public FilesTest {
 protected:
  Confined confined() { return std::move(Confined::open(config_.root)).value(); }
};

TEST_F(ConfinedTest, a_link_on_the_way_or_at_the_end_is_not_followed) {
  std::filesystem::create_directory(folder_ + "/outside");
  std::ofstream(folder_ + "/outside/secret") << "s";
  std::filesystem::create_directory_symlink("../outside", at("way"));
  std::filesystem::create_symlink("../outside/secret", at("end"));
  put("inside/file", "x");
  std::filesystem::create_directory_symlink("inside", at("within"));
  const Confined root = confined();
  for (const char* path : {"way/secret", "end", "within/file"}) {
    const auto file = root.open_file(path, O_RDONLY);
    ASSERT_FALSE(file.ok()) << path;
    EXPECT_EQ(file.error().kind, core::ErrorKind::kInvalid) << path;
  }
  EXPECT_FALSE(root.open_file("way/new", O_WRONLY | O_CREAT, 0600).ok());
  EXPECT_FALSE(root.make_folder("way/new").ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/outside/new"));
}

TEST_F(ConfinedTest, the_root_itself_may_be_reached_through_a_link) {
  put("file", "x");
  std::filesystem::create_directory_symlink(config_.root, folder_ + "/alias");
  EXPECT_TRUE(Confined::open(folder_ + "/alias")->open_file("file", O_RDONLY).ok());
}

TEST_F(ConfinedTest, makes_folders_on_the_way_and_finds_them_again) {
  const Confined root = confined();
  EXPECT_TRUE(root.make_folder("a/b/c").ok());
  EXPECT_TRUE(root.make_folder("a/b/c").ok());
  EXPECT_TRUE(std::filesystem::is_directory(at("a/b/c")));
  put("file", "x");
  EXPECT_EQ(root.make_folder("file/x").error().kind, core::ErrorKind::kInvalid);
}

TEST_F(ConfinedTest, says_what_is_missing) {
  const Confined root = confined();
  EXPECT_EQ(root.open_file("nothing", O_RDONLY).error().kind, core::ErrorKind::kMissing);
  EXPECT_FALSE(root.look("nothing/at/all")->has_value());
  EXPECT_EQ(Confined::open(folder_ + "/none").error().kind, core::ErrorKind::kMissing);
}

}  // namespace
}  // namespace syncline::collections::files
