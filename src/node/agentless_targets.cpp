#include "node/agentless_targets.hpp"

#include <algorithm>

#include "facade/backend.hpp"

namespace syncline::node {

using core::CollectionName;
using core::NodeId;

namespace {

std::string refusal_of(const core::Config& config, const AgentlessTarget& target,
                       const facade::SyncRequest& asked) {
  const std::string name = target.host.text;
  if (!asked.transport.empty() && asked.transport != "ssh") {
    return name + " has no daemon: only ssh reaches it, not " + asked.transport;
  }
  if (asked.bandwidth_limit_mbps > 0) {
    return name + " has no daemon: what is given to it is limited by bandwidth_mbps of its " +
           "[[agentless]], not by a request";
  }
  if (!target.collections.empty()) return {};
  const bool is_records =
      std::any_of(config.collections.begin(), config.collections.end(), [&](const auto& one) {
        return one.name.text == asked.data_type && one.kind == core::Kind::kSqlite;
      });
  if (is_records) return name + " has no daemon to merge records: only files can be given to it";
  return name + " is given no " + (asked.data_type == "all" ? "files" : asked.data_type) +
         ": name a folder for them in `deliver` of its [[agentless]]";
}

}  // namespace

std::vector<AgentlessTarget> take_agentless_targets(const core::Config& config,
                                                    const std::set<NodeId>& with_daemon,
                                                    facade::SyncRequest& resolved) {
  std::vector<AgentlessTarget> taken;
  for (const core::AgentlessConfig& host : config.agentless) {
    const auto at = std::find(resolved.targets.begin(), resolved.targets.end(), host.name.text);
    if (at == resolved.targets.end() || with_daemon.count(host.name) > 0) continue;
    resolved.targets.erase(at);
    AgentlessTarget target{host.name, {}, {}};
    for (const auto& [collection, folder] : host.deliver) {
      if (resolved.data_type != "all" && resolved.data_type != collection) continue;
      target.collections.insert(CollectionName(collection));
    }
    target.refusal = refusal_of(config, target, resolved);
    taken.push_back(std::move(target));
  }
  return taken;
}

std::set<CollectionName> collections_of(const std::vector<AgentlessTarget>& targets) {
  std::set<CollectionName> all;
  for (const AgentlessTarget& target : targets) {
    if (target.refusal.empty()) all.insert(target.collections.begin(), target.collections.end());
  }
  return all;
}

void add_verdicts(const std::vector<AgentlessTarget>& targets, facade::RouteReport& route) {
  for (const AgentlessTarget& target : targets) {
    facade::RouteVerdict verdict;
    verdict.node = target.host.text;
    verdict.is_chosen = target.refusal.empty();
    verdict.reason =
        verdict.is_chosen ? "it has no daemon: this node puts its files there" : target.refusal;
    if (verdict.is_chosen) verdict.transport = "ssh";
    route.verdicts.push_back(std::move(verdict));
  }
}

void add_outcomes(const std::vector<AgentlessTarget>& targets, const CollectOutcome& outcome,
                  facade::SyncResponse& response) {
  for (const AgentlessTarget& target : targets) {
    facade::NodeSyncResult result;
    result.node = target.host.text;
    const auto fail = [&](facade::NodeOutcome how, const std::string& why) {
      result.outcome = how;
      result.reason = why;
    };
    if (!target.refusal.empty()) {
      fail(facade::NodeOutcome::kNotEligible, target.refusal);
    } else if (!outcome) {
      fail(facade::NodeOutcome::kPending, "it was not looked at to the end in the time allowed");
    } else if (outcome->count(target.host) > 0) {
      fail(facade::NodeOutcome::kFailed, outcome->at(target.host).front());
      result.missing = outcome->at(target.host).size();
    } else {
      result.outcome = facade::NodeOutcome::kVerified;
      result.reason = "every file that lies here was listed there";
      response.nodes_synced.push_back(result.node);
    }
    if (result.outcome != facade::NodeOutcome::kVerified) {
      response.success = false;
      response.errors.push_back(result.node + ": " + result.reason);
    }
    response.nodes.push_back(std::move(result));
  }
}

facade::SyncResponse answer_without_engine(const facade::SyncRequest& asked) {
  facade::SyncResponse response;
  response.success = true;
  response.backend_used = facade::to_string(facade::Backend::kRouter);
  response.route.collection = asked.data_type;
  response.route.backend = response.backend_used;
  response.route.why = "its targets have no daemon";
  return response;
}

}  // namespace syncline::node
