// What the catalog says, parsed and indexed by what the engine asks: who holds which records, who
// holds which version of which path, and what each node says of itself.
//
// Fed with every change of the catalog, its own facts included. Facts that do not parse are kept
// out and counted: a newer version of Syncline may know more kinds of facts.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/views.hpp"
#include "core/fact.hpp"
#include "core/ids.hpp"
#include "core/object.hpp"
#include "core/ranges.hpp"
#include "routing/types.hpp"

namespace syncline::engine {

// "removed/<node>": an operator removed it, for good. Told by every node that knows of it.
std::string removed_key(const core::NodeId& node);
std::optional<core::NodeId> parse_removed_key(const std::string& key);

using ObjectId = std::pair<core::CollectionName, std::string>;  // collection, path
// For tables that are looked up in, and walked through only to count or where any entry will do.
struct ObjectHash {
  std::size_t operator()(const ObjectId& object) const {
    return std::hash<std::string>()(object.second);
  }
};
using LogHolders = std::map<core::NodeId, core::SeqSet>;
using ObjectHolders = std::map<core::NodeId, core::ObjectVersion>;

// What a fact was about: what has to be looked at again.
struct ViewChange {
  std::optional<core::LogId> log;
  core::SeqSet lost;  // of the log: told before, and not any more by a newer word of the same life
  std::optional<ObjectId> object;
  bool is_claim = false;  // to lead, or no more
  bool is_keys = false;   // which of the fleet's keys it has
  bool is_self = false;
  bool is_domain = false;               // the node's failure domain is another than before
  bool is_reach = false;                // … or how its files can be got
  std::optional<core::NodeId> removed;  // a node that was removed from the fleet
};

class FleetView {
 public:
  explicit FleetView(core::NodeId self) : self_(std::move(self)) {}

  ViewChange apply(const core::NodeId& owner, const std::string& key, const std::string& value,
                   bool is_removed);
  // Nodes that cannot be counted on now: dead for too long, or removed. Their copies count for
  // nothing until they are back.
  void set_absent(std::set<core::NodeId> absent) {
    absent_ = std::move(absent);
    counted_.clear();
  }
  const std::set<core::NodeId>& absent() const { return absent_; }
  // An operator removed it: from now on its own copy counts for nothing, wherever it stood.
  void removed(const core::NodeId& node) {
    removed_.insert(node);
    counted_.clear();
  }

  const std::map<core::LogId, LogHolders>& logs() const { return logs_; }
  const LogHolders& holders(const core::LogId& log) const;
  const std::map<ObjectId, ObjectHolders>& objects() const { return objects_; }
  const ObjectHolders& holders(const ObjectId& object) const;
  // Ids of the fleet's keys that nodes have.
  const std::map<core::NodeId, std::set<std::string>>& keys() const { return keys_; }
  // Epochs that nodes claimed as leaders.
  const std::map<core::NodeId, std::uint64_t>& claims() const { return claims_; }
  const std::map<core::NodeId, catalog::NodeSelf>& nodes() const { return nodes_; }
  const catalog::NodeSelf* find(const core::NodeId& node) const;
  const std::string* fingerprint(const core::NodeId& node,
                                 const core::CollectionName& collection) const;
  std::uint64_t unknown_facts() const { return unknown_facts_; }

  // All records of a log that anybody holds.
  core::SeqSet known(const core::LogId& log) const;
  // The version of the path that wins over all others; null if nobody has it.
  const core::ObjectVersion* winner(const ObjectId& object) const;

  // Distinct failure domains among the nodes beside the origin's own. A node that has not told its
  // domain counts for nothing: unknown is not safe. Nor does one that is absent. While the origin's
  // domain is unknown, one of the others is taken for it; that of a removed origin matters no more.
  int count_domains(const std::set<core::NodeId>& nodes, const core::NodeId& origin) const;
  // The winning version is held by at least `acks` such domains beside its origin's.
  bool is_durable(const ObjectId& object, int acks) const;
  // The same of this version.
  bool is_durable(const ObjectId& object, const core::ObjectVersion& version, int acks) const;
  // How many of the log's known records are held by at least `acks` such domains.
  std::uint64_t count_durable(const core::LogId& log, int acks) const;

 private:
  int count_domains_anew(const std::set<core::NodeId>& nodes, const core::NodeId& origin) const;

  core::NodeId self_;
  std::map<core::LogId, LogHolders> logs_;
  std::map<ObjectId, ObjectHolders> objects_;
  std::map<core::NodeId, catalog::NodeSelf> nodes_;
  std::map<std::pair<core::NodeId, core::CollectionName>, std::string> fingerprints_;
  // Kept when a node is gone: what shared its failure is still no copy beside it.
  std::map<core::NodeId, routing::Domain> domains_;
  std::map<core::NodeId, std::uint64_t> claims_;
  std::map<core::NodeId, std::set<std::string>> keys_;
  std::set<core::NodeId> absent_;
  std::set<core::NodeId> removed_;
  // Answers of count_domains: a fleet has few different sets of holders, and many records.
  using Question = std::pair<core::NodeId, std::set<core::NodeId>>;
  mutable std::map<Question, int> counted_;
  std::uint64_t unknown_facts_ = 0;
};

}  // namespace syncline::engine
