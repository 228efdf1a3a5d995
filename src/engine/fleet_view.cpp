#include "engine/fleet_view.hpp"

#include <algorithm>
#include <charconv>

#include "engine/key_ring.hpp"
#include "routing/domains.hpp"

namespace syncline::engine {

using core::LogId;
using core::NodeId;
using core::SeqSet;

namespace {
constexpr std::size_t kCountedMax = 4096;
constexpr std::string_view kRemovedPrefix = "removed/";
}  // namespace

std::string removed_key(const NodeId& node) {
  return std::string(kRemovedPrefix) + node.text;
}

std::optional<NodeId> parse_removed_key(const std::string& key) {
  if (key.rfind(kRemovedPrefix, 0) != 0) return std::nullopt;
  return NodeId(key.substr(kRemovedPrefix.size()));
}

ViewChange FleetView::apply(const NodeId& owner, const std::string& key, const std::string& value,
                            bool is_removed) {
  ViewChange change;
  if (key == catalog::kSelfKey) {
    change.is_self = true;
    counted_.clear();
    const catalog::NodeSelf* known = find(owner);
    const bool was_known = known != nullptr;
    const catalog::NodeSelf before = known == nullptr ? catalog::NodeSelf{} : *known;
    if (is_removed) {
      nodes_.erase(owner);
    } else if (auto self = catalog::decode_node_self(value); self.ok()) {
      nodes_[owner] = std::move(self).value();
      const catalog::NodeSelf& told = nodes_[owner];
      domains_[owner] = {told.host, told.storage, told.provider, told.zone};
    } else {
      ++unknown_facts_;
    }
    const catalog::NodeSelf* after = find(owner);
    change.is_domain =
        was_known != (after != nullptr) ||
        (after != nullptr && (after->host != before.host || after->storage != before.storage));
    change.is_reach =
        change.is_domain ||
        (after != nullptr &&
         (after->roots != before.roots || after->advertise != before.advertise ||
          after->objects_port != before.objects_port || after->swarm_port != before.swarm_port));
  } else if (auto log = catalog::parse_log_key(key)) {
    auto held = core::parse_seq_set(is_removed ? std::string_view() : std::string_view(value));
    if (!held) {
      ++unknown_facts_;
    } else {
      auto& all = logs_[*log];
      auto told = all.find(owner);
      if (!is_removed && told != all.end()) change.lost = told->second.minus(*held);
      if (!held->empty()) {
        all[owner] = std::move(*held);
      } else if (told != all.end()) {
        all.erase(told);
      }
      if (all.empty()) logs_.erase(*log);
      change.log = std::move(*log);
    }
  } else if (auto object = catalog::parse_object_key(key)) {
    ObjectId id{object->first, object->second};
    if (is_removed) {
      objects_[id].erase(owner);
      if (objects_[id].empty()) objects_.erase(id);
      change.object = std::move(id);
    } else if (auto version = core::decode_object_version(value); version.ok()) {
      objects_[id][owner] = std::move(version).value();
      change.object = std::move(id);
    } else {
      ++unknown_facts_;
    }
  } else if (auto collection = catalog::parse_fingerprint_key(key)) {
    if (is_removed) {
      fingerprints_.erase({owner, *collection});
    } else {
      fingerprints_[{owner, *collection}] = value;
    }
  } else if (key == catalog::kKeysKey) {
    change.is_keys = true;
    if (is_removed) {
      keys_.erase(owner);
    } else {
      keys_[owner] = parse_key_ids(value);
    }
  } else if (key == catalog::kLeadKey) {
    std::uint64_t epoch = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), epoch);
    change.is_claim = true;
    if (is_removed) {
      claims_.erase(owner);
    } else if (read.ec == std::errc() && read.ptr == value.data() + value.size()) {
      claims_[owner] = epoch;
    } else {
      ++unknown_facts_;
    }
  } else if (key.rfind(kRemovedPrefix, 0) == 0) {
    if (!is_removed) change.removed = NodeId(key.substr(kRemovedPrefix.size()));
  } else {
    ++unknown_facts_;
  }
  return change;
}

