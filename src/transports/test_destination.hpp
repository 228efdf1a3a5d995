// A Destination for tests: a real file, real hashing; keeps the promises of files::Landing, but
// what it knows is forgotten with it.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/merkle.hpp"
#include "core/test_bytes.hpp"
#include "transports/transport.hpp"

namespace syncline::transports {

inline constexpr std::uint64_t kTestPieceBytes = core::kPieceBytes;
inline constexpr std::size_t kTestPieceBlocks = core::kPieceBlocks;

// A file's content with what the catalog would say of it.
struct TestObject {
  std::string content;
  core::ObjectVersion object;
  std::vector<core::Digest256> leaves;
  std::vector<core::Digest256> layer;
};

inline TestObject test_object(std::string content) {
  TestObject made;
  core::MerkleHasher hasher;
  hasher.update(content);
  made.object.root = hasher.finish();
  made.object.size_bytes = content.size();
  made.leaves = hasher.leaves();
  made.layer = core::merkle_layer(made.leaves, kTestPieceBlocks);
  made.content = std::move(content);
  return made;
}

using core::test_bytes;

class TestDestination final : public Destination {
 public:
  TestDestination(std::string path, core::ObjectVersion object, std::vector<core::Digest256> layer)
      : path_(std::move(path)), object_(std::move(object)), layer_(std::move(layer)) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    SYNCLINE_CHECK(fd_ >= 0, path_);
    SYNCLINE_CHECK(::ftruncate(fd_, static_cast<off_t>(object_.size_bytes)) == 0, path_);
    has_.resize((object_.size_bytes + kTestPieceBytes - 1) / kTestPieceBytes);
  }
  ~TestDestination() override { ::close(fd_); }
  TestDestination(const TestDestination&) = delete;
  TestDestination& operator=(const TestDestination&) = delete;

  std::uint64_t size_bytes() const override { return object_.size_bytes; }
  std::uint64_t piece_count() const override { return has_.size(); }
  bool has_piece(std::uint64_t piece) const override { return has_.at(piece); }
  std::uint64_t bytes_present() const override {
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < has_.size(); ++i) bytes += has_[i] ? piece_bytes(i) : 0;
    return bytes;
  }

  core::Status write_piece(std::uint64_t piece, std::string_view bytes,
                           const std::vector<core::Digest256>& block_hashes) override {
    if (piece >= has_.size() || bytes.size() != piece_bytes(piece) || layer_.empty() ||
        core::block_hashes(bytes) != block_hashes ||
        root_of_piece(block_hashes) != layer_.at(piece)) {
      return corrupt();
    }
    const auto wrote =
        ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(piece * kTestPieceBytes));
    SYNCLINE_CHECK(wrote == static_cast<ssize_t>(bytes.size()), path_);
    has_[piece] = true;
    return {};
  }
  core::Status checkpoint() override { return {}; }
  std::string staged_path() const override { return path_; }

  core::Status verify_all() override {
    const TestObject found = test_object(content());
    const bool is_it =
        found.object.root == object_.root && found.object.size_bytes == object_.size_bytes;
    for (std::uint64_t i = 0; i < has_.size(); ++i) {
      has_[i] = is_it || (layer_.size() == has_.size() && i < found.layer.size() &&
                          found.layer[i] == layer_[i]);
    }
    is_verified_ = is_it;
    return is_it ? core::Status() : corrupt();
  }

  // May it be put in its place? Every piece is there and was checked.
  bool is_complete() const {
    return is_verified_ || (!has_.empty() && bytes_present() == size_bytes());
  }
  std::string content() const {
    // At once: byte by byte, large contents took most of the tests' time.
    std::ostringstream bytes;
    bytes << std::ifstream(path_, std::ios::binary).rdbuf();
    return std::move(bytes).str();
  }

 private:
  std::uint64_t piece_bytes(std::uint64_t piece) const {
    return std::min(kTestPieceBytes, object_.size_bytes - piece * kTestPieceBytes);
  }
  core::Digest256 root_of_piece(const std::vector<core::Digest256>& blocks) const {
    return has_.size() == 1 ? core::merkle_root(blocks)
                            : core::merkle_root(blocks, 0, kTestPieceBlocks);
  }
  core::Error corrupt() const {
    return {core::ErrorKind::kCorrupt, "the bytes are not the object's", path_};
  }

  const std::string path_;
  const core::ObjectVersion object_;
  const std::vector<core::Digest256> layer_;
  int fd_ = -1;
  std::vector<bool> has_;
  bool is_verified_ = false;
};

}  // namespace syncline::transports
