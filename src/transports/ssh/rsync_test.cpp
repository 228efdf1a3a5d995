#include "transports/ssh/rsync.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "transports/ssh/login.hpp"

namespace syncline::transports::ssh {
namespace {

using core::ErrorKind;

TEST(RsyncOutput, reads_progress_in_pieces_and_the_statistics) {
  RsyncOutput output;
  EXPECT_FALSE(output.take("\r     3276"));
  EXPECT_TRUE(output.take("8   0%    0.00kB/s    0:00:00 \r"));
  EXPECT_EQ(output.bytes_present(), 32768u);
  EXPECT_TRUE(output.take("  1048576  50%   10.00MB/s    0:00:00 (xfr#1, to-chk=0/1)\n"));
  EXPECT_FALSE(output.take("\nNumber of files: 1 (reg: 1)\n"));
  output.take("Number of regular files transferred: 1\nTotal bytes sent: 35\n");
  output.take("Total bytes received: 1048900\n");
  EXPECT_EQ(output.bytes_present(), 1048576u);
  EXPECT_EQ(output.files_transferred(), 1u);
  EXPECT_EQ(output.wire_bytes(Direction::kFetch), 1048900u);
  EXPECT_EQ(output.wire_bytes(Direction::kPush), 35u);
}

TEST(RsyncOutput, does_not_grow_with_a_line_that_never_ends) {
  RsyncOutput output;
  for (int i = 0; i < 1000; ++i) output.take(std::string(1000, '9'));
  output.take("\n7 1%\n");
  EXPECT_EQ(output.bytes_present(), 7u);
}

TEST(RsyncArguments, limit_the_size_and_the_rate_and_end_the_options_before_the_names) {
  RsyncRequest request;
  request.ssh = {"/usr/bin/ssh", "-F", "/state/it's here/a.conf"};
  request.local_path = "/stage/x";
  request.remote_path = "/far/a[1].db";
  request.size_bytes = 5;
  request.bandwidth_mbps = 1.024;
  const auto argv = rsync_arguments(request, true);
  const auto has = [&](const std::string& word) {
    return std::find(argv.begin(), argv.end(), word) != argv.end();
  };
  EXPECT_TRUE(has("--max-size=5b"));
  EXPECT_TRUE(has("--min-size=5b"));
  EXPECT_TRUE(has("--bwlimit=1000.000"));
  EXPECT_TRUE(has("--no-whole-file"));
  EXPECT_TRUE(has("'/usr/bin/ssh' '-F' '/state/it''s here/a.conf'"));
  ASSERT_GE(argv.size(), 3u);
  EXPECT_EQ(argv[argv.size() - 3], "--");
  EXPECT_EQ(argv[argv.size() - 2], "peer:/far/a\\[1].db");
  EXPECT_EQ(argv.back(), "/stage/x");
}

TEST(Explain, tells_what_to_do_and_what_kind_it_is) {
  const auto kind = [](int code, const char* errors) {
    return explain(code, errors, "n1", "/p").kind;
  };
  EXPECT_EQ(kind(255, "ssh: connect to host x port 22: No route to host"), ErrorKind::kUnreachable);
  EXPECT_EQ(kind(255, "root@x: Permission denied (publickey)."), ErrorKind::kInvalid);
  EXPECT_EQ(kind(23, "rsync: [sender] link_stat \"/p\" failed: No such file or directory (2)"),
            ErrorKind::kMissing);
  EXPECT_EQ(kind(23, "rsync: send_files failed to open \"/p\": Permission denied (13)"),
            ErrorKind::kInvalid);
  EXPECT_EQ(kind(11, "rsync: write failed on \"/p\": No space left on device (28)"),
            ErrorKind::kExhausted);
  EXPECT_EQ(kind(12, "rsync error: error in rsync protocol data stream (code 12)"),
            ErrorKind::kUnreachable);
  EXPECT_NE(explain(23, "…failed: Permission denied (13)", "n1", "/p").what.find("permissions"),
            std::string::npos);
  EXPECT_NE(explain(99, "first\nodd thing\n", "n1", "/p").what.find("odd thing"),
            std::string::npos);
}

TEST(SshConfig, keeps_percent_signs_and_spaces_of_paths) {
  SshEndpoint endpoint{"10.0.0.1", "me", 2222, "/k/100% mine", "/known", "/root"};
  const std::string text = ssh_config(endpoint, "/s/c");
  EXPECT_NE(text.find("IdentityFile \"/k/100%% mine\"\n"), std::string::npos);
  EXPECT_NE(text.find("StrictHostKeyChecking yes\n"), std::string::npos);
  EXPECT_NE(text.find("BatchMode yes\n"), std::string::npos);
}

TEST(ShellQuoted, holds_any_word) {
  EXPECT_EQ(shell_quoted("a'b $c"), "'a'\\''b $c'");
  EXPECT_EQ(shell_quoted(""), "''");
}

}  // namespace
}  // namespace syncline::transports::ssh
