// The one source of chance: everything a run does is drawn from its seed.
#pragma once

#include <cstdint>

#include "core/time.hpp"

namespace syncline::simulation {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {  // SplitMix64 (Steele et al. 2014)
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : next() % n; }
  int between(int low, int high) {  // both inclusive
    return low + static_cast<int>(below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool chance(int percent) { return between(0, 99) < percent; }
  core::Duration between(core::Duration low, core::Duration high) {
    return low + core::Duration(static_cast<std::int64_t>(
                     below(static_cast<std::uint64_t>((high - low).count() + 1))));
  }

 private:
  std::uint64_t state_;
};

}  // namespace syncline::simulation
