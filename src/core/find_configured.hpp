// What the configuration says of one collection, or of one host without a daemon, by its name.
#pragma once

#include <algorithm>

#include "core/check.hpp"
#include "core/config.hpp"

namespace syncline::core {

// Null: this node has no such collection. Points into `config`.
inline const CollectionConfig* find_collection(const Config& config, const CollectionName& name) {
  const auto at = std::find_if(config.collections.begin(), config.collections.end(),
                               [&](const CollectionConfig& one) { return one.name == name; });
  return at == config.collections.end() ? nullptr : &*at;
}

// REQUIRES: an [[agentless]] host of this name.
inline const AgentlessConfig& agentless_host(const Config& config, const NodeId& id) {
  const auto at = std::find_if(config.agentless.begin(), config.agentless.end(),
                               [&](const AgentlessConfig& host) { return host.name == id; });
  SYNCLINE_CHECK(at != config.agentless.end(), "an agentless host that nobody configured", id);
  return *at;
}

}  // namespace syncline::core
