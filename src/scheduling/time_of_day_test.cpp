#include "scheduling/time_of_day.hpp"

#include <gtest/gtest.h>

namespace syncline::scheduling {
namespace {

const std::vector<std::string> kCollections = {"games", "models"};

Schedule schedule(const char* text) {
  const auto parsed = parse_schedule(text, kCollections);
  EXPECT_TRUE(parsed.ok()) << text << ": " << (parsed.ok() ? "" : parsed.error().what);
  return parsed.value_or({});
}

// 2026-11-23 is a Monday; 1795392000 s is its midnight, UTC.
LocalTime on(int day, int hour, int minute, int offset = 0) {
  const std::int64_t monday = 1'795'392'000'000;
  return {{monday + ((day * 24 + hour) * 60 + minute) * std::int64_t{60'000}}, offset};
}
enum Day { kMon, kTue, kWed, kThu, kFri, kSat, kSun };

TEST(TimeOfDay, reads_schedules) {
  const Schedule weekdays = schedule("games mon-fri 08:00-18:00 12.5");
  EXPECT_EQ(weekdays.collection, core::CollectionName("games"));
  EXPECT_EQ(weekdays.days, 0x1f);
  EXPECT_EQ(weekdays.from_minute, 480);
  EXPECT_EQ(weekdays.to_minute, 1080);
  EXPECT_DOUBLE_EQ(weekdays.mbps, 12.5);
  EXPECT_FALSE(weekdays.is_closed);
  EXPECT_EQ(schedule("22:00-06:00 closed").days, 0x7f);
  EXPECT_TRUE(schedule("22:00-06:00 closed").is_closed);
  EXPECT_EQ(schedule("sat-mon,wed 00:00-24:00 0").days, 0b1100101);
  EXPECT_EQ(schedule("  models   10:00-11:00\t3 ").collection, core::CollectionName("models"));
}

TEST(TimeOfDay, writes_what_it_reads) {
  for (const char* text : {"games mon,tue,wed,thu,fri 08:00-18:00 12.5", "22:00-06:00 closed",
                           "sat,sun 00:00-24:00 0"}) {
    EXPECT_EQ(to_string(schedule(text)), text);
  }
}

TEST(TimeOfDay, refuses_what_is_no_schedule_and_says_what_one_looks_like) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"", "a schedule has two to four words, not 0"},
      {"08:00-18:00", "a schedule has two to four words, not 1"},
      {"a b c d e", "a schedule has two to four words, not 5"},
      {"08:00-18:00 fast", "'fast' is neither a number of MB/s nor 'closed'"},
      {"08:00-18:00 -1", "'-1' is neither a number of MB/s nor 'closed'"},
      {"08:00-18:00 nan", "'nan' is neither a number of MB/s nor 'closed'"},
      {"08:00-18:00 inf", "'inf' is neither a number of MB/s nor 'closed'"},
      {"8-18 1", "'8-18' is no time of day such as 08:00-18:00"},
      {"08:00-25:00 1", "'08:00-25:00' is no time of day such as 08:00-18:00"},
      {"08:60-09:00 1", "'08:60-09:00' is no time of day such as 08:00-18:00"},
      {"24:00-09:00 1", "'24:00-09:00' is no time of day such as 08:00-18:00"},
      {"08:00-+9:00 1", "'08:00-+9:00' is no time of day such as 08:00-18:00"},
      {"mom-fri 08:00-09:00 1", "'mom-fri' is neither a collection nor a list of days"},
      {"game 08:00-09:00 1",
       "'game' is neither a collection nor a list of days; did you mean 'games'?"},
      {"games someday 08:00-09:00 1", "'someday' is no list of days"},
      {"games mon- 08:00-09:00 1", "'mon-' is no list of days"},
      {"games ,mon 08:00-09:00 1", "',mon' is no list of days"},
  };
  for (const auto& [text, what] : cases) {
    const auto parsed = parse_schedule(text, kCollections);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().what.rfind(what, 0), 0u) << parsed.error().what;
    EXPECT_EQ(parsed.error().kind, core::ErrorKind::kInvalid);
  }
}

TEST(TimeOfDay, knows_when_a_schedule_holds) {
  const Schedule office = schedule("mon-fri 08:00-18:00 1");
  EXPECT_FALSE(holds(office, on(kMon, 7, 59)));
  EXPECT_TRUE(holds(office, on(kMon, 8, 0)));
  EXPECT_TRUE(holds(office, on(kFri, 17, 59)));
  EXPECT_FALSE(holds(office, on(kFri, 18, 0)));
  EXPECT_FALSE(holds(office, on(kSat, 12, 0)));
  EXPECT_TRUE(holds(office, on(kMon, 6, 30, 120))) << "half past six UTC is half past eight here";
  EXPECT_TRUE(holds(office, on(kSun, 23, 30, 9 * 60))) << "there it is Monday already";
}

TEST(TimeOfDay, a_window_past_midnight_belongs_to_the_day_it_begins_on) {
  const Schedule night = schedule("fri 22:00-06:00 closed");
  EXPECT_TRUE(holds(night, on(kFri, 23, 0)));
  EXPECT_TRUE(holds(night, on(kSat, 5, 59)));
  EXPECT_FALSE(holds(night, on(kSat, 6, 0)));
  EXPECT_FALSE(holds(night, on(kFri, 5, 0)));
  const Schedule sunday = schedule("sun 22:00-06:00 closed");
  EXPECT_TRUE(holds(sunday, on(kMon, 3, 0))) << "over the end of the week";
  const Schedule all_day = schedule("sat 00:00-00:00 1");
  EXPECT_TRUE(holds(all_day, on(kSat, 0, 0)));
  EXPECT_TRUE(holds(all_day, on(kSat, 23, 59)));
  EXPECT_FALSE(holds(all_day, on(kSun, 0, 0)));
}

TEST(TimeOfDay, says_when_something_changes_next) {
  const std::vector<Schedule> office = {schedule("mon-fri 08:00-18:00 1")};
  LocalTime time = on(kMon, 7, 30);
  time.wall.ms += 15'000;
  EXPECT_EQ(until_change(office, time), core::Duration(core::seconds(29 * 60 + 45)));
  EXPECT_EQ(until_change(office, on(kFri, 18, 0)),
            core::Duration(core::seconds((6 + 48 + 8) * 3600)));
  EXPECT_EQ(until_change({schedule("00:00-24:00 1")}, on(kMon, 0, 0)), std::nullopt);
  EXPECT_EQ(until_change({}, on(kMon, 0, 0)), std::nullopt);
}

TEST(TimeOfDay, the_lowest_limit_counts_and_closed_beats_all) {
  const core::CollectionName games("games"), models("models"), everything;
  const std::vector<Schedule> schedules = {
      schedule("08:00-18:00 10"), schedule("games 09:00-10:00 2"),
      schedule("models 09:00-10:00 closed"), schedule("12:00-13:00 0")};
  EXPECT_EQ(allowance(schedules, everything, on(kMon, 9, 30)).mbps, 10);
  EXPECT_EQ(allowance(schedules, games, on(kMon, 9, 30)).mbps, 2);
  EXPECT_EQ(allowance(schedules, games, on(kMon, 9, 30)).why, "games 09:00-10:00 2");
  EXPECT_TRUE(allowance(schedules, models, on(kMon, 9, 30)).is_closed);
  EXPECT_FALSE(allowance(schedules, models, on(kMon, 11, 0)).is_closed);
  EXPECT_EQ(allowance(schedules, everything, on(kMon, 12, 30)).mbps, 10);
  EXPECT_EQ(allowance(schedules, games, on(kMon, 20, 0)), Allowance{});
}

}  // namespace
}  // namespace syncline::scheduling
