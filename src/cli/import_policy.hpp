// What the fleet-wide sections of distributed_hosts.yaml ask for. Internal to the import.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/import_tree.hpp"
#include "core/config.hpp"

namespace syncline::cli {

struct ExternalStorage {
  std::string host;
  std::string path;
  std::map<std::string, std::string> subfolders;  // games, npz, models -> below `path`
};

struct FleetPolicy {
  std::optional<double> disk_used_max_percent;
  std::optional<double> disk_used_target_percent;
  std::optional<double> disk_free_min_percent;
  std::optional<double> copies;
  std::optional<double> poll_s;
  std::optional<double> gossip_interval_s;
  std::optional<double> jobs_max;
  std::optional<double> bandwidth_mbps;
  std::optional<double> elo_target_s;
  std::string elo_coordinator;
  std::vector<std::string> voters;
  std::vector<std::string> ephemeral_globs;
  std::vector<std::pair<std::string, double>> bandwidth_globs;  // first match wins
  std::vector<std::vector<std::string>> storage_groups;         // hosts on one export, globs
  std::map<std::string, std::set<std::string>> excluded;        // collection -> hosts that get none
  std::vector<ExternalStorage> external;
  std::optional<core::StrategyName> strategy;  // of games

  bool has_external_storage(const std::string& host) const;
};

// The collections that the older system had.
const std::vector<std::string>& old_collections();
// The collection that a storage path or subfolder of this name is for; empty if none.
std::string collection_called(const std::string& name);
inline constexpr const char* kNoCollection =
    "no collection of this name; declare one if it shall travel";

// Reads every section but `hosts`.
FleetPolicy read_policy(const Tree& document, Ledger& ledger);

}  // namespace syncline::cli
