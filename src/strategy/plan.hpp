// Strategies: something happened, so which data goes where now. Pure: the same event and the same
// view give the same plan; carrying it out, and when, is the business of scheduling and transfer.
//
//   hybrid     the generator pushes new data to its receivers at once, gossip brings it to the rest
//   broadcast  the leader pushes to every eligible node, on events and every period
//   ephemeral  a spot node pushes each batch at once and drains by a deadline
//   pull       a coordinator or backup fetches what it lacks from whoever has it
//
// Whatever the strategy, new data goes at once to enough receivers to be durable: strategies differ
// in how the others get it. And all repair: where copies were lost, stand-ins are wanted
// (wanted.hpp) and fetch what they lack; to a node that cannot fetch, because no daemon runs
// there, the first holder by id pushes.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/config.hpp"
#include "core/ids.hpp"
#include "core/ranges.hpp"
#include "routing/router.hpp"
#include "strategy/auto_choice.hpp"
#include "strategy/wanted.hpp"

namespace syncline::strategy {

// ── what happened ──
struct RecordsWritten {  // this node journalled records of its own source
  core::LogId log;
  core::SeqSet seqs;
  std::uint64_t bytes = 0;
};
struct ObjectPublished {  // this node has a new version of a file
  core::CollectionName collection;
  std::string path;
  core::Root root;
  std::uint64_t bytes = 0;
};
struct FleetChanged {};   // a node came, went, filled up, took or lost a role: look at every copy
struct PeriodPassed {};   // broadcast's own interval; also the look for what is missing here
struct TrainingStarted {  // a node begins to train: bring it what is newest first
  core::NodeId node;
};
struct DrainBegan {  // this node will stop
  core::Instant deadline;
};
using Event = std::variant<RecordsWritten, ObjectPublished, FleetChanged, PeriodPassed,
                           TrainingStarted, DrainBegan>;

// ── what is known ──
struct LogHoldings {
  core::LogId log;
  std::map<core::NodeId, core::SeqSet> holders;  // this node's part included
  std::uint64_t bytes_per_record = 2048;         // for the disk limits; an average will do
};
struct ObjectHoldings {
  core::CollectionName collection;
  std::string path;
  core::ConfigKey config_key;
  core::Root root;  // of the winning version
  std::uint64_t bytes = 0;
  std::uint64_t hlc = 0;           // newer is larger
  std::set<core::NodeId> holders;  // of that version
};
struct View {
  core::NodeId self;
  const routing::Router* router = nullptr;                           // not null
  const std::vector<core::CollectionConfig>* collections = nullptr;  // not null
  int acks = 2;
  int extra_pushes = 1;
  core::NodeId leader;                                   // empty: nobody leads
  std::set<core::NodeId> slow;                           // receivers that let something lie unacked
  const std::vector<LogHoldings>* logs = nullptr;        // null: none
  const std::vector<ObjectHoldings>* objects = nullptr;  // null: none
  core::Instant now;
};

// ── what is to be done ──
struct PushRecords {  // the first `acks` domains that have fsynced win
  core::LogId log;
  core::SeqSet seqs;
  std::vector<core::NodeId> to;
  int acks = 0;
  std::string why;
  bool operator==(const PushRecords&) const = default;
};
struct PushObject {
  core::CollectionName collection;
  std::string path;
  core::Root root;
  std::vector<core::NodeId> to;
  std::string why;
  bool operator==(const PushObject&) const = default;
};
struct PullRecords {
  core::LogId log;
  core::SeqSet seqs;
  core::NodeId from;
  std::string why;
  bool operator==(const PullRecords&) const = default;
};
struct PullObject {
  core::CollectionName collection;
  std::string path;
  core::Root root;
  std::vector<core::NodeId> from;  // best first
  std::string why;
  bool operator==(const PullObject&) const = default;
};
struct StopIntake {  // no new data is read from sources
  std::string why;
  bool operator==(const StopIntake&) const = default;
};
using Intent = std::variant<PushRecords, PushObject, PullRecords, PullObject, StopIntake>;

struct Plan {
  std::vector<Intent> intents;        // most urgent first
  std::vector<std::string> problems;  // "games: 1 copy instead of 3; no other node is eligible"
  bool operator==(const Plan&) const = default;
};

Plan plan(const Event& event, const View& view);

}  // namespace syncline::strategy