const LogHolders& FleetView::holders(const LogId& log) const {
  static const LogHolders kNone;
  auto it = logs_.find(log);
  return it == logs_.end() ? kNone : it->second;
}

const ObjectHolders& FleetView::holders(const ObjectId& object) const {
  static const ObjectHolders kNone;
  auto it = objects_.find(object);
  return it == objects_.end() ? kNone : it->second;
}

const catalog::NodeSelf* FleetView::find(const NodeId& node) const {
  auto it = nodes_.find(node);
  return it == nodes_.end() ? nullptr : &it->second;
}

const std::string* FleetView::fingerprint(const NodeId& node,
                                          const core::CollectionName& collection) const {
  auto it = fingerprints_.find({node, collection});
  return it == fingerprints_.end() ? nullptr : &it->second;
}

SeqSet FleetView::known(const LogId& log) const {
  SeqSet all;
  for (const auto& [node, held] : holders(log)) all.insert(held);
  return all;
}

const core::ObjectVersion* FleetView::winner(const ObjectId& object) const {
  const core::ObjectVersion* best = nullptr;
  for (const auto& [node, version] : holders(object)) {
    if (best == nullptr || core::wins_over(version, *best)) best = &version;
  }
  return best;
}

int FleetView::count_domains(const std::set<NodeId>& nodes, const NodeId& origin) const {
  auto known = counted_.find({origin, nodes});
  if (known != counted_.end()) return known->second;
  const int count = count_domains_anew(nodes, origin);
  if (counted_.size() >= kCountedMax) counted_.clear();
  counted_.emplace(Question{origin, nodes}, count);
  return count;
}

int FleetView::count_domains_anew(const std::set<NodeId>& nodes, const NodeId& origin) const {
  std::vector<const routing::Domain*> domains;
  domains.reserve(nodes.size());
  for (const NodeId& node : nodes) {
    if (absent_.count(node) > 0 || find(node) == nullptr) continue;
    domains.push_back(&domains_.at(node));
  }
  // The disk of a removed node is no copy any more, so that one in its domain is a copy of its own.
  if (removed_.count(origin) > 0) return routing::distinct_domains(domains, nullptr);
  auto own = domains_.find(origin);
  if (own != domains_.end()) return routing::distinct_domains(domains, &own->second);
  // Nobody has told yet where the origin stands: it may be beside any one of them.
  return std::max(0, routing::distinct_domains(domains, nullptr) - 1);
}

bool FleetView::is_durable(const ObjectId& object, int acks) const {
  const core::ObjectVersion* winning = winner(object);
  return winning != nullptr && !winning->is_deleted && is_durable(object, *winning, acks);
}

bool FleetView::is_durable(const ObjectId& object, const core::ObjectVersion& version,
                           int acks) const {
  std::set<core::NodeId> beside_origin;
  for (const auto& [node, held] : holders(object)) {
    if (held.root == version.root && node != version.origin) beside_origin.insert(node);
  }
  return count_domains(beside_origin, version.origin) >= acks;
}

std::uint64_t FleetView::count_durable(const LogId& log, int acks) const {
  // The ends of what nodes hold split the log into stretches with the same holders.
  std::set<std::uint64_t> starts;
  const LogHolders& all = holders(log);
  for (const auto& [node, held] : all) {
    for (const core::SeqRange& r : held.ranges()) starts.insert({r.first, r.last + 1});
  }
  std::uint64_t durable = 0;
  for (auto it = starts.begin(); it != starts.end(); ++it) {
    std::set<NodeId> nodes;
    for (const auto& [node, held] : all) {
      if (node != log.origin && held.contains(*it)) nodes.insert(node);
    }
    if (!nodes.empty() && count_domains(nodes, log.origin) >= acks) {
      durable += *std::next(it) - *it;
    }
  }
  return durable;
}

}  // namespace syncline::engine
