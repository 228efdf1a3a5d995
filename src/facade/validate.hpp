// Every argument of a request is honoured or refused with a reason, before anything is done.
#pragma once

#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"
#include "facade/types.hpp"

namespace syncline::facade {

// What a request may name.
struct Known {
  struct Collection {
    core::CollectionName name;
    bool has_config_keys = false;          // it declares config_key columns, or is partitioned
    std::vector<std::string> config_keys;  // seen so far: "hex8_2p"; empty = none seen yet
  };
  std::vector<Collection> collections;
  std::vector<std::string> nodes;       // all that the catalog knows, this one included
  std::vector<std::string> transports;  // compiled in and able to start here
};

// A restriction to config keys together with "all" means the collections that are divided by them.
// kInvalid or kMissing with one sentence and, for a mistyped name, the nearest known one.
core::Status validate(const SyncRequest& request, const Known& known);

// The request with globs in `targets` and `exclude_nodes` replaced by the node ids they match, the
// excluded taken out of the targets. REQUIRES: the request is valid.
SyncRequest resolved(const SyncRequest& request, const Known& known);

// The node ids that match any of these names or globs, each once, in the order of `nodes`.
std::vector<core::NodeId> matching_nodes(const std::vector<std::string>& patterns,
                                         const std::vector<std::string>& nodes);

// "hex8_2p" where both board type and number of players are given, else empty.
core::ConfigKey config_key_of(const SyncRequest& request);

// Glob of the config keys that the request is restricted to: "hex8_2p", with a board type alone
// "hex8_*", with a number of players alone "*_2p"; empty without restriction.
std::string config_key_pattern(const SyncRequest& request);
bool is_config_key_asked(const SyncRequest& request, const core::ConfigKey& key);

}  // namespace syncline::facade
