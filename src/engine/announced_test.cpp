#include "engine/announced.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace syncline::engine {
namespace {

TEST(Announced, finds_the_file_whatever_way_a_program_writes_its_name) {
  struct Case {
    const char* what;
    const char* name;
  };
  const Case cases[] = {
      {"below the root", "hex8/m.pth"},
      {"with a dot before", "./hex8/m.pth"},
      {"below the folder above", "models/hex8/m.pth"},
      {"absolute, on this machine", "/data/models/hex8/m.pth"},
      {"absolute, on another machine", "/home/u/project/models/hex8/m.pth"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const auto paths = paths_of(c.name, "/data/models");
    EXPECT_NE(std::find(paths.begin(), paths.end(), "hex8/m.pth"), paths.end());
  }
}

TEST(Announced, prefers_the_place_that_the_name_says_over_the_bare_file_name) {
  EXPECT_EQ(paths_of("hex8/m.pth", "/data/models"),
            (std::vector<std::string>{"hex8/m.pth", "m.pth"}));
  EXPECT_EQ(paths_of("/data/models/m.pth", "/data/models"), (std::vector<std::string>{"m.pth"}));
}

TEST(Announced, makes_nothing_of_a_name_that_names_no_file) {
  EXPECT_TRUE(paths_of("", "/data/models").empty());
  EXPECT_TRUE(paths_of("/", "/data/models").empty());
}

}  // namespace
}  // namespace syncline::engine
