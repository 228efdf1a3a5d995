#include "facade/validate.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/nearest.hpp"
#include "core/text.hpp"

namespace syncline::facade {

namespace {

using core::Error;
using core::ErrorKind;
using core::Status;

constexpr std::size_t kShown = 6;

bool is_glob(const std::string& text) {
  return text.find_first_of("*?[{") != std::string::npos;
}

// Most names are plain: a comparison is a hundred times cheaper than a glob.
bool means(const std::string& pattern, const std::string& node) {
  return pattern == node || (is_glob(pattern) && core::glob_matches(pattern, node));
}

bool is_meant(const std::vector<std::string>& patterns, const std::string& node) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return means(pattern, node); });
}

Error missing(const std::string& kind, const std::string& name,
              const std::vector<std::string>& known) {
  std::string what = "there is no " + kind + " '" + name + "'" + core::did_you_mean(name, known);
  if (!known.empty()) what += " (known: " + core::say_list(known, kShown) + ")";
  return {ErrorKind::kMissing, std::move(what), name};
}

Error invalid(std::string what, std::string subject) {
  return {ErrorKind::kInvalid, std::move(what), std::move(subject)};
}

std::vector<std::string> collection_names(const Known& known) {
  std::vector<std::string> names;
  for (const Known::Collection& collection : known.collections) {
    names.push_back(collection.name.text);
  }
  return names;
}

Status check_data_type(const SyncRequest& request, const Known& known) {
  if (request.data_type.empty()) {
    return invalid("no data type is named: give a collection or 'all'", "data_type");
  }
  std::vector<std::string> names = collection_names(known);
  if (request.data_type == "all") {
    if (names.empty()) return missing("collection configured, so nothing to sync with", "all", {});
    return {};
  }
  if (std::find(names.begin(), names.end(), request.data_type) != names.end()) return {};
  names.emplace_back("all");
  return missing("collection", request.data_type, names);
}

Status check_nodes(const std::vector<std::string>& patterns, const Known& known) {
  for (const std::string& pattern : patterns) {
    if (pattern.empty()) return invalid("a node's name is empty", "targets");
    const bool is_known =
        std::any_of(known.nodes.begin(), known.nodes.end(),
                    [&](const std::string& node) { return means(pattern, node); });
    if (is_known) continue;
    if (is_glob(pattern)) {
      return Error{
          ErrorKind::kMissing,
          "no node matches '" + pattern + "' (known: " + core::say_list(known.nodes, kShown) + ")",
          pattern};
    }
    return missing("node", pattern, known.nodes);
  }
  return {};
}

// Excluding what does not exist is a typing error as well: what was meant would not be excluded.
Status check_targets(const SyncRequest& request, const Known& known) {
  SYNCLINE_TRY(check_nodes(request.targets, known));
  SYNCLINE_TRY(check_nodes(request.exclude_nodes, known));
  for (const std::string& target : request.targets) {
    if (is_glob(target)) continue;
    for (const std::string& excluded : request.exclude_nodes) {
      if (!means(excluded, target)) continue;
      const std::string by = excluded == target ? "" : " by '" + excluded + "'";
      return invalid("'" + target + "' is both named as a target and excluded" + by, target);
    }
  }
  if (request.exclude_nodes.empty()) return {};
  const auto excluded = matching_nodes(request.exclude_nodes, known.nodes);
  const auto asked = request.targets.empty() ? matching_nodes({"*"}, known.nodes)
                                             : matching_nodes(request.targets, known.nodes);
  const bool is_anybody_left = std::any_of(asked.begin(), asked.end(), [&](const auto& node) {
    return std::find(excluded.begin(), excluded.end(), node) == excluded.end();
  });
  if (!asked.empty() && !is_anybody_left) {
    return invalid("every node that it could go to is excluded", "exclude_nodes");
  }
  return {};
}

bool asks_for_key(const SyncRequest& request) {
  return !request.board_type.empty() || request.num_players.has_value();
}

