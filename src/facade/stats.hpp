// Statistics by backend, and the latency from commit to durable.
//
// Latencies: the last 10,000 samples, exactly (80 KB); percentiles are computed when asked.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "facade/reports.hpp"
#include "facade/series.hpp"

namespace syncline::facade {

constexpr std::size_t kLatencySamples = 10'000;

class LatencyWindow {
 public:
  void add(core::Duration latency);  // negative ones (a clock that jumped) count as 0
  std::size_t size() const { return samples_.size(); }
  // Nearest rank: the smallest sample that at least `percent` of all do not exceed. 0 if empty.
  // REQUIRES: 0 < percent <= 100
  core::Duration percentile(double percent) const;

 private:
  std::vector<std::int64_t> samples_;  // ns, a ring once full
  std::size_t next_ = 0;
};

class Stats {
 public:
  // One request, or one part of a request for "all", ended.
  void count(const std::string& backend, std::uint64_t bytes, bool is_ok, core::Duration took);
  void became_durable(const std::string& collection, core::Duration commit_to_durable);
  void fetched(const Fetched& fetch);
  void add(const std::string& counter, std::uint64_t amount = 1);

  // Every backend has a row, those never used too; rows by name.
  StatsReport report() const;
  const Series& series() const { return series_; }

 private:
  std::map<std::string, std::uint64_t> counters_;
  LatencyWindow durable_;
  Series series_;
};

}  // namespace syncline::facade
