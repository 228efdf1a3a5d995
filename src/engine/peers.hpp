// Which nodes there are, which of them have a link now, and whom to dial next.
//
// Addresses come from the configured seeds and from what nodes say of themselves in the catalog.
// Dialling backs off per address: 0.25 s doubled up to 30 s, with a seeded spread so that a fleet
// that restarts together does not dial together.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"
#include "engine/actions.hpp"
#include "engine/events.hpp"

namespace syncline::engine {

struct DialPolicy {
  core::Duration backoff_min = core::milliseconds(250);
  core::Duration backoff_max = core::seconds(30);
};

struct PeerLink {
  bool is_up = false;
  bool has_left = false;     // said goodbye: silence is expected
  std::string address;       // last one that worked or was advertised
  core::Instant changed_at;  // of is_up; of a node never linked: when it became known
  std::optional<core::Instant> heard_at;
  std::string why_down;
};

class Peers {
 public:
  Peers(core::NodeId self, const std::vector<std::string>& seeds, DialPolicy policy,
        std::uint64_t seed);

  void link_up(const LinkUp& up, core::Instant now);
  void link_down(const LinkDown& down, core::Instant now);
  void dial_failed(const DialFailed& failed, core::Instant now);
  void heard(const core::NodeId& peer, core::Instant now);
  void said_goodbye(const core::NodeId& peer);
  // The catalog knows of the node.
  void known(const core::NodeId& node, core::Instant now);
  // An operator removed it: nobody dials it any more.
  void removed(const core::NodeId& node);
  // The catalog tells where a node can be reached.
  void advertised(const core::NodeId& node, const std::string& address, core::Instant now);

  // Dials that are due.
  void plan_dials(core::Instant now, Actions& out);
  std::optional<core::Instant> next_wake() const;

  bool is_linked(const core::NodeId& peer) const { return linked_.count(peer) > 0; }
  const std::set<core::NodeId>& linked() const { return linked_; }
  const std::map<core::NodeId, PeerLink>& all() const { return peers_; }

 private:
  struct Address {
    core::NodeId node;  // empty until somebody answered there
    bool is_dialling = false;
    std::optional<core::Instant> dial_at;
    core::Duration backoff{0};
  };
  core::Duration spread(core::Duration d);
  void retry_later(Address& address, core::Instant now);

  core::NodeId self_;
  DialPolicy policy_;
  std::uint64_t draw_;
  std::set<core::NodeId> linked_;
  std::map<core::NodeId, PeerLink> peers_;
  std::map<std::string, Address> addresses_;
};

}  // namespace syncline::engine
