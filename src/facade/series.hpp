// Durations and sizes by backend, collection, transport and node, for /metrics.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "core/time.hpp"

namespace syncline::facade {

// From a LAN's fetch of one small file to a drain that takes its whole deadline.
inline constexpr std::array<double, 14> kBoundsS = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                    1,     2.5,  5,     10,   30,  60,   300};

// Fixed memory: a count per bucket, the last of what is beyond all bounds.
struct Histogram {
  std::array<std::uint64_t, kBoundsS.size() + 1> counts{};
  std::uint64_t count = 0;
  double sum_s = 0;
  void add(core::Duration took);  // negative ones (a clock that jumped) count as 0
};

// One attempt to fetch an object ended.
struct Fetched {
  std::string transport;
  std::string collection;
  std::string node;  // most bytes came from; empty: nobody's
  std::uint64_t bytes = 0;
  bool is_ok = true;
  core::Duration took{0};
};

struct Tally {
  std::uint64_t bytes = 0;
  std::uint64_t errors = 0;
  Histogram took;
  void add(std::uint64_t bytes_moved, bool is_ok, core::Duration duration);
};

struct Series {
  std::map<std::string, Tally> syncs;        // by backend
  std::map<std::string, Histogram> durable;  // by collection: commit to k acks
  std::map<std::string, Tally> by_transport;
  std::map<std::string, Tally> by_collection;
  std::map<std::string, Tally> by_node;
};

}  // namespace syncline::facade
