#include "collections/files/landing_meta.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "collections/files/confined.hpp"

namespace syncline::collections::files {
namespace {

LandingMeta example() {
  LandingMeta meta;
  meta.path = "models/ü\n a.pth";
  meta.root.bytes[0] = 7;
  meta.replaces.bytes[31] = 9;
  meta.size_bytes = 10 * kPieceBytes + 1;
  meta.pieces = PieceSet(11);
  for (const int piece : {0, 3, 10}) meta.pieces.add(static_cast<std::uint64_t>(piece));
  return meta;
}

TEST(LandingMeta, what_is_written_is_read) {
  const auto read = decode_landing_meta(encode(example()));
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_EQ(*read, example());
  LandingMeta empty;
  empty.path = "x";
  EXPECT_EQ(*decode_landing_meta(encode(empty)), empty);
}

TEST(LandingMeta, every_torn_prefix_is_refused) {
  const std::string bytes = encode(example());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(decode_landing_meta(bytes.substr(0, i)).ok()) << i;
  }
}

RC_GTEST_PROP(LandingMeta, a_changed_byte_is_refused, (std::uint16_t where, std::uint8_t by)) {
  std::string bytes = encode(example());
  if (by == 0) return;
  bytes[where % bytes.size()] = static_cast<char>(bytes[where % bytes.size()] ^ by);
  RC_ASSERT(!decode_landing_meta(bytes).ok());
}

RC_GTEST_PROP(LandingMeta, no_bytes_break_the_parser, (const std::string& bytes)) {
  RC_ASSERT(!decode_landing_meta(bytes).ok());
  RC_ASSERT(!decode_landing_meta("syncline-landing 2\npath " + bytes).ok());
}

RC_GTEST_PROP(PieceSet, counts_and_complements, (std::uint8_t count, const std::string& picks)) {
  PieceSet set(count);
  std::uint64_t expected = 0;
  for (const unsigned char pick : picks) {
    if (count == 0) break;
    expected += set.has(pick % count) ? 0 : 1;
    set.add(pick % count);
  }
  RC_ASSERT(set.present() == expected);
  const auto missing = PieceSet::from_bytes(set.missing_bytes(), count);
  RC_ASSERT(missing.ok());
  RC_ASSERT(missing->present() == count - expected);
  RC_ASSERT(*PieceSet::from_bytes(set.bytes(), count) == set);
}

TEST(PieceSet, bits_beyond_the_last_piece_and_wrong_lengths_are_refused) {
  EXPECT_FALSE(PieceSet::from_bytes("\x08", 3).ok());
  EXPECT_TRUE(PieceSet::from_bytes("\x07", 3).ok());
  EXPECT_FALSE(PieceSet::from_bytes("", 3).ok());
  EXPECT_FALSE(PieceSet::from_bytes(std::string(2, '\0'), 3).ok());
}

TEST(ConflictName, stands_before_the_ending_and_says_when_and_where) {
  const core::NodeId node("spot-1");
  constexpr std::int64_t kMs = 1'741'529'107'000;  // 2025-03-09 14:05:07 UTC
  EXPECT_EQ(conflict_name("models/a.pth", kMs, node, 1),
            "models/a.sync-conflict-20250309-140507-spot-1.pth");
  EXPECT_EQ(conflict_name("a", kMs, node, 2), "a.sync-conflict-20250309-140507-spot-1-2");
  EXPECT_EQ(conflict_name("d/.rc", kMs, node, 1), "d/.rc.sync-conflict-20250309-140507-spot-1");
}

TEST(ConflictName, stays_within_what_a_file_system_takes) {
  const std::string name = conflict_name(std::string(127, 'a') + "ü" + std::string(120, 'b') + ".x",
                                         0, core::NodeId(std::string(64, 'n')), 1);
  EXPECT_LE(name.size(), kNameBytesMax);
  EXPECT_TRUE(check_path(name).ok());
  std::string wide;
  while (wide.size() < 250) wide += "ü";
  EXPECT_TRUE(check_path(conflict_name(wide, 0, core::NodeId("n"), 1)).ok());
}

TEST(LandingId, differs_by_path_and_by_content) {
  core::Root other;
  other.bytes[5] = 1;
  EXPECT_EQ(landing_id("a", {}), landing_id("a", {}));
  EXPECT_NE(landing_id("a", {}), landing_id("b", {}));
  EXPECT_NE(landing_id("a", {}), landing_id("a", other));
  EXPECT_EQ(landing_id("a", {}).size(), 32u);
}

}  // namespace
}  // namespace syncline::collections::files
