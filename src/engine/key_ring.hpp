// The fleet's keys that seal membership's datagrams, and how a new one comes into use.
//
// A new key travels over the links only (TLS, both ends of this fleet), from each node to those
// that have not said yet that they have it. A node says so once the key is on its disk. Each seals
// with the newest key that every live node has; until then with the one before. Two keys are kept
// (three while a second change meets the first): a node that was away is given the newest when it
// is back, and its links need no fleet key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/messages.hpp"
#include "engine/actions.hpp"
#include "engine/events.hpp"

namespace syncline::engine {

class KeyRing {
 public:
  // The first one seals; none: datagrams are not this engine's business (the simulation).
  explicit KeyRing(std::vector<core::FleetKey> keys);

  // A person made a key here, or a peer sent one.
  void made(core::FleetKey key, Actions& out);
  void received(const core::FleetKey& key, Actions& out);
  void kept(const KeysKept& event);
  // Who is to be told, and what seals now. `told`: ids of the keys that each node has; `live`: the
  // nodes that count; `linked`: those that can be sent to.
  void plan(const std::map<core::NodeId, std::set<std::string>>& told,
            const std::set<core::NodeId>& live, const std::set<core::NodeId>& linked,
            core::Instant now, Actions& out);

  std::optional<core::Instant> next_wake() const { return look_at_; }

  // What this node tells of itself: "id id"; empty: nothing.
  std::string fact() const;
  bool is_rotating() const { return keys_.size() > 1 && sealing_ != 0; }
  // Live nodes that have not told that they have the newest key.
  const std::set<core::NodeId>& missing() const { return missing_; }

 private:
  void keep(Actions& out);

  std::vector<core::FleetKey> keys_;
  std::size_t sealing_ = 0;     // place in keys_
  std::set<std::string> kept_;  // ids that are on the disk
  std::set<core::NodeId> missing_;
  std::optional<core::Instant> look_at_;
  std::map<core::NodeId, core::Instant> sent_at_;
};

std::string id_of(const core::FleetKey& key);  // 16 hex digits; says nothing of the key
std::set<std::string> parse_key_ids(const std::string& fact);

}  // namespace syncline::engine
