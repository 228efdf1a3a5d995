// What a leader does: it pushes what it holds of broadcast collections to every node that wants it,
// when news arrive and every period.
//
// Nothing depends on it. A node fetches what it lacks from anybody after a grace in which the
// leader's push may come; a push that comes twice is taken once.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/config.hpp"
#include "engine/actions.hpp"
#include "engine/fleet_view.hpp"
#include "engine/peers.hpp"
#include "engine/records.hpp"

namespace syncline::engine {

struct BroadcastDoor {
  std::function<const std::set<core::NodeId>&(const core::CollectionName&)> wanted_by;
  std::function<bool(const core::CollectionName&)> is_broadcast;
};

class Broadcast {
 public:
  Broadcast(const core::Config& config, const FleetView& view, const Peers& peers,
            const Records& records, BroadcastDoor door);

  void log_changed(const core::LogId& log) { logs_.insert(log); }
  void object_changed(const ObjectId& object) { objects_.insert(object); }
  void all_changed() { is_all_changed_ = true; }

  // `epoch`: of the leadership. While this node does not lead, nothing is done or remembered.
  void plan(bool is_leading, std::uint64_t epoch, core::Instant now, Actions& out);
  std::optional<core::Instant> next_wake() const;
  std::uint64_t pushed_records() const { return pushed_; }

 private:
  struct Sent {
    core::SeqSet seqs;
    core::Instant until;  // by then its holder has told of it, or it is sent again
  };
  void push_log(const core::LogId& log, core::Instant now, Actions& out);
  void push_object(const ObjectId& object, std::uint64_t epoch, core::Instant now, Actions& out);

  const core::Config& config_;
  core::NodeId self_;
  const FleetView& view_;
  const Peers& peers_;
  const Records& records_;
  BroadcastDoor door_;
  bool was_leading_ = false;
  bool is_all_changed_ = false;
  std::set<core::LogId> logs_;
  std::set<ObjectId> objects_;
  using SentKey = std::pair<core::NodeId, core::LogId>;
  std::map<SentKey, Sent> sent_;
  std::deque<std::pair<core::Instant, SentKey>> deadlines_;  // ascending; some are put off since
  std::map<std::pair<core::NodeId, core::CollectionName>, core::Instant> nudged_;  // until
  core::Instant period_at_;
  std::uint64_t pushed_ = 0;
};

}  // namespace syncline::engine
