// Which transport carries a job, and which follows when it fails. Every one that is passed over
// says why.
//
// Able first: a transport can be used from a source if both ends have it, the source can be reached
// by it, and its circuit is not open. Among those able, the cheapest by estimated time goes first;
// the rest follow in the order of escalation: nfs → p2p → swarm → aria2 → ssh. The order of
// escalation also breaks near ties (10 %), so that noise in estimates moves nothing.
//
// The estimate: setup + bytes ÷ rate, divided by the share of attempts that succeeded lately.
// Rates: several sources add up for p2p, swarm and aria2; ssh has one source and one core. Many
// targets share the sources, except where those that have a part serve it on.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "transfer/breaker.hpp"
#include "transfer/types.hpp"

namespace syncline::transfer {

// What the file system says of two nodes' disks.
enum class Shared { kNothing, kSameExport, kSameMachine };

struct Attempts {  // lately; the caller lets them fade
  std::uint32_t successes = 0;
  std::uint32_t failures = 0;
  bool operator==(const Attempts&) const = default;
};

// One holder of the object, as seen from where it is wanted (or pushed from, for agentless ones).
struct Source {
  core::NodeId id;
  std::array<bool, 5> has{};          // by Transport: usable between the two, in principle
  std::array<Attempts, 5> history{};  // by Transport
  Shared shared = Shared::kNothing;   // kSameExport and kSameMachine are what nfs needs
  bool is_linked = false;             // a connection stands: p2p needs no handshake
  double bandwidth_mbps = 0;          // MB/s between the two; 0 = not known
  bool& can(Transport transport) { return has[static_cast<std::size_t>(transport)]; }
  bool can(Transport transport) const { return has[static_cast<std::size_t>(transport)]; }
};

struct Task {
  std::uint64_t bytes = 0;
  std::vector<Source> sources;
  int targets = 1;                // nodes that want the same object now
  bool are_parts_served = false;  // who has a part of it serves that part over p2p
  double downlink_mbps = 0;       // of the one who wants it, MB/s; 0 = not known
  std::optional<Transport> forced;
  bool is_explained = true;  // else a choice says nothing of why: its sentences cost more than it
};

struct Candidate {
  Transport transport = Transport::kP2p;
  std::vector<core::NodeId> sources;  // best first
  double seconds = 0;                 // estimated
  std::string why;                    // "2 sources at 90 MB/s, about 23 s"
};
struct PassedOver {
  Transport transport = Transport::kP2p;
  std::string why;
};
struct Choice {
  std::vector<Candidate> order;         // to be tried in this order; never empty in a success
  std::vector<PassedOver> passed_over;  // in the order of escalation
  std::string why;                      // one sentence on the first of the order
};

// kUnreachable when no transport is able; kInvalid when the forced one is not: it is honoured or
// refused, never replaced.
core::Result<Choice> choose(const Task& task, const Breakers& breakers, core::Instant now);

// Below this, who has a part of an object does not serve that part: it is whole in a moment.
constexpr std::uint64_t kSharedBytesMin = 8u << 20;
// Below this, or with fewer targets, a swarm costs more than it saves.
constexpr std::uint64_t kSwarmBytesMin = 32u << 20;
constexpr int kSwarmTargetsMin = 3;

}  // namespace syncline::transfer
