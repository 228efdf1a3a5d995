#include "core/unit.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/object.hpp"

namespace syncline::core {
namespace {

Unit a_game() {
  Unit unit;
  unit.key = "game-1";
  unit.config_key = ConfigKey("hex8_2p");
  unit.tables.push_back({"games",
                         {"completed_at", "game_id", "quality"},
                         {{std::int64_t{-17}, std::string("game-1"), 0.5}}});
  unit.tables.push_back({"moves",
                         {"game_id", "move", "data"},
                         {{std::string("game-1"), std::int64_t{1}, Blob{std::string("\0x", 2)}},
                          {std::string("game-1"), std::int64_t{2}, std::monostate{}}}});
  return unit;
}

TEST(Unit, comes_back_as_it_was_encoded) {
  const auto back = decode_unit(encode(a_game()));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, a_game());
}

TEST(Unit, one_changed_cell_changes_the_hash) {
  Unit other = a_game();
  other.tables[1].rows[0][1] = std::int64_t{3};
  EXPECT_NE(seal(a_game()).hash, seal(other).hash);
}

TEST(Unit, is_refused_when_cut_anywhere) {
  const std::string bytes = encode(a_game());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_unit(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(decode_unit(bytes + "x").ok());
}

TEST(Unit, counts_are_bounded_before_anything_is_allocated) {
  std::string bytes("\x01\x00\x00", 3);
  bytes += std::string("\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9);  // 2^63 - 1 tables
  EXPECT_FALSE(decode_unit(bytes).ok());
}

RC_GTEST_PROP(UnitProperty, no_bytes_crash_and_what_decodes_encodes_the_same, ()) {
  std::string bytes = encode(a_game());
  const int edits = *rc::gen::inRange(1, 5);
  for (int i = 0; i < edits; ++i) {
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  }
  const auto unit = decode_unit(bytes);
  if (unit.ok()) RC_ASSERT(encode(*unit) == bytes);
}

TEST(VersionVector, orders_versions_as_their_history_does) {
  auto vector = [](std::uint64_t a, std::uint64_t b) {
    VersionVector v;
    if (a > 0) v.counters[NodeId("a")] = a;
    if (b > 0) v.counters[NodeId("b")] = b;
    return v;
  };
  EXPECT_EQ(compare(vector(1, 0), vector(1, 0)), VersionOrder::kEqual);
  EXPECT_EQ(compare(vector(2, 0), vector(1, 0)), VersionOrder::kAfter);
  EXPECT_EQ(compare(vector(1, 0), vector(1, 1)), VersionOrder::kBefore);
  EXPECT_EQ(compare(vector(2, 0), vector(1, 1)), VersionOrder::kConcurrent);
  EXPECT_EQ(join(vector(2, 0), vector(1, 1)), vector(2, 1));
}

TEST(ObjectVersion, has_the_same_winner_from_both_sides) {
  ObjectVersion a;
  ObjectVersion b;
  a.version.counters[NodeId("a")] = 1;
  a.hlc = 5;
  b.version.counters[NodeId("b")] = 1;
  b.hlc = 7;
  EXPECT_TRUE(wins_over(b, a));
  EXPECT_FALSE(wins_over(a, b));
  a.version.counters[NodeId("b")] = 1;  // now it has seen b's
  EXPECT_TRUE(wins_over(a, b));
}

TEST(ObjectVersion, comes_back_as_it_was_encoded_and_not_when_cut) {
  ObjectVersion object;
  object.root.bytes[3] = 9;
  object.size_bytes = 1ull << 40;
  object.mtime_ms = -5;
  object.origin = NodeId("trainer");
  object.version.counters[NodeId("x")] = 3;
  object.version.counters[NodeId("y")] = 1;
  const std::string bytes = encode(object);
  const auto back = decode_object_version(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, object);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_object_version(bytes.substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace syncline::core
