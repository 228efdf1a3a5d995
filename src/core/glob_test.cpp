#include <gtest/gtest.h>

#include "core/config.hpp"

namespace syncline::core {
namespace {

TEST(Glob, matches_as_gitignore_and_bash_do) {
  struct Row {
    const char* pattern;
    const char* text;
    bool expected;
  };
  const Row rows[] = {
      {"**/*.db", "a.db", true},
      {"**/*.db", "x/y/a.db", true},
      {"**/*.db", "x/y/a.db-wal", false},
      {"*.db", "x/a.db", false},
      {"*.db", "a.db", true},
      {"spot-?", "spot-1", true},
      {"spot-?", "spot-10", false},
      {"**", "any/thing", true},
      {"*", "gpu-17", true},
      {"*", "a/b", false},
      {"gpu-[0-3]", "gpu-2", true},
      {"gpu-[!0-3]", "gpu-2", false},
      {"{vast,lambda}-*", "lambda-3", true},
      {"{vast,lambda}-*", "hetzner-3", false},
      {"models/{a,b{1,2}}.pth", "models/b2.pth", true},
      {"a\\*b", "a*b", true},
      {"a\\*b", "axb", false},
      {"[", "[", true},
      {"{a", "{a", true},
      {"", "", true},
      {"", "x", false},
      {"a/**/b", "a/b", true},
      {"a/**/b", "a/x/y/b", true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(glob_matches(row.pattern, row.text), row.expected)
        << row.pattern << " ~ " << row.text;
  }
}

TEST(Glob, a_pattern_made_to_be_slow_is_not) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  EXPECT_FALSE(glob_matches(pattern + "b", std::string(200, 'a')));
}

}  // namespace
}  // namespace syncline::core
