#include "collections/files/stability.hpp"

#include <gtest/gtest.h>

#include "collections/files/tree.hpp"

namespace syncline::collections::files {
namespace {

FileStamp stamp(std::int64_t mtime_ms, std::int64_t ctime_ms) {
  FileStamp stamp;
  stamp.size_bytes = 10;
  stamp.mtime_ns = mtime_ms * 1'000'000;
  stamp.ctime_ns = ctime_ms * 1'000'000;
  return stamp;
}

TEST(Stability, a_file_is_quiet_once_stable_ms_have_passed_since_it_was_touched) {
  EXPECT_FALSE(is_quiet({stamp(5000, 5000), {5999}, 1000, {}}));
  EXPECT_TRUE(is_quiet({stamp(5000, 5000), {6000}, 1000, {}}));
}

TEST(Stability, an_old_mtime_set_by_the_writer_does_not_hide_that_it_was_just_written) {
  EXPECT_FALSE(is_quiet({stamp(1, 5500), {6000}, 1000, {}}));
}

TEST(Stability, stamps_from_the_future_are_judged_by_watching) {
  const FileStamp ahead = stamp(99'000, 99'000);
  Look first{ahead, {6000}, 1000, {}};
  EXPECT_FALSE(is_quiet(first));
  const Watched watched = watch(first);
  EXPECT_FALSE(is_quiet({ahead, {6900}, 1000, watched}));
  EXPECT_TRUE(is_quiet({ahead, {7000}, 1000, watched}));
}

TEST(Stability, a_watched_file_that_changes_begins_anew) {
  const Watched watched = watch({stamp(99'000, 99'000), {6000}, 1000, {}});
  const FileStamp changed = stamp(99'001, 99'001);
  const Look look{changed, {8000}, 1000, watched};
  EXPECT_FALSE(is_quiet(look));
  EXPECT_EQ(watch(look).since.ms, 8000);
}

TEST(Stability, a_clock_that_goes_backwards_takes_nothing_early) {
  const FileStamp ahead = stamp(99'000, 99'000);
  const Watched watched = watch({ahead, {50'000}, 1000, {}});
  const Look look{ahead, {40'000}, 1000, watched};
  EXPECT_FALSE(is_quiet(look));
  EXPECT_EQ(watch(look).since.ms, 40'000);
}

TEST(Stability, zero_stable_ms_still_waits_out_one_tick_of_the_file_clock) {
  EXPECT_FALSE(is_quiet({stamp(5000, 5000), {5010}, 0, {}}));
  EXPECT_TRUE(is_quiet({stamp(5000, 5000), {5020}, 0, {}}));
}

TEST(Stability, a_writer_is_idle_after_thirty_times_as_long) {
  EXPECT_FALSE(is_writer_idle({stamp(0, 0), {29'999}, 1000, {}}));
  EXPECT_TRUE(is_writer_idle({stamp(0, 0), {30'000}, 1000, {}}));
}

TEST(TemporaryNames, are_those_that_programs_give_to_unfinished_files) {
  for (const char* name : {"x.tmp", "x.part", "x~", ".x.swp", ".model.pth.Ab12Cd", "x.crdownload",
                           "x.aria2", "model.pth.tmp.8812", ".nfs000000000123", "x.partial"}) {
    EXPECT_TRUE(is_temporary_name(name)) << name;
  }
  for (const char* name : {"x", "model.pth", "tmp", "part.npz", ".hidden", ".notes.backup",
                           "a.sync-conflict-20250101-000000-n.pth", "x.temperature"}) {
    EXPECT_FALSE(is_temporary_name(name)) << name;
  }
}

}  // namespace
}  // namespace syncline::collections::files
