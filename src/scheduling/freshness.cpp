#include "scheduling/freshness.hpp"

#include <algorithm>
#include <set>

namespace syncline::scheduling {

namespace {
constexpr core::Duration kDefaultTarget = core::seconds(60);
}  // namespace

void Freshness::set_target(const core::CollectionName& collection, core::Duration target) {
  targets_[collection] = target;
}

void Freshness::told_oldest(const FreshnessKey& key, std::optional<core::Instant> oldest) {
  states_[key].oldest = oldest;
}

void Freshness::told_next_run(const FreshnessKey& key, std::optional<core::Instant> next_run,
                              std::string waiting_for) {
  State& state = states_[key];
  state.next_run = next_run;
  state.waiting_for = std::move(waiting_for);
}

void Freshness::forget(const core::CollectionName& collection) {
  targets_.erase(collection);
  const auto first = states_.lower_bound({collection, core::ConfigKey()});
  auto last = first;
  while (last != states_.end() && last->first.first == collection) ++last;
  states_.erase(first, last);
}

core::Duration Freshness::target_of(const core::CollectionName& collection) const {
  const auto target = targets_.find(collection);
  return target == targets_.end() ? kDefaultTarget : target->second;
}

core::Duration Freshness::age(const FreshnessKey& key, core::Instant now) const {
  const auto state = states_.find(key);
  if (state == states_.end() || !state->second.oldest) return core::Duration(0);
  return std::max(now - *state->second.oldest, core::Duration(0));
}

bool Freshness::is_over_target(const FreshnessKey& key, core::Instant now) const {
  return age(key, now) > target_of(key.first);
}

std::vector<facade::FreshnessRow> Freshness::rows(core::Instant now) const {
  std::vector<facade::FreshnessRow> rows;
  std::set<core::CollectionName> with_rows;
  for (const auto& [key, state] : states_) {
    facade::FreshnessRow row;
    row.collection = key.first.text;
    row.config_key = key.second.text;
    row.age_s = core::to_seconds(age(key, now));
    row.target_s = core::to_seconds(target_of(key.first));
    if (state.next_run) {
      row.next_run_s = std::max(core::to_seconds(*state.next_run - now), 0.0);
    }
    row.waiting_for = state.waiting_for;
    rows.push_back(std::move(row));
    with_rows.insert(key.first);
  }
  for (const auto& [collection, target] : targets_) {
    if (with_rows.count(collection) > 0) continue;
    facade::FreshnessRow row;
    row.collection = collection.text;
    row.target_s = core::to_seconds(target);
    rows.push_back(std::move(row));
  }
  const auto over = [](const facade::FreshnessRow& row) {
    return row.target_s > 0 ? row.age_s / row.target_s : row.age_s * 1e9;
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const auto& a, const auto& b) { return over(a) > over(b); });
  return rows;
}

std::optional<core::Instant> Freshness::next_wake(core::Instant now) const {
  std::optional<core::Instant> wake;
  for (const auto& [key, state] : states_) {
    if (!state.oldest) continue;
    const core::Instant over_at = *state.oldest + target_of(key.first) + core::Duration(1);
    if (over_at > now && (!wake || over_at < *wake)) wake = over_at;
  }
  return wake;
}

}  // namespace syncline::scheduling
