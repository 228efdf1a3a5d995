// How old the oldest data is that is not yet where it is wanted, per collection and config key,
// against the collection's target. "Nothing stops silently" is read from here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "facade/reports.hpp"

namespace syncline::scheduling {

using FreshnessKey = std::pair<core::CollectionName, core::ConfigKey>;

class Freshness {
 public:
  // Of the whole collection; keys not seen before are rows from now on.
  void set_target(const core::CollectionName& collection, core::Duration target);

  // The oldest unit or object that is not yet on every node that wants it; none: all are there.
  void told_oldest(const FreshnessKey& key, std::optional<core::Instant> oldest);
  // When it will be looked at or moved next, and what it waits for meanwhile (one sentence).
  void told_next_run(const FreshnessKey& key, std::optional<core::Instant> next_run,
                     std::string waiting_for);
  void forget(const core::CollectionName& collection);

  core::Duration age(const FreshnessKey& key, core::Instant now) const;  // 0 if nothing is late
  bool is_over_target(const FreshnessKey& key, core::Instant now) const;

  // One row per key, the one furthest over its target first; a collection without keys has one
  // row with an empty key.
  std::vector<facade::FreshnessRow> rows(core::Instant now) const;

  // When the next key that is in time now will be over its target, if nothing happens until then.
  std::optional<core::Instant> next_wake(core::Instant now) const;

 private:
  struct State {
    std::optional<core::Instant> oldest;
    std::optional<core::Instant> next_run;
    std::string waiting_for;
  };
  core::Duration target_of(const core::CollectionName& collection) const;

  std::map<core::CollectionName, core::Duration> targets_;
  std::map<FreshnessKey, State> states_;
};

}  // namespace syncline::scheduling
