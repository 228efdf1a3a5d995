// Gossip: makes the catalogs of all connected nodes equal.
//
// Two movements. Anti-entropy: every interval a digest goes to one connected peer, each once per
// round; of some that are drawn, to the one whose last digest differs most from ours. The answer is
// a delta of what the sender lacks, and a digest back if the answerer lacks something itself.
// Fan-out: fresh facts go at once
// to a few peers as a delta, and those pass on what was new to them, so that news needs O(log n)
// hops instead of rounds of the interval.
//
// Correct under loss, duplication, reordering, cuts and restarts: a delta is taken only where it
// continues what is known (catalog.hpp), and the next digest asks for everything else.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "catalog/catalog.hpp"
#include "core/config.hpp"
#include "core/messages.hpp"
#include "core/time.hpp"

namespace syncline::gossip {

struct Tick {};
struct LinkUp {
  core::NodeId peer;
};
struct LinkDown {
  core::NodeId peer;
};
struct Received {
  core::NodeId peer;
  std::variant<core::DigestMessage, core::DeltaMessage> message;
};
using Event = std::variant<Tick, LinkUp, LinkDown, Received>;

struct Send {
  core::NodeId peer;
  std::variant<core::DigestMessage, core::DeltaMessage> message;
};
struct Changed {  // facts of others that are new here
  std::vector<catalog::FactChange> changes;
};
struct CaughtUp {  // all that the peer had told of itself when its link came up is known here now
  core::NodeId peer;
};
using Action = std::variant<Send, Changed, CaughtUp>;
using Actions = std::vector<Action>;

class Gossip {
 public:
  Gossip(core::NodeId self, std::uint64_t incarnation, core::GossipConfig config,
         std::uint64_t seed);

  void step(const Event& event, core::Instant now, Actions& out);
  std::optional<core::Instant> next_wake() const;

  // Own facts; null if nothing changed. They leave with the next step.
  const core::Fact* assert_own(const std::string& key, const std::string& value);
  const core::Fact* remove_own(const std::string& key);

  // A node was removed from the fleet: its facts are void. Answers what changed.
  std::vector<catalog::FactChange> forget(const core::NodeId& node) {
    return catalog_.forget(node);
  }

  const catalog::Catalog& catalog() const { return catalog_; }

 private:
  void on(const Tick&, Actions& out);
  void on(const LinkUp& event, Actions& out);
  void on(const LinkDown& event, Actions& out);
  void on(const Received& event, Actions& out);
  void take(const core::NodeId& peer, const core::DigestMessage& message, Actions& out);
  void take(const core::NodeId& peer, const core::DeltaMessage& message, Actions& out);
  void send_delta(const core::NodeId& peer, Actions& out);
  void check_caught_up(const core::NodeId& peer, Actions& out);
  std::uint64_t draw(std::uint64_t below);
  core::NodeId next_peer();

  core::NodeId self_;
  core::GossipConfig config_;
  std::uint64_t draw_state_;
  catalog::Catalog catalog_;
  core::Instant now_;
  core::Instant digest_at_;
  bool has_news_ = false;  // own or passed-on facts not fanned out yet
  core::Instant fan_out_at_;
  std::vector<core::NodeId> order_;  // of this round
  // What each linked peer is known to have: from its digests, and from what was sent to it.
  std::map<core::NodeId, core::CatalogDigest> peers_;
  // Of peers that have not been caught up with since their link came up: their own mark, once told.
  std::map<core::NodeId, core::OwnerMark> behind_;
};

}  // namespace syncline::gossip
