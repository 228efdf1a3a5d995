#include "simulation/truth.hpp"

#include "routing/domains.hpp"

namespace syncline::simulation {

int real_domains(const World& world, const std::set<core::NodeId>& nodes,
                 const core::NodeId& origin) {
  std::vector<routing::Domain> domains;
  routing::Domain own;
  for (const auto& node : world.nodes) {
    const Machine& machine = node->machine();
    routing::Domain domain;
    domain.host = machine.host;
    domain.storage = machine.storage.empty() ? "local:" + machine.host : machine.storage;
    if (node->id() == origin) own = domain;
    if (nodes.count(node->id()) > 0) domains.push_back(domain);
  }
  std::vector<const routing::Domain*> pointers;
  for (const routing::Domain& domain : domains) pointers.push_back(&domain);
  return routing::distinct_domains(pointers, &own);
}

core::SeqSet Truth::ever_durable(const World& world, const core::LogId& log, int acks) const {
  core::SeqSet durable;
  auto held = ever_held.find(log);
  if (held == ever_held.end()) return durable;
  // Nobody counts on the disk of a removed origin, so that a copy beside it is one like others.
  const core::NodeId origin = removed.count(log.origin) > 0 ? core::NodeId() : log.origin;
  std::set<std::uint64_t> starts;
  for (const auto& [node, seqs] : held->second) {
    for (const core::SeqRange& r : seqs.ranges()) starts.insert({r.first, r.last + 1});
  }
  for (auto it = starts.begin(); it != starts.end(); ++it) {
    std::set<core::NodeId> nodes;
    for (const auto& [node, seqs] : held->second) {
      if (seqs.contains(*it)) nodes.insert(node);
    }
    if (!nodes.empty() && real_domains(world, nodes, origin) >= acks) {
      durable.insert(*it, *std::next(it) - 1);
    }
  }
  return durable;
}

}  // namespace syncline::simulation
