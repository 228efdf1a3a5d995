#include "scheduling/recommend.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace syncline::scheduling {

namespace {

using core::Priority;

// "hex8_2p" -> " --board-type hex8 --num-players 2"; nothing for keys of another form.
std::string key_arguments(const std::string& key) {
  const std::size_t cut = key.rfind('_');
  if (cut == std::string::npos || cut == 0 || key.size() < cut + 3 || key.back() != 'p') return {};
  const std::string players = key.substr(cut + 1, key.size() - cut - 2);
  const bool is_number =
      std::all_of(players.begin(), players.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return {};
  return " --board-type " + key.substr(0, cut) + " --num-players " + players;
}

// Twice the target is late, four times is alarming: then somebody waits for it.
Priority priority_of(double age_s, double target_s) {
  if (age_s > 4 * target_s) return Priority::kCritical;
  return age_s > 2 * target_s ? Priority::kHigh : Priority::kNormal;
}

void add_late(const facade::FreshnessRow& row, std::vector<Recommendation>& out) {
  if (row.age_s <= row.target_s) return;
  Recommendation advice;
  advice.priority = priority_of(row.age_s, row.target_s);
  advice.subject = row.config_key.empty() ? row.collection : row.collection + "/" + row.config_key;
  advice.why = "its oldest data waits for " + core::say_seconds(row.age_s) + ", the target is " +
               core::say_seconds(row.target_s);
  if (!row.waiting_for.empty()) advice.why += "; " + row.waiting_for;
  advice.command = "syncline sync " + row.collection + key_arguments(row.config_key);
  if (advice.priority != Priority::kNormal) {
    advice.command += std::string(" --priority ") + core::to_string(advice.priority);
  }
  out.push_back(std::move(advice));
}

void add_spot(const SpotAtRisk& spot, std::vector<Recommendation>& out) {
  if (spot.unacked_bytes <= spot.allowed_bytes) return;
  out.push_back({Priority::kCritical, spot.node,
                 core::say_bytes(static_cast<double>(spot.unacked_bytes)) +
                     " are on this spot node only; " +
                     core::say_bytes(static_cast<double>(spot.allowed_bytes)) +
                     " could leave it after a notice",
                 "syncline flush   (on " + spot.node + ")"});
}

void add_copies(const CopiesMissing& missing, std::vector<Recommendation>& out) {
  if (missing.copies >= missing.wanted) return;
  out.push_back(
      {missing.copies <= 1 ? Priority::kCritical : Priority::kHigh, missing.collection,
       core::say_count(static_cast<std::uint64_t>(std::max(missing.copies, 0)), "copy", "copies") +
           " in distinct failure domains instead of " + std::to_string(missing.wanted),
       "syncline route " + missing.collection + " --explain"});
}

void add_disk(const DiskFilling& disk, std::vector<Recommendation>& out) {
  if (disk.used_percent <= disk.target_percent) return;
  const bool is_over = disk.used_percent > disk.max_percent;
  out.push_back(
      {is_over ? Priority::kHigh : Priority::kLow, disk.node,
       "its disk is " + core::say_percent(disk.used_percent) + " full; " +
           (is_over ? "beyond " + core::say_percent(disk.max_percent) + " it takes nothing more"
                    : "the target is " + core::say_percent(disk.target_percent)),
       "free some space on " + disk.node});
}

}  // namespace

std::vector<Recommendation> recommend(const Situation& situation) {
  std::vector<Recommendation> found;
  for (const SpotAtRisk& spot : situation.spots) add_spot(spot, found);
  for (const CopiesMissing& missing : situation.copies) add_copies(missing, found);
  for (const facade::FreshnessRow& row : situation.freshness) add_late(row, found);
  for (const DiskFilling& disk : situation.disks) add_disk(disk, found);
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.priority < b.priority; });
  return found;
}

}  // namespace syncline::scheduling