Status check_config_key(const SyncRequest& request, const Known& known) {
  if (!asks_for_key(request)) return {};
  if (request.num_players && (*request.num_players < 1 || *request.num_players > 64)) {
    return invalid("the number of players must lie between 1 and 64, not " +
                       std::to_string(*request.num_players),
                   "num_players");
  }
  const std::string& board = request.board_type;
  const bool is_name = std::all_of(board.begin(), board.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
  if (!is_name || board.size() > 64) {
    return invalid("a board type is a name such as hex8, not '" + board.substr(0, 64) + "'",
                   "board_type");
  }
  bool has_partitions = false;
  std::set<std::string> keys;
  for (const Known::Collection& collection : known.collections) {
    if (request.data_type != "all" && request.data_type != collection.name.text) continue;
    has_partitions = has_partitions || collection.has_config_keys;
    keys.insert(collection.config_keys.begin(), collection.config_keys.end());
  }
  const std::string pattern = config_key_pattern(request);
  if (!has_partitions) {
    return invalid(request.data_type + " is not divided by board type or number of players, so '" +
                       pattern + "' cannot be picked out of it",
                   "board_type");
  }
  if (keys.empty()) return {};  // none seen yet: then there is nothing to move, and that is true
  for (const std::string& key : keys) {
    if (is_config_key_asked(request, core::ConfigKey(key))) return {};
  }
  return missing("data with config key", pattern, {keys.begin(), keys.end()});
}

Status check_numbers(const SyncRequest& request) {
  if (!std::isfinite(request.timeout_s) || request.timeout_s <= 0) {
    return invalid("the timeout must be more than 0 s, not " + core::say_number(request.timeout_s),
                   "timeout_s");
  }
  if (request.timeout_s > 7 * 86400.0) {
    return invalid("the timeout is at most 7 days (604800 s), not " +
                       core::say_number(request.timeout_s) + " s",
                   "timeout_s");
  }
  if (!std::isfinite(request.bandwidth_limit_mbps) || request.bandwidth_limit_mbps < 0) {
    return invalid("the bandwidth limit is 0 (as configured) or a number of MB/s, not " +
                       core::say_number(request.bandwidth_limit_mbps),
                   "bandwidth_limit_mbps");
  }
  return {};
}

Status check_transport(const SyncRequest& request, const Known& known) {
  if (request.transport.empty()) return {};
  const auto& names = known.transports;
  if (std::find(names.begin(), names.end(), request.transport) != names.end()) return {};
  return missing("transport here called", request.transport, names);
}

}  // namespace

Status validate(const SyncRequest& request, const Known& known) {
  SYNCLINE_TRY(check_data_type(request, known));
  SYNCLINE_TRY(check_targets(request, known));
  SYNCLINE_TRY(check_config_key(request, known));
  SYNCLINE_TRY(check_numbers(request));
  return check_transport(request, known);
}

SyncRequest resolved(const SyncRequest& request, const Known& known) {
  SyncRequest plain = request;
  plain.targets.clear();
  plain.exclude_nodes.clear();
  std::set<core::NodeId> excluded;
  for (const core::NodeId& node : matching_nodes(request.exclude_nodes, known.nodes)) {
    excluded.insert(node);
    plain.exclude_nodes.push_back(node.text);
  }
  for (const core::NodeId& node : matching_nodes(request.targets, known.nodes)) {
    if (excluded.count(node) == 0) plain.targets.push_back(node.text);
  }
  return plain;
}

std::vector<core::NodeId> matching_nodes(const std::vector<std::string>& patterns,
                                         const std::vector<std::string>& nodes) {
  std::vector<core::NodeId> found;
  std::set<std::string> seen;
  for (const std::string& node : nodes) {
    if (is_meant(patterns, node) && seen.insert(node).second) found.emplace_back(node);
  }
  return found;
}

core::ConfigKey config_key_of(const SyncRequest& request) {
  if (request.board_type.empty() || !request.num_players) return {};
  return core::ConfigKey(config_key_pattern(request));
}

std::string config_key_pattern(const SyncRequest& request) {
  if (!asks_for_key(request)) return {};
  const std::string board = request.board_type.empty() ? "*" : request.board_type;
  const std::string players =
      request.num_players ? std::to_string(*request.num_players) + "p" : "*";
  return board + "_" + players;
}

bool is_config_key_asked(const SyncRequest& request, const core::ConfigKey& key) {
  // A board type may hold an underscore itself; the number of players comes last.
  const std::size_t cut = key.text.rfind('_');
  const std::string board = key.text.substr(0, cut);
  const std::string players = cut == std::string::npos ? "" : key.text.substr(cut + 1);
  if (!request.board_type.empty() && board != request.board_type) return false;
  return !request.num_players || players == std::to_string(*request.num_players) + "p";
}

}  // namespace syncline::facade
