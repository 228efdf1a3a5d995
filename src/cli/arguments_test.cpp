// What is typed, against the command table.
#include "cli/arguments.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace syncline::cli {
namespace {

ParsedLine parse(const std::string& line) {
  std::istringstream words(line);
  std::vector<std::string> list;
  for (std::string word; words >> word;) list.push_back(word);
  return parse_line(list);
}

TEST(Arguments, takes_every_argument_of_a_sync) {
  const auto parsed = parse(
      "sync games --target a --target b --exclude c --priority high --board-type hex8 "
      "--num-players 2 --prefer-ephemeral --confirm --timeout 2.5 --bandwidth-limit 10 "
      "--transport p2p --json");
  ASSERT_EQ(parsed.error, "");
  ASSERT_NE(parsed.command, nullptr);
  EXPECT_EQ(parsed.command->name, "sync");
  const Arguments& a = parsed.arguments;
  EXPECT_EQ(a.text("TYPE"), "games");
  EXPECT_EQ(a.list("--target"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(a.list("--exclude"), std::vector<std::string>{"c"});
  EXPECT_EQ(a.whole("--num-players"), 2);
  EXPECT_EQ(a.number("--timeout"), 2.5);
  EXPECT_TRUE(a.has("--confirm"));
  EXPECT_TRUE(a.has("--json"));
  EXPECT_FALSE(a.has("--explain"));
}

TEST(Arguments, an_option_does_not_swallow_what_follows_its_value) {
  const auto parsed = parse("sync --target a games");
  ASSERT_EQ(parsed.error, "");
  EXPECT_EQ(parsed.arguments.text("TYPE"), "games");
  EXPECT_EQ(parsed.arguments.list("--target"), std::vector<std::string>{"a"});
}

TEST(Arguments, common_options_stand_before_or_after_the_command) {
  EXPECT_EQ(parse("--config f status").arguments.text("--config"), "f");
  EXPECT_EQ(parse("status --config f").arguments.text("--config"), "f");
  EXPECT_EQ(parse("--json status").arguments.has("--json"), true);
  EXPECT_EQ(parse("config check x.toml").arguments.text("FILE"), "x.toml");
}

struct Mistake {
  const char* line;
  const char* complaint;
};

TEST(Arguments, names_the_nearest_thing_in_one_line) {
  const Mistake cases[] = {
      {"statsu", "unknown command 'statsu'; did you mean 'status'?"},
      {"config shwo", "unknown command 'config shwo'; did you mean 'show'?"},
      {"frobnicate", "unknown command 'frobnicate'; see 'syncline --help'"},
      {"config", "config needs one of check, show, import; see 'syncline --help'"},
      {"sync games --targte a", "sync: unknown option '--targte'; did you mean '--target'?"},
      {"sync --targte=a games", "sync: unknown option '--targte'; did you mean '--target'?"},
      {"status --bogus-thing",
       "status: unknown option '--bogus-thing'; see 'syncline status --help'"},
      {"--jsno status", "status: unknown option '--jsno'; did you mean '--json'?"},
      {"sync", "sync: TYPE is required; see 'syncline sync --help'"},
      {"sync games --priority hihg",
       "sync: --priority must be one of critical, high, normal, low, background, not 'hihg'; did "
       "you mean 'high'?"},
      {"sync games --timeout soon", "sync: --timeout must be a number, not 'soon'"},
      {"sync games --timeout -1", "sync: --timeout must be a number, not '-1'"},
      {"sync games --num-players 2.5", "sync: --num-players must be a whole number, not '2.5'"},
      {"flush --acks x", "flush: --acks must be a whole number, not 'x'"},
      {"completion csh",
       "completion: SHELL must be one of bash, zsh, fish, not 'csh'; did you mean 'zsh'?"},
      {"status now", "status: 'now' is one argument too many; see 'syncline status --help'"},
  };
  for (const Mistake& mistake : cases) {
    const auto parsed = parse(mistake.line);
    EXPECT_EQ(parsed.command, nullptr) << mistake.line;
    EXPECT_EQ(parsed.error, mistake.complaint) << mistake.line;
  }
}

TEST(Arguments, complains_about_an_option_without_its_value_or_given_twice) {
  EXPECT_NE(parse("sync games --target").error, "");
  EXPECT_NE(parse("sync games --priority low --priority high").error, "");
}

TEST(Help, exists_for_every_command_with_examples_that_parse) {
  for (const CommandSpec& command : commands()) {
    const auto help = parse(command.name + " --help");
    EXPECT_EQ(help.error, "");
    EXPECT_EQ(help.help, command_help(command)) << command.name;
    EXPECT_FALSE(command.examples.empty()) << command.name;
    for (const Example& example : command.examples) {
      EXPECT_NE(help.help.find(example.line), std::string::npos);
      // Up to what belongs to the shell.
      const std::string line = example.line.substr(0, example.line.find_first_of("|>"));
      EXPECT_EQ(parse(line).error, "") << example.line;
    }
  }
}

TEST(Help, shows_the_overview_for_nothing_and_lists_every_command) {
  const std::string overview = parse("").help;
  EXPECT_EQ(overview, parse("--help").help);
  for (const CommandSpec& command : commands()) {
    EXPECT_NE(overview.find("  " + command.name + " "), std::string::npos) << command.name;
  }
  EXPECT_NE(parse("--version").help.find("syncline "), std::string::npos);
}

TEST(CommandTable, has_no_name_twice) {
  std::set<std::string> names;
  for (const CommandSpec& command : commands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    std::set<std::string> options;
    for (const auto& option : command.options) {
      EXPECT_TRUE(options.insert(option.name).second) << command.name << " " << option.name;
    }
    EXPECT_NE(command.run, nullptr);
  }
}

}  // namespace
}  // namespace syncline::cli
