// What people read: tables, progress, exit codes, completion scripts, the manual.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "cli/completion.hpp"
#include "cli/exit_code.hpp"
#include "cli/progress.hpp"
#include "cli/report_text.hpp"
#include "cli/spec.hpp"
#include "cli/table.hpp"

namespace syncline::cli {
namespace {

TEST(Table, aligns_columns_by_what_is_seen_not_by_bytes) {
  Table table({"NODE", "FREE"});
  table.add({Cell("ä–ö"), number("7")});
  table.add({Cell("node-12"), number("1,200")});
  table.add_note("a reason");
  EXPECT_EQ(table.text(false),
            "NODE      FREE\n"
            "ä–ö          7\n"
            "node-12  1,200\n"
            "  a reason\n");
  EXPECT_EQ(columns_of("日本"), 4u);
}

TEST(Table, paints_only_where_asked) {
  EXPECT_EQ(painted("x", Colour::kBad, false), "x");
  EXPECT_EQ(painted("x", Colour::kBad, true), "\033[31mx\033[0m");
}

TEST(Table, lets_no_name_play_tricks_on_the_terminal) {
  EXPECT_EQ(printable("a\033[2Jb\n\x7f\xc2\x9b"), "a?[2Jb???");
}

TEST(Progress, draws_a_bar_of_what_is_under_way) {
  EXPECT_EQ(bar_of(0.5, 4), "[██··]");
  EXPECT_EQ(bar_of(7, 2), "[██]");
  EXPECT_EQ(describe_transfers({}), "");
  TransferRow running;
  running.state = "running";
  running.bytes_total = 200;
  running.bytes_done = 50;
  running.rate_bytes_per_s = 10;
  TransferRow done = running;
  done.state = "done";
  EXPECT_EQ(describe_transfers({running, done}).substr(std::string("[").size() * 0, 1), "[");
  EXPECT_NE(describe_transfers({running, done})
                .find("25 %  50 bytes of 200 bytes, 10 bytes/s, 1 "
                      "transfer"),
            std::string::npos);
}

SyncResponse response_with(std::vector<const char*> outcomes, bool success = false) {
  SyncResponse response;
  response.success = success;
  for (const char* outcome : outcomes) {
    response.nodes.emplace_back();
    response.nodes.back().outcome = outcome;
  }
  return response;
}

TEST(ExitCode, tells_how_far_a_sync_came) {
  EXPECT_EQ(exit_code_of(response_with({"verified"}, true), false), 0);
  EXPECT_EQ(exit_code_of(response_with({}), false), 1);
  EXPECT_EQ(exit_code_of(response_with({"failed"}), false), 1);
  EXPECT_EQ(exit_code_of(response_with({"failed", "pending"}), false), 1);
  EXPECT_EQ(exit_code_of(response_with({"not_eligible"}), false), 1);
  EXPECT_EQ(exit_code_of(response_with({"verified", "failed"}), false), 3);
  EXPECT_EQ(exit_code_of(response_with({"verified", "pending"}), false), 3);
  EXPECT_EQ(exit_code_of(response_with({"pending", "not_eligible"}), false), 4);
}

TEST(ExitCode, of_all_is_that_of_its_parts_or_partly_done) {
  const auto all = [](std::vector<SyncResponse> parts) {
    SyncResponse response;
    response.parts = std::move(parts);
    return exit_code_of(response, false);
  };
  const auto good = response_with({"verified"}, true);
  const auto bad = response_with({"failed"});
  const auto late = response_with({"pending"});
  EXPECT_EQ(all({good, bad}), 3);
  EXPECT_EQ(all({good, late}), 3);
  EXPECT_EQ(all({bad, bad}), 1);
  EXPECT_EQ(all({late, late}), 4);
  EXPECT_EQ(all({bad, late}), 1);
}

TEST(ExitCode, tells_a_missing_daemon_from_what_a_daemon_says) {
  EXPECT_EQ(exit_code_of(Error{ErrorKind::kUnreachable, "", "", false}), 5);
  EXPECT_EQ(exit_code_of(Error{ErrorKind::kUnreachable, "", "", true}), 1);
  EXPECT_EQ(exit_code_of(Error{ErrorKind::kInvalid, "", "", true}), 2);
  EXPECT_EQ(exit_code_of(Error{ErrorKind::kMissing, "", "", true}), 2);
  EXPECT_EQ(exit_code_of(Error{ErrorKind::kDenied, "", "", true}), 1);
  EXPECT_EQ(exit_code_of(Error{ErrorKind::kCorrupt, "", "", false}), 1);
}

TEST(ReportText, says_first_whether_the_data_is_safe) {
  StatusReport status;
  status.node = "home";
  status.acks = 2;
  status.is_safe = true;
  CollectionStatus games;
  games.name = "games";
  status.collections.push_back(games);
  EXPECT_NE(text_of(status, false)
                .find("Safe: all that is known here is on disk at 2 other "
                      "failure domains."),
            std::string::npos);
  EXPECT_EQ(exit_code_of(status), 0);
  status.collections[0].pending = 3;
  status.collections[0].why = "waiting for backup-1";
  EXPECT_NE(text_of(status, false).find("On the way: 3 units are"), std::string::npos);
  EXPECT_NE(text_of(status, false).find("  waiting for backup-1\n"), std::string::npos);
  status.collections[0].is_over_target = true;
  EXPECT_NE(text_of(status, false).find("Not safe: games."), std::string::npos);
  EXPECT_EQ(exit_code_of(status), 1);
  status.collections[0].is_over_target = false;
  status.is_safe = false;
  EXPECT_EQ(exit_code_of(status), 1);
}

int shell(const std::string& command) {
  return std::system(command.c_str());
}

TEST(Completion, is_accepted_by_bash_and_completes) {
  const std::string file = testing::TempDir() + "syncline-completion.bash";
  std::ofstream(file) << bash_completion();
  const auto completes = [&](const std::string& words, int at, const std::string& wanted) {
    return shell("bash -c 'set -e; . " + file + "; COMP_WORDS=(" + words +
                 "); COMP_CWORD=" + std::to_string(at) +
                 "; _syncline; printf \"%s\\n\" \"${COMPREPLY[@]}\" | grep -qx -- " + wanted +
                 "'") == 0;
  };
  EXPECT_TRUE(completes("syncline sta", 1, "status"));
  EXPECT_TRUE(completes("syncline config \"\"", 2, "check"));
  EXPECT_TRUE(completes("syncline sync --tar", 2, "--target"));
  EXPECT_TRUE(completes("syncline sync games --priority h", 4, "high"));
  EXPECT_TRUE(completes("syncline sync ga", 2, "games"));
  EXPECT_FALSE(completes("syncline sta", 1, "sync"));
  std::remove(file.c_str());
}

TEST(Completion, mentions_every_command_and_option_for_each_shell) {
  for (const std::string& script : {bash_completion(), zsh_completion(), fish_completion()}) {
    for (const CommandSpec& command : commands()) {
      const std::string last = command.name.substr(command.name.find(' ') + 1);
      EXPECT_NE(script.find(last), std::string::npos) << command.name;
      for (const auto& option : command.options) {
        EXPECT_NE(script.find(option.name.substr(2)), std::string::npos) << option.name;
      }
    }
  }
}

TEST(Manual, has_every_command_and_no_line_that_troff_would_eat) {
  const std::string manual = manual_page();
  for (const CommandSpec& command : commands()) {
    std::string name = command.name;
    for (std::size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2) {
      name.replace(at, 1, "\\-");
    }
    EXPECT_NE(manual.find(".SS syncline " + name), std::string::npos) << name;
  }
  EXPECT_EQ(manual.find("\n'"), std::string::npos);
}

}  // namespace
}  // namespace syncline::cli
