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

void Tally::add(std::uint64_t bytes_moved, bool is_ok, core::Duration duration) {
  bytes += bytes_moved;
  errors += is_ok ? 0 : 1;
  took.add(duration);
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
  series_.syncs[backend].add(bytes, is_ok, took);
}

void Stats::became_durable(const std::string& collection, core::Duration commit_to_durable) {
  durable_.add(commit_to_durable);
  series_.durable[collection].add(commit_to_durable);
}

void Stats::fetched(const Fetched& fetch) {
  series_.by_transport[fetch.transport].add(fetch.bytes, fetch.is_ok, fetch.took);
  series_.by_collection[fetch.collection].add(fetch.bytes, fetch.is_ok, fetch.took);
  if (!fetch.node.empty()) series_.by_node[fetch.node].add(fetch.bytes, fetch.is_ok, fetch.took);
}

void Stats::add(const std::string& counter, std::uint64_t amount) {
  counters_[counter] += amount;
}

StatsReport Stats::report() const {
  std::map<std::string, Tally> rows = series_.syncs;
  for (const Backend backend : {Backend::kHybrid, Backend::kBroadcast, Backend::kRouter,
                                Backend::kEphemeral, Backend::kPull, Backend::kTransfer}) {
    rows.try_emplace(to_string(backend));
  }
  StatsReport report;
  for (const auto& [name, row] : rows) {
    BackendStats stats{name, row.took.count, row.bytes, row.errors, 0, 0};
    if (row.took.count > 0) {
      const double syncs = static_cast<double>(row.took.count);
      stats.error_rate = static_cast<double>(row.errors) / syncs;
      stats.latency_mean_s = row.took.sum_s / syncs;
    }
    report.total_syncs += row.took.count;
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
