// What of a landing file stays in the page cache.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "collections/files/confined.hpp"
#include "collections/files/files_test_support.hpp"
#include "collections/files/landing.hpp"

namespace syncline::collections::files {
namespace {

constexpr std::uint64_t kSizeBytes = 256u << 20;

class PageCache : public FilesTest {
 protected:
  // All but the last piece of a file whose pieces are all alike.
  std::unique_ptr<Landing> land(bool is_read_while_it_lands) {
    const std::string bytes = test_bytes(kPieceBytes, 1);
    const auto hashes = core::block_hashes(bytes);
    LandingRequest request;
    request.path = "large";
    request.piece_layer.assign(kSizeBytes / kPieceBytes, piece_root(hashes, kSizeBytes));
    request.object.size_bytes = kSizeBytes;
    request.object.root = root_of_layer(request.piece_layer);
    request.is_read_while_it_lands = is_read_while_it_lands;
    auto landing = std::move(site_->begin(std::move(request))).value();
    for (std::uint64_t piece = 0; piece + 1 < landing->piece_count(); ++piece) {
      EXPECT_TRUE(landing->write_piece(piece, bytes, hashes).ok());
    }
    return landing;
  }

  static double share_in_cache(const std::string& path) {
    const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    void* mapped = ::mmap(nullptr, kSizeBytes, PROT_READ, MAP_SHARED, file.get(), 0);
    const auto page = static_cast<std::size_t>(::getpagesize());
    std::vector<unsigned char> pages(kSizeBytes / page);
    EXPECT_EQ(::mincore(mapped, kSizeBytes, pages.data()), 0);
    ::munmap(mapped, kSizeBytes);
    const auto there =
        std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return (p & 1) != 0; });
    return static_cast<double>(there) / static_cast<double>(pages.size());
  }

  bool is_on_a_disk() const {
    struct statfs info {};
    return ::statfs(config_.root.c_str(), &info) == 0 && info.f_type != TMPFS_MAGIC;
  }

  std::unique_ptr<LandingSite> site_ =
      std::move(LandingSite::open(config_, core::NodeId("node-1"))).value();
};

TEST_F(PageCache, what_is_on_disk_of_a_large_file_leaves_it) {
  if (!is_on_a_disk()) GTEST_SKIP() << "the test's folder is in memory";
  const auto landing = land(false);
  double share = 1;
  for (int i = 0; i < 500 && share > 0.6; ++i) {  // the last checkpoint goes on beside us
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    share = share_in_cache(landing->staged_path());
  }
  EXPECT_LE(share, 0.6);
}

TEST_F(PageCache, what_others_are_served_from_stays_in_it) {
  const auto landing = land(true);
  EXPECT_TRUE(landing->checkpoint().ok());
  EXPECT_GE(share_in_cache(landing->staged_path()), 0.9);
}

}  // namespace
}  // namespace syncline::collections::files
