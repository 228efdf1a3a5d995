#include "transports/control_file.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <set>

#include "transports/test_destination.hpp"

namespace syncline::transports {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

std::optional<std::uint64_t> bytes_in(std::string_view text, std::uint64_t size) {
  const auto pieces = pieces_in_control_file(text, size);
  return pieces ? std::optional(bytes_of(*pieces, size)) : std::nullopt;
}

TEST(ControlFile, is_laid_out_as_the_manual_says) {
  const std::string text = encode_control_file(
      9 * kMiB + 1, [](std::uint64_t piece) { return piece == 0 || piece == 9; });
  const std::string wanted(
      "\0\1"                // version
      "\0\0\0\0"            // extensions
      "\0\0\0\0"            // no info hash
      "\0\x10\0\0"          // piece length
      "\0\0\0\0\0\x90\0\1"  // total length
      "\0\0\0\0\0\0\0\0"    // uploaded
      "\0\0\0\2"            // bytes of the bitfield
      "\x80\x40"            // pieces 0 and 9, the highest bit first
      "\0\0\0\0",           // none in flight
      40);
  EXPECT_EQ(text, wanted);
  EXPECT_EQ(bytes_in(text, 9 * kMiB + 1), kMiB + 1);
}

TEST(ControlFile, of_another_download_or_damaged_says_nothing) {
  const std::string good = encode_control_file(3 * kMiB, [](std::uint64_t) { return true; });
  EXPECT_EQ(bytes_in(good, 3 * kMiB), 3 * kMiB);
  EXPECT_EQ(bytes_in(good, 4 * kMiB), std::nullopt);
  for (std::size_t size = 0; size < 35; ++size) {
    EXPECT_EQ(bytes_in(good.substr(0, size), 3 * kMiB), std::nullopt) << size;
  }
  for (const std::size_t at : {1u, 9u, 12u, 33u}) {  // version, info hash, piece length, bitfield
    std::string damaged = good;
    damaged[at] ^= 4;
    EXPECT_EQ(bytes_in(damaged, 3 * kMiB), std::nullopt) << at;
  }
}

TEST(ControlFile, a_piece_is_present_when_all_of_the_destinations_pieces_in_it_are) {
  char folder[] = "/tmp/syncline-control-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/x.data";
  const TestObject made = test_object(test_bytes(2 * kMiB + 5));
  TestDestination destination(path, made.object, made.layer);
  const auto write = [&](std::uint64_t piece) {
    const auto bytes = made.content.substr(piece * core::kPieceBytes, core::kPieceBytes);
    ASSERT_TRUE(destination.write_piece(piece, bytes, core::block_hashes(bytes)).ok());
  };
  for (const std::uint64_t piece : {0u, 1u, 2u, 3u, 4u, 6u, 7u, 8u}) write(piece);
  EXPECT_EQ(pieces_present(destination), (std::vector<bool>{true, false, true}));
  write(5);
  EXPECT_EQ(pieces_present(destination), (std::vector<bool>{true, true, true}));
  std::filesystem::remove_all(folder);
}

RC_GTEST_PROP(ControlFile, tells_the_bytes_of_the_pieces_it_was_made_from, ()) {
  const std::uint64_t size = *rc::gen::inRange<std::uint64_t>(1, 40 * kMiB);
  const std::uint64_t pieces = (size + kMiB - 1) / kMiB;
  const auto held =
      *rc::gen::container<std::set<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, pieces));
  std::uint64_t bytes = 0;
  for (const std::uint64_t piece : held) bytes += std::min(kMiB, size - piece * kMiB);
  const std::string text =
      encode_control_file(size, [&](std::uint64_t piece) { return held.count(piece) > 0; });
  RC_ASSERT(bytes_in(text, size) == std::optional(bytes));
}

RC_GTEST_PROP(ControlFile, takes_any_bytes, (const std::string& text)) {
  (void)bytes_in(text, *rc::gen::inRange<std::uint64_t>(1, 10 * kMiB));
}

}  // namespace
}  // namespace syncline::transports
