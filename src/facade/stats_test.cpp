#include "facade/stats.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace syncline::facade {
namespace {

using core::milliseconds;

TEST(Stats, counts_by_backend_and_in_total) {
  Stats stats;
  stats.count("hybrid", 1000, true, core::seconds(1));
  stats.count("hybrid", 500, false, core::seconds(3));
  stats.count("router", 7, true, core::seconds(5));
  stats.add("probes", 2);
  stats.add("probes");
  const StatsReport report = stats.report();
  EXPECT_EQ(report.total_syncs, 3u);
  EXPECT_EQ(report.total_bytes, 1507u);
  EXPECT_EQ(report.total_errors, 1u);
  EXPECT_EQ(report.counters.at("probes"), 3u);
  ASSERT_EQ(report.by_backend.size(), 6u);
  for (const BackendStats& row : report.by_backend) {
    if (row.backend == "hybrid") {
      EXPECT_EQ(row.syncs, 2u);
      EXPECT_EQ(row.bytes, 1500u);
      EXPECT_DOUBLE_EQ(row.error_rate, 0.5);
      EXPECT_DOUBLE_EQ(row.latency_mean_s, 2);
    } else if (row.backend != "router") {
      EXPECT_EQ(row.syncs, 0u);
      EXPECT_EQ(row.error_rate, 0);
    }
  }
}

TEST(Stats, percentiles_are_of_the_nearest_rank) {
  Stats stats;
  EXPECT_EQ(stats.report().durable_p99_ms, 0);
  for (int ms = 1; ms <= 100; ++ms) stats.became_durable("games", milliseconds(ms));
  EXPECT_DOUBLE_EQ(stats.report().durable_p50_ms, 50);
  EXPECT_DOUBLE_EQ(stats.report().durable_p99_ms, 99);
}

TEST(Stats, only_the_last_ten_thousand_latencies_count) {
  LatencyWindow window;
  for (int i = 0; i < 5000; ++i) window.add(core::seconds(1000));
  for (std::size_t i = 0; i < kLatencySamples; ++i) window.add(milliseconds(3));
  EXPECT_EQ(window.size(), kLatencySamples);
  EXPECT_EQ(window.percentile(100), milliseconds(3));
}

TEST(Stats, a_clock_that_jumped_back_counts_as_nothing) {
  LatencyWindow window;
  window.add(milliseconds(-5));
  EXPECT_EQ(window.percentile(50), core::Duration(0));
}

RC_GTEST_PROP(Stats, a_percentile_is_the_smallest_sample_that_enough_do_not_exceed, ()) {
  const auto samples =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 50)));
  const int percent = *rc::gen::inRange(1, 101);
  LatencyWindow window;
  for (const int sample : samples) window.add(core::Duration(sample));
  const auto answer = window.percentile(percent).count();
  const auto share_at_most = [&](std::int64_t limit) {
    return std::count_if(samples.begin(), samples.end(), [&](int s) { return s <= limit; }) * 100;
  };
  const auto needed = percent * static_cast<std::int64_t>(samples.size());
  RC_ASSERT(share_at_most(answer) >= needed);
  RC_ASSERT(share_at_most(answer - 1) < needed);
  RC_ASSERT(std::find(samples.begin(), samples.end(), answer) != samples.end());
}

TEST(Stats, histograms_have_each_duration_in_the_bucket_whose_bound_it_does_not_exceed) {
  Histogram histogram;
  for (const int ms : {-3, 0, 5, 6, 10, 1000, 1001, 299'999, 300'000, 300'001}) {
    histogram.add(milliseconds(ms));
  }
  const std::map<double, std::uint64_t> wanted = {
      {0.005, 3}, {0.01, 2}, {1, 1}, {2.5, 1}, {300, 2}};
  for (std::size_t i = 0; i < kBoundsS.size(); ++i) {
    const auto it = wanted.find(kBoundsS[i]);
    EXPECT_EQ(histogram.counts[i], it == wanted.end() ? 0u : it->second) << kBoundsS[i];
  }
  EXPECT_EQ(histogram.counts.back(), 1u);
  EXPECT_EQ(histogram.count, 10u);
  EXPECT_NEAR(histogram.sum_s, 902.022, 1e-9);
}

TEST(Stats, a_fetch_counts_for_its_transport_its_collection_and_its_node) {
  Stats stats;
  stats.fetched({"p2p", "models", "home", 100, true, milliseconds(20)});
  stats.fetched({"ssh", "models", "", 7, false, milliseconds(30)});
  const Series& series = stats.series();
  EXPECT_EQ(series.by_transport.at("p2p").bytes, 100u);
  EXPECT_EQ(series.by_transport.at("ssh").errors, 1u);
  EXPECT_EQ(series.by_collection.at("models").took.count, 2u);
  EXPECT_EQ(series.by_node.size(), 1u) << "nobody is blamed for what came from nobody";
}

}  // namespace
}  // namespace syncline::facade
