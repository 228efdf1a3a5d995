#include "facade/stats.hpp"

#include <algorithm>
#include <cmath>

#include "core/check.hpp"
#include "facade/types.hpp"

namespace syncline::facade {

void Histogram::add(core::Duration took) {
  const double seconds = std::max(core::to_seconds(took), 0.0);
  const auto at = std::lower_bound(kBoundsS.begin(), kBoundsS.end(), seconds);
  ++counts[static_cast<std::size_t>(at - kBoundsS.begin())];
  ++count;
  sum_s += seconds;
}

void LatencyWindow::add(core::Duration latency) {
  const std::int64_t ns = std::max<std::int64_t>(latency.count(), 0);
  if (samples_.size() < kLatencySamples) {
    samples_.push_back(ns);
    return;
  }
  samples_[next_] = ns;
  next_ = (next_ + 1) % kLatencySamples;
}

core::Duration LatencyWindow::percentile(double percent) const {
  SYNCLINE_CHECK(percent > 0 && percent <= 100, "percent", percent);
  if (samples_.empty()) return core::Duration(0);
  std::vector<std::int64_t> ordered = samples_;
  // The epsilon keeps 99 % of 100 samples at 99, though 0.99 has no exact binary form.
  const double rank = std::ceil(percent * static_cast<double>(ordered.size()) / 100.0 - 1e-9);
  const auto at = ordered.begin() + std::max<std::int64_t>(static_cast<std::int64_t>(rank) - 1, 0);
  std::nth_element(ordered.begin(), at, ordered.end());
  return core::Duration(*at);
}

void Stats::count(const std::string& backend, std::uint64_t bytes, bool is_ok,
                  core::Duration took) {
  Row& row = rows_[backend];
  ++row.syncs;
  row.bytes += bytes;
  if (!is_ok) ++row.errors;
  row.seconds += std::max(core::to_seconds(took), 0.0);
  series_.syncs[backend].add(took);
}

void Stats::became_durable(const std::string& collection, core::Duration commit_to_durable) {
  durable_.add(commit_to_durable);
  series_.durable[collection].add(commit_to_durable);
}

void Stats::fetched(const Fetched& fetch) {
  const auto count_in = [&](FetchSeries& series) {
    series.bytes += fetch.bytes;
    series.errors += fetch.is_ok ? 0 : 1;
    series.took.add(fetch.took);
  };
  count_in(series_.by_transport[fetch.transport]);
  count_in(series_.by_collection[fetch.collection]);
  if (!fetch.node.empty()) count_in(series_.by_node[fetch.node]);
}

void Stats::add(const std::string& counter, std::uint64_t amount) {
  counters_[counter] += amount;
}

StatsReport Stats::report() const {
  std::map<std::string, Row> rows = rows_;
  for (const Backend backend : {Backend::kHybrid, Backend::kBroadcast, Backend::kRouter,
                                Backend::kEphemeral, Backend::kPull, Backend::kTransfer}) {
    rows.try_emplace(to_string(backend));
  }
  StatsReport report;
  for (const auto& [name, row] : rows) {
    BackendStats stats{name, row.syncs, row.bytes, row.errors, 0, 0};
    if (row.syncs > 0) {
      const double syncs = static_cast<double>(row.syncs);
      stats.error_rate = static_cast<double>(row.errors) / syncs;
      stats.latency_mean_s = row.seconds / syncs;
    }
    report.total_syncs += row.syncs;
    report.total_bytes += row.bytes;
    report.total_errors += row.errors;
    report.by_backend.push_back(std::move(stats));
  }
  report.durable_p50_ms = core::to_seconds(durable_.percentile(50)) * 1000;
  report.durable_p99_ms = core::to_seconds(durable_.percentile(99)) * 1000;
  report.counters = counters_;
  return report;
}

}  // namespace syncline::facade
