// WHERE: which nodes a piece of work goes to, which it is fetched from, in which order and why.
//
// The router is a table of nodes and of rules per collection, and pure questions over it: the same
// contents and the same question give the same answer on every node. A full, slow or dead node
// changes its own verdict and nobody else's.
//
// Speed: `put` costs most where a new node goes before others; feed a new router ascending by id.
// What depends only on a node and a rule (roles, globs, running jobs, spot) is worked out
// once, when either changes; a question adds disk, age and order, and costs no allocation per node.
// The fast questions and the explained ones run the same scoring code.
//
// Scores of a target: base 50; training runs there +50; training role +30 where the collection
// feeds training; priority host +20; disk below 50 % used +10, above the target −20; not synced
// for an hour or never +30, less in proportion; quality up to +30; bandwidth up to +10; same
// provider as the source +5; failed transfers down to −30; spot −15.
// Scores of a source: self-play runs there or it holds the newest +100; training +50; spot +20
// and draining +40 (fetch before it is gone); bandwidth, provider and failures as above.
//
// Threads: none of its own; const questions may run at the same time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "facade/reports.hpp"
#include "routing/domains.hpp"
#include "routing/rules.hpp"
#include "routing/types.hpp"

namespace syncline::routing {

// Who gets pushed records, and whether that is enough.
struct Receivers {
  std::vector<core::NodeId> nodes;  // best first
  int domains = 0;                  // distinct ones among them
  bool has_permanent = false;
  std::string why;  // one sentence; says so when it is fewer than asked
};

class Router {
 public:
  // ── contents ──
  // Adds a node or replaces what is known of it. O(collections) for a known node.
  void put(NodeView node);
  void remove(const core::NodeId& id);
  void set_policy(Policy policy);

  const NodeView* find(const core::NodeId& id) const;
  const std::vector<NodeView>& nodes() const { return nodes_; }  // ascending by id
  const core::NodeId& id_of(NodeIndex node) const { return nodes_[node].id; }
  const Policy* policy(const core::CollectionName& collection) const;

  // ── questions: empty answers if the collection has no policy ──
  Route targets(const Job& job) const;
  Route sources(const Pull& pull) const;
  std::vector<core::NodeId> target_ids(const Job& job) const;
  std::vector<core::NodeId> source_ids(const Pull& pull) const;

  // A verdict for EVERY node: the eligible in order, then the others by id. The first `chosen_max`
  // eligible ones are chosen (0: all of them). `transport` is left empty for the planner.
  std::vector<facade::RouteVerdict> explain_targets(const Job& job,
                                                    std::size_t chosen_max = 0) const;
  std::vector<facade::RouteVerdict> explain_sources(const Pull& pull,
                                                    std::size_t chosen_max = 0) const;

  // The best `acks` + `extra` targets for a push, no two of which share a failure with each other
  // or with `job.from`; a permanent one is among them whenever one is eligible. Nodes in `avoid`
  // (slow lately) are taken only when too few are left without them.
  Receivers choose_receivers(const Job& job, int acks, int extra,
                             const std::set<core::NodeId>& avoid = {}) const;

  // Independent copies among these nodes, beside `origin` (empty: none is left out).
  int distinct_domains(const std::set<core::NodeId>& nodes, const core::NodeId& origin) const;

 private:
  struct Table {  // one collection's rules, worked out for each node
    Policy policy;
    std::vector<Cell> cells;  // parallel to nodes_
  };
  NodeIndex index_of(const core::NodeId& id) const;  // kNoNode if it is not there
  NameNumber number_of(const std::string& name);
  Cell cell_of(const NodeView& node, const Policy& policy);
  TargetQuestion question(const Table& table, const Job& job) const;
  SourceQuestion question(const Table& table, const Pull& pull) const;
  std::vector<bool> flags_of(const std::vector<core::NodeId>& ids) const;
  std::vector<bool> matching(const std::vector<std::string>& globs) const;
  template <typename Question>
  Route route(const Table& table, const Question& question) const;
  template <typename Question>
  std::vector<facade::RouteVerdict> explain(const Table& table, const Question& question,
                                            std::size_t chosen_max) const;

  std::vector<NodeView> nodes_;
  std::map<core::CollectionName, Table> tables_;
  std::map<std::string, NameNumber> names_;  // of providers and storages; only ever grows
};

}  // namespace syncline::routing
