#include "collections/files/content_hash.hpp"

#include <fcntl.h>

#include "collections/files/files_test_support.hpp"

namespace syncline::collections::files {
namespace {

class ContentHash : public FilesTest {
 protected:
  int open(const std::string& path) { return ::open(at(path).c_str(), O_RDONLY); }
};

TEST_F(ContentHash, a_file_has_the_root_of_its_bytes_whatever_its_size) {
  constexpr std::size_t kMiB = 1 << 20;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{16384}, std::size_t{16385}, kMiB - 1, kMiB,
        kMiB + 1, 3 * kMiB + 5, static_cast<std::size_t>(kParallelHashBytesMin) + 77}) {
    const std::string content = test_bytes(size);
    put("f", content);
    const int fd = open("f");
    const auto hash = hash_file(fd, size);
    ::close(fd);
    ASSERT_TRUE(hash.ok()) << size;
    EXPECT_EQ(hash->root, root_of(content)) << size;
    EXPECT_EQ(hash->piece_layer.size(), piece_count_of(size)) << size;
    if (size > 0) {
      EXPECT_EQ(root_of_layer(hash->piece_layer), hash->root) << size;
    }
  }
}

TEST_F(ContentHash, a_file_shorter_than_expected_is_a_conflict_and_no_crash) {
  put("f", test_bytes(100));
  const int fd = open("f");
  EXPECT_EQ(hash_file(fd, 101).error().kind, core::ErrorKind::kConflict);
  ::close(fd);
}

TEST_F(ContentHash, stops_when_cancelled_also_with_two_threads) {
  const std::size_t size = kParallelHashBytesMin;
  put("f", test_bytes(size));
  const std::atomic<bool> cancel{true};
  const int fd = open("f");
  EXPECT_EQ(hash_file(fd, size, &cancel).error().kind, core::ErrorKind::kCancelled);
  ::close(fd);
}

}  // namespace
}  // namespace syncline::collections::files
