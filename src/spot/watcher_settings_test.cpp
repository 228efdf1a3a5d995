// What the watcher takes from the configuration, and what it refuses.
#include <gtest/gtest.h>

#include "spot/watcher.hpp"

namespace syncline::spot {
namespace {

TEST(WatcherSettings, refuse_a_base_that_is_no_url) {
  const env::SystemClock clock;
  for (const char* base : {"", "169.254.169.254", "ftp://169.254.169.254", "http://"}) {
    WatcherSettings used;
    used.base_gcp = base;
    const auto started = Watcher::start(used, clock, {});
    ASSERT_FALSE(started.ok()) << base;
    EXPECT_EQ(started.error().kind, core::ErrorKind::kInvalid);
  }
}

TEST(WatcherSettings, follow_the_configuration) {
  core::SpotConfig spot;
  spot.poll_interval_ms = 700;
  spot.metadata_gcp = "http://127.0.0.1:9";
  const WatcherSettings made = watcher_settings(spot, core::Tristate::kAuto);
  EXPECT_EQ(made.poll_interval, core::milliseconds(700));
  EXPECT_EQ(made.base_gcp, "http://127.0.0.1:9");
  EXPECT_FALSE(made.is_ephemeral_for_certain);
  EXPECT_TRUE(watcher_settings(spot, core::Tristate::kTrue).is_ephemeral_for_certain);
}

}  // namespace
}  // namespace syncline::spot
