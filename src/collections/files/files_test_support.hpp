// What the tests of this room share: a folder of their own, bytes, versions.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>

#include "collections/files/content_hash.hpp"
#include "collections/files/landing_site.hpp"
#include "core/config.hpp"
#include "core/merkle.hpp"
#include "core/test_bytes.hpp"

namespace syncline::collections::files {

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "files-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    config_.name = core::CollectionName("models");
    config_.root = folder_ + "/root";
    config_.stable_ms = 1000;
    std::filesystem::create_directories(config_.root);
  }
  ~FilesTest() override { std::filesystem::remove_all(folder_); }

  std::string at(const std::string& path) const { return config_.root + '/' + path; }

  void put(const std::string& path, std::string_view content) const {
    std::filesystem::create_directories(std::filesystem::path(at(path)).parent_path());
    std::ofstream(at(path), std::ios::binary | std::ios::trunc) << content;
  }
  std::string get(const std::string& path) const {
    // At once: byte by byte, large contents took most of the tests' time.
    std::ostringstream bytes;
    bytes << std::ifstream(at(path), std::ios::binary).rdbuf();
    return std::move(bytes).str();
  }
  bool exists(const std::string& path) const { return std::filesystem::exists(at(path)); }

  // So much later than now that every file counts as quiet.
  static core::WallMs later(std::int64_t ms = 10'000) {
    using namespace std::chrono;
    return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count() + ms};
  }

  std::string folder_;
  core::CollectionConfig config_;
};

// Different for each seed, and in each 16 KiB block.
using core::test_bytes;

inline core::Root root_of(std::string_view content) {
  core::MerkleHasher hasher;
  hasher.update(content);
  return hasher.finish();
}

inline std::vector<core::Digest256> layer_of(std::string_view content) {
  std::vector<core::Digest256> layer;
  for (std::size_t i = 0; i < content.size(); i += kPieceBytes) {
    layer.push_back(piece_root(content.substr(i, kPieceBytes), content.size()));
  }
  return layer;
}

inline LandingRequest request_for(const std::string& path, std::string_view content,
                                  const core::Root& replaces = {}) {
  LandingRequest request;
  request.path = path;
  request.object.root = root_of(content);
  request.object.size_bytes = content.size();
  request.object.mtime_ms = 1'700'000'000'123;
  request.object.mode = 0640;
  request.piece_layer = layer_of(content);
  request.replaces = replaces;
  return request;
}

// Writes every missing piece. Returns how many there were.
inline std::size_t write_missing(Landing& landing, std::string_view content) {
  std::size_t count = 0;
  for (const std::uint64_t piece : landing.missing_pieces(1u << 20)) {
    const auto bytes = content.substr(piece * kPieceBytes, kPieceBytes);
    EXPECT_TRUE(landing.write_piece(piece, bytes).ok());
    ++count;
  }
  return count;
}

}  // namespace syncline::collections::files
