#include "spot/wall_time.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <string>

namespace syncline::spot {
namespace {

TEST(WallTime, reads_the_examples_of_the_documents) {
  EXPECT_EQ(parse_iso_time("2017-09-18T08:22:00Z"), core::WallMs{1505722920000});
  EXPECT_EQ(parse_iso_time("2017-09-18T08:22:00.123Z"), core::WallMs{1505722920000});
  EXPECT_EQ(parse_http_time("Mon, 19 Sep 2016 18:29:47 GMT"), core::WallMs{1474309787000});
}

TEST(WallTime, refuses_what_is_no_moment) {
  for (const char* text :
       {"", "2017", "2017-09-18", "2017-09-18T08:22:00", "2017-09-18 08:22:00Z",
        "2017-13-18T08:22:00Z", "2017-02-30T08:22:00Z", "2017-09-18T24:22:00Z",
        "2017-09-18T08:60:00Z", "2017-09-18T08:22:00.Z", "2017-09-18T08:22:00+02:00",
        "-017-09-18T08:22:00Z", "2017-09-18T08:22:00Zjunk"}) {
    EXPECT_FALSE(parse_iso_time(text)) << text;
  }
  for (const char* text :
       {"", "Mon", "Mon, ", "Mon, 19 Sep 2016 18:29:47", "Mon, 19 Sep 2016 18:29:47 CET",
        "Mon, 19 Spt 2016 18:29:47 GMT", "Mon, 31 Feb 2016 18:29:47 GMT",
        "Monday, 19-Sep-16 18:29:47 GMT", "Mon, 19 Sep 2016 18:29:4 GMT"}) {
    EXPECT_FALSE(parse_http_time(text)) << text;
  }
}

RC_GTEST_PROP(WallTime, reads_back_every_second_that_the_c_library_writes, ()) {
  const auto at = static_cast<std::time_t>(*rc::gen::inRange<std::int64_t>(0, 4102444800));
  std::tm parts{};
  ::gmtime_r(&at, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  RC_ASSERT(parse_iso_time(text.data()) == core::WallMs{at * 1000});
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  RC_ASSERT(parse_http_time(text.data()) == core::WallMs{at * 1000});
}

}  // namespace
}  // namespace syncline::spot
