#include "env/subprocess.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "env/files.hpp"

namespace syncline::env {
namespace {

Command command(std::vector<std::string> argv) {
  Command made;
  made.argv = std::move(argv);
  return made;
}

Finished run_to_end(std::vector<std::string> argv, std::string_view input = "") {
  const auto finished = run(command(std::move(argv)), input, RunLimits{});
  EXPECT_TRUE(finished.ok()) << core::to_string(finished.error());
  return finished.ok() ? *finished : Finished{};
}

bool is_alive(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  return !text.empty() && text.substr(text.rfind(')') + 2, 1) != "Z";
}

// A condition awaited, with an end that only a failure reaches.
template <typename Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 2000 && !condition(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

int number_in(const std::string& path) {
  int number = 0;
  comes_true([&] { return static_cast<bool>(std::ifstream(path) >> number); });
  return number;
}

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/syncline-subprocess-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

TEST(Subprocess, hands_over_each_argument_as_it_is) {
  const std::vector<std::string> odd = {"a b", "'\"", "$(id)", "*", "-x", "two\nlines", ""};
  std::vector<std::string> argv = {"printf", "%s|"};
  argv.insert(argv.end(), odd.begin(), odd.end());
  std::string expected;
  for (const std::string& one : odd) expected += one + "|";
  EXPECT_EQ(run_to_end(argv).output, expected);
}

TEST(Subprocess, feeds_and_collects_more_than_pipes_hold) {
  std::string input;
  for (int i = 0; i < 200'000; ++i) input += static_cast<char>('a' + i % 26);
  EXPECT_EQ(run_to_end({"cat"}, input).output, input);
}

TEST(Subprocess, outlives_a_program_that_does_not_read_its_input) {
  EXPECT_EQ(run_to_end({"true"}, std::string(1 << 20, 'x')).exit_code, 0);
}

TEST(Subprocess, tells_exit_codes_and_signals) {
  EXPECT_EQ(run_to_end({"sh", "-c", "echo no >&2; exit 7"}).exit_code, 7);
  EXPECT_EQ(run_to_end({"sh", "-c", "echo no >&2; exit 7"}).errors, "no\n");
  EXPECT_EQ(run_to_end({"sh", "-c", "kill -9 $$"}).exit_code, 128 + SIGKILL);
}

TEST(Subprocess, a_program_that_is_not_there_is_missing) {
  EXPECT_EQ(run(command({"no-such-program"}), "", {}).error().kind, core::ErrorKind::kMissing);
  EXPECT_EQ(run(command({"/no/such/program"}), "", {}).error().kind, core::ErrorKind::kMissing);
}

TEST(Subprocess, adds_to_the_environment_and_starts_in_its_folder) {
  Command made = command({"sh", "-c", "echo $GIVEN; pwd; test -n \"$PATH\""});
  made.environment = {"GIVEN=one"};
  made.folder = "/usr";
  const auto finished = run(made, "", {});
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->output, "one\n/usr\n");
  EXPECT_EQ(finished->exit_code, 0);
}

TEST(Subprocess, lets_no_descriptor_through) {
  const int ours = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, on purpose
  const std::string listed = run_to_end({"sh", "-c", "ls /proc/$$/fd"}).output;
  ::close(ours);
  EXPECT_EQ(listed, "0\n1\n2\n");
}

TEST(Subprocess, resets_signals_that_we_ignore) {
  ::signal(SIGPIPE, SIG_IGN);
  const std::string output = run_to_end({"sh", "-c", "kill -PIPE $$; echo survived"}).output;
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(output, "");
}

TEST(Subprocess, keeps_the_end_of_the_errors_and_refuses_too_much_output) {
  RunLimits limits;
  limits.errors_bytes_max = 10;
  limits.output_bytes_max = 1000;
  const auto errors = run(command({"sh", "-c", "seq 1 5000 >&2"}), "", limits);
  ASSERT_TRUE(errors.ok());
  EXPECT_EQ(errors->errors, "4999\n5000\n");
  EXPECT_EQ(run(command({"yes"}), "", limits).error().kind, core::ErrorKind::kExhausted);
}

TEST(Subprocess, a_failing_reader_ends_the_program_and_is_the_answer) {
  const core::Error full{core::ErrorKind::kConflict, "enough", ""};
  const auto finished =
      run(command({"yes"}), "", {}, [&](std::string_view) { return core::Status(full); });
  EXPECT_EQ(finished.error(), full);
}

TEST(Subprocess, cancel_ends_the_whole_group) {
  const Folder folder;
  RunLimits limits;
  limits.cancel_fd = ::eventfd(0, EFD_CLOEXEC);
  // The grandchild ignores SIGTERM.
  const std::string script = "(trap '' TERM; sh -c 'echo $PPID' > " + folder.path +
                             "/pid; while :; do sleep 1; done) & wait";
  int grandchild = 0;
  std::thread canceller([&] {
    grandchild = number_in(folder.path + "/pid");
    ::eventfd_write(limits.cancel_fd, 1);
  });
  const auto finished = run(command({"sh", "-c", script}), "", limits);
  canceller.join();
  ::close(limits.cancel_fd);
  EXPECT_EQ(finished.error().kind, core::ErrorKind::kCancelled);
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(comes_true([&] { return !is_alive(grandchild); }));
}

TEST(Subprocess, silence_and_lateness_are_unreachable) {
  RunLimits silent;
  silent.silence_max = core::milliseconds(100);
  EXPECT_EQ(run(command({"sleep", "100"}), "", silent).error().kind, core::ErrorKind::kUnreachable);
  RunLimits late;
  late.time_max = core::milliseconds(200);
  EXPECT_EQ(
      run(command({"yes"}), "", late, [](std::string_view) { return core::Status(); }).error().kind,
      core::ErrorKind::kUnreachable);
}

TEST(Subprocess, does_not_wait_for_a_grandchild_that_holds_the_streams) {
  RunLimits limits;
  limits.time_max = core::seconds(60);
  const auto finished = run(command({"sh", "-c", "setsid sleep 300 & echo $!"}), "", limits);
  ASSERT_TRUE(finished.ok()) << core::to_string(finished.error());
  const int sleeper = std::stoi(finished->output);
  ::kill(sleeper, SIGKILL);
}

TEST(Subprocess, dies_when_we_are_killed) {
  const Folder folder;
  const pid_t parent = ::fork();
  if (parent == 0) {
    auto program = Subprocess::start(command({"sleep", "300"}));
    if (program.ok()) std::ofstream(folder.path + "/pid") << program->pid() << std::endl;
    ::pause();
    ::_exit(0);
  }
  const int pid = number_in(folder.path + "/pid");
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(is_alive(pid));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(comes_true([&] { return !is_alive(pid); }));
}

TEST(Subprocess, letting_go_of_it_kills_it) {
  int pid = 0;
  {
    auto program = Subprocess::start(command({"sleep", "300"}));
    ASSERT_TRUE(program.ok());
    pid = program->pid();
    EXPECT_FALSE(program->wait(core::milliseconds(1)).has_value());
  }
  EXPECT_FALSE(is_alive(pid));
}

}  // namespace
}  // namespace syncline::env
