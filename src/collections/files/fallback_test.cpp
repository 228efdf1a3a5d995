// The same promises where the kernel refuses what newer ones offer: file systems without
// RENAME_EXCHANGE and RENAME_NOREPLACE (NFS, some FUSE), sandboxes without openat2. Both are taken
// away by a system call filter, in a child process.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstddef>
#include <functional>

#include "collections/files/confined.hpp"
#include "collections/files/files_test_support.hpp"

namespace syncline::collections::files {
namespace {

bool take_calls_away() {
  static sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

class Fallback : public FilesTest {
 protected:
  std::unique_ptr<LandingSite> open() {
    return std::move(LandingSite::open(config_, core::NodeId("n"))).value();
  }
  core::Result<Landed> land(const std::string& path, const std::string& content,
                            const core::Root& replaces = {}) {
    auto site = open();
    SYNCLINE_ASSIGN(auto landing, site->begin(request_for(path, content, replaces)));
    write_missing(*landing, content);
    return landing->finish();
  }

  // `body` answers 0, or the number of the promise that was broken.
  void without_new_calls(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(take_calls_away() ? body() : 99);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 99) GTEST_SKIP() << "no system call filters here";
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
};

TEST_F(Fallback, the_filter_really_takes_the_calls_away) {
  without_new_calls([&] {
    put("a", "x");
    if (::renameat2(AT_FDCWD, at("a").c_str(), AT_FDCWD, at("b").c_str(), 1) == 0) return 1;
    return ::syscall(SYS_openat2, AT_FDCWD, "/", nullptr, 0) == -1 && errno == ENOSYS ? 0 : 2;
  });
}

TEST_F(Fallback, new_and_expected_versions_land) {
  without_new_calls([&] {
    if (!land("d/a", "old").ok() || get("d/a") != "old") return 1;
    const auto landed = land("d/a", "new", root_of("old"));
    if (!landed.ok() || get("d/a") != "new" || !landed->conflict_copy.empty()) return 2;
    return std::filesystem::is_empty(at(".syncline/staging")) ? 0 : 3;
  });
}

TEST_F(Fallback, an_unexpected_version_is_kept) {
  without_new_calls([&] {
    put("d/a.pth", "local");
    const auto landed = land("d/a.pth", "new", root_of("old"));
    if (!landed.ok() || get("d/a.pth") != "new") return 1;
    if (get(landed->conflict_copy) != "local") return 2;
    return std::filesystem::is_empty(at(".syncline/staging")) ? 0 : 3;
  });
}

TEST_F(Fallback, only_the_expected_version_is_removed) {
  without_new_calls([&] {
    const auto landed = land("a", "x");
    if (!landed.ok()) return 1;
    put("a", "changed");
    if (open()->remove("a", landed->known).ok() || get("a") != "changed") return 2;
    const auto again = land("b", "y");
    if (!again.ok() || !open()->remove("b", again->known).ok() || exists("b")) return 3;
    return 0;
  });
}

TEST_F(Fallback, links_are_not_followed_part_by_part_either) {
  std::filesystem::create_directory(folder_ + "/outside");
  std::filesystem::create_directory_symlink("../outside", at("way"));
  put("real/x", "x");
  without_new_calls([&] {
    const auto root = Confined::open(config_.root);
    if (root->open_file("way/x", O_WRONLY | O_CREAT, 0600).ok()) return 1;
    if (!std::filesystem::is_empty(folder_ + "/outside")) return 2;
    if (land("way/y", "x").ok()) return 3;
    if (!root->open_file("real/x", O_RDONLY).ok()) return 4;
    return root->open_file("real/none", O_RDONLY).error().kind == core::ErrorKind::kMissing ? 0 : 5;
  });
}

}  // namespace
}  // namespace syncline::collections::files
