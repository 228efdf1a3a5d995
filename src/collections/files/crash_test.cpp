// kill -9 at every system call of a replacement, one after the other, and at random moments of a
// long transfer: the path always holds a whole version, and no version is ever lost.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cstdlib>

#include "collections/files/files_test_support.hpp"
#include "collections/files/landing_meta.hpp"

namespace syncline::collections::files {
namespace {

const std::string kOld = test_bytes(90'000, 1);
const std::string kNew = test_bytes(70'000, 2);
const std::string kLocal = test_bytes(50'000, 3);

class Crash : public FilesTest {
 protected:
  std::unique_ptr<LandingSite> open() {
    return std::move(LandingSite::open(config_, core::NodeId("n"))).value();
  }
  // What stands at the path when the landing begins, and what it was told to expect there.
  struct Case {
    std::string present;
    std::string expected;
  };

  core::Result<Landed> land(const Case& c) {
    auto site = open();
    SYNCLINE_ASSIGN(auto landing,
                    site->begin(request_for(
                        "d/a.pth", kNew, c.expected.empty() ? core::Root{} : root_of(c.expected))));
    SYNCLINE_TRY(landing->write_piece(0, kNew));
    return landing->finish();
  }

  // Lets a child land, and kills it when it enters or leaves its n-th system call. Returns false
  // once the child came to its end before that.
  bool land_and_kill_at(const Case& c, int n) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      ::raise(SIGSTOP);
      ::_exit(land(c).ok() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    for (int calls = 0;;) {
      if (calls == n) {
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
        return true;
      }
      ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
      ::waitpid(child, &status, 0);
      if (WIFEXITED(status)) {
        EXPECT_EQ(WEXITSTATUS(status), 0);
        return false;
      }
      if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP) ++calls;
    }
  }

  std::vector<std::string> conflict_contents() const {
    std::vector<std::string> contents;
    for (const auto& e : std::filesystem::recursive_directory_iterator(config_.root)) {
      const std::string path = std::filesystem::relative(e.path(), config_.root).string();
      if (path.find(".sync-conflict-") != std::string::npos || path.find("rescued/") != path.npos) {
        contents.push_back(get(path));
      }
    }
    return contents;
  }

  void survive(const Case& c) {
    int rounds = 0;
    for (int n = 1;; ++n, ++rounds) {
      std::filesystem::remove_all(config_.root);
      std::filesystem::create_directories(config_.root);
      if (!c.present.empty()) put("d/a.pth", c.present);
      const bool was_killed = land_and_kill_at(c, n);
      SCOPED_TRACE("killed at system call stop " + std::to_string(n));
      const std::string seen = get("d/a.pth");
      ASSERT_TRUE(seen == c.present || seen == kNew) << seen.size();
      const bool is_conflict = !c.present.empty() && c.present != c.expected;
      // The next start repairs; then the landing is done again, as the engine would.
      const auto landed = land(c);
      ASSERT_TRUE(landed.ok()) << to_string(landed.error());
      ASSERT_TRUE(get("d/a.pth") == kNew);
      const auto kept = conflict_contents();
      ASSERT_EQ(kept.size(), is_conflict ? 1u : 0u);
      if (is_conflict) {
        ASSERT_TRUE(kept[0] == c.present);
      }
      if (!was_killed) break;
    }
    EXPECT_GT(rounds, 50);
    RecordProperty("system_call_stops", rounds);
  }
};

// ThreadSanitizer's own threads and this kind of tracing do not go together.
#if defined(__SANITIZE_THREAD__)
constexpr bool kCanTrace = false;
#else
constexpr bool kCanTrace = true;
#endif

TEST_F(Crash, replacing_the_expected_version_leaves_the_old_or_the_new_one_whole) {
  if (!kCanTrace) GTEST_SKIP();
  survive({kOld, kOld});
}

TEST_F(Crash, a_local_version_that_was_not_expected_is_never_lost) {
  if (!kCanTrace) GTEST_SKIP();
  survive({kLocal, kOld});
}

TEST_F(Crash, a_new_file_is_there_whole_or_not_at_all) {
  if (!kCanTrace) GTEST_SKIP();
  survive({"", ""});
}

TEST_F(Crash, a_long_transfer_that_is_killed_again_and_again_arrives_whole) {
  const char* asked = std::getenv("SYNCLINE_CRASH_ROUNDS");
  const int rounds = asked ? std::atoi(asked) : 25;
  const std::string content = test_bytes(96 * kPieceBytes + 123, 4);
  put("big", kOld);
  const LandingRequest request = request_for("big", content, root_of(kOld));
  std::uint64_t most = 0;
  for (int round = 0; round < rounds; ++round) {
    int told[2];  // a byte for each checkpoint of the child
    ASSERT_EQ(::pipe(told), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(told[0]);
      auto site = open();
      auto landing = site->begin(request);
      if (!landing.ok()) ::_exit(1);
      for (const std::uint64_t piece : landing.value()->missing_pieces(1000)) {
        const auto bytes = std::string_view(content).substr(piece * kPieceBytes, kPieceBytes);
        if (!landing.value()->write_piece(piece, bytes).ok()) ::_exit(2);
        if (piece % 12 != 0) continue;
        if (!landing.value()->checkpoint().ok()) ::_exit(3);
        if (::write(told[1], "c", 1) != 1) ::_exit(5);
      }
      ::_exit(landing.value()->finish().ok() ? 0 : 4);
    }
    ::close(told[1]);
    // Spread over the course of the transfer, by what it has reached and not by a clock: so many
    // checkpoints, and then somewhere on the way to the next one.
    char byte = 0;
    for (int left = round % 9; left > 0 && ::read(told[0], &byte, 1) == 1; --left) {
    }
    ::usleep(static_cast<useconds_t>(300 * (round * 7 % 25)));
    ::kill(child, SIGKILL);
    ::close(told[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    const std::string seen = get("big");
    ASSERT_TRUE(seen == kOld || seen == content) << seen.size();
    if (seen == content) {
      most = content.size();
      put("big", kOld);
      continue;
    }
    auto site = open();
    auto landing = site->begin(request);
    ASSERT_TRUE(landing.ok());
    // What is claimed is there: read back, each claimed piece has its hash.
    const std::string staged = landing.value()->staged_path();
    for (std::uint64_t piece = 0; piece < landing.value()->piece_count(); ++piece) {
      if (!landing.value()->has_piece(piece)) continue;
      std::ifstream in(staged, std::ios::binary);
      in.seekg(static_cast<std::streamoff>(piece * kPieceBytes));
      std::string bytes(landing.value()->piece_bytes(piece), '\0');
      in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      ASSERT_EQ(piece_root(bytes, content.size()), request.piece_layer[piece]);
    }
    most = std::max(most, landing.value()->bytes_present());
  }
  EXPECT_GT(most, 0u);  // resuming was really seen
  auto site = open();
  auto landing = std::move(site->begin(request)).value();
  write_missing(*landing, content);
  ASSERT_TRUE(landing->finish().ok());
  EXPECT_TRUE(get("big") == content);
  EXPECT_TRUE(conflict_contents().empty());
}

}  // namespace
}  // namespace syncline::collections::files
