#include "transports/nfs/local_copy.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace syncline::transports::nfs {
namespace {

class LocalCopy : public testing::Test {
 protected:
  LocalCopy() {
    std::string name = (std::filesystem::temp_directory_path() / "copy-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    for (std::size_t i = 0; i < (20u << 20) + 7; ++i) {
      content_.push_back(static_cast<char>((i * 2654435761u) >> 13));
    }
    std::ofstream(folder_ + "/from", std::ios::binary) << content_;
    from_ = ::open((folder_ + "/from").c_str(), O_RDONLY);
    to_ = ::open((folder_ + "/to").c_str(), O_RDWR | O_CREAT, 0600);
  }
  ~LocalCopy() override {
    ::close(from_);
    ::close(to_);
    std::filesystem::remove_all(folder_);
  }
  CopyRequest request() const {
    CopyRequest request;
    request.from_fd = from_;
    request.to_fd = to_;
    request.size_bytes = content_.size();
    return request;
  }
  std::string copied() const {
    std::ifstream in(folder_ + "/to", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  std::string folder_;
  std::string content_;
  int from_ = -1;
  int to_ = -1;
};

TEST_F(LocalCopy, copies_every_byte_and_reports_progress_to_the_end) {
  std::uint64_t seen = 0;
  CopyRequest request = this->request();
  request.progress = [&](std::uint64_t bytes) { seen = bytes; };
  ASSERT_TRUE(copy_local(request).ok());
  EXPECT_TRUE(copied() == content_);
  EXPECT_EQ(seen, content_.size());
}

TEST_F(LocalCopy, the_same_file_by_another_name_is_nothing_to_move) {
  std::filesystem::create_hard_link(folder_ + "/from", folder_ + "/alias");
  CopyRequest request = this->request();
  request.to_fd = ::open((folder_ + "/alias").c_str(), O_RDWR);
  EXPECT_EQ(copy_local(request)->method, CopyMethod::kNothingToMove);
  ::close(request.to_fd);
}

TEST_F(LocalCopy, falls_back_to_reading_where_the_kernel_cannot_copy) {
  // An append-only descriptor is refused by copy_file_range and reflink, and pwrite appends.
  CopyRequest request = this->request();
  request.to_fd = ::open((folder_ + "/to").c_str(), O_WRONLY | O_APPEND);
  const auto outcome = copy_local(request);
  ::close(request.to_fd);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->method, CopyMethod::kReadWrite);
  EXPECT_TRUE(copied() == content_);
}

TEST_F(LocalCopy, a_source_that_is_too_short_is_a_conflict) {
  CopyRequest request = this->request();
  request.size_bytes += 1;
  EXPECT_EQ(copy_local(request).error().kind, core::ErrorKind::kConflict);
}

TEST_F(LocalCopy, stops_when_cancelled) {
  const std::atomic<bool> cancel{true};
  CopyRequest request = this->request();
  request.size_bytes -= 1;  // not the whole file, so that no reflink can be quicker
  request.cancel = &cancel;
  EXPECT_EQ(copy_local(request).error().kind, core::ErrorKind::kCancelled);
}

TEST_F(LocalCopy, a_descriptor_that_cannot_be_written_is_an_error_and_no_crash) {
  CopyRequest request = this->request();
  request.to_fd = ::open((folder_ + "/to").c_str(), O_RDONLY);
  EXPECT_FALSE(copy_local(request).ok());
  ::close(request.to_fd);
}

}  // namespace
}  // namespace syncline::transports::nfs
