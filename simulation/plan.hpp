// What a run will do, as data: the machines, and the steps that happen to them. Drawn from a seed
// by a scenario; printed, replayed, and shortened by dropping steps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "simulation/random.hpp"

namespace syncline::simulation {

struct Machine {
  std::string id;
  std::vector<std::string> roles;
  std::string host;  // the real failure domain
  std::string storage;
  bool is_ephemeral = false;
  std::int64_t wall_skew_ms = 0;
};

inline constexpr int kSplitBits = 30;

enum class StepKind {
  kGames,        // `amount` games are committed in the node's source
  kGameChanged,  // a game committed before is updated
  kFile,         // a file is written, or replaced
  kFileGone,     // a file is deleted by somebody
  kSync,         // somebody asks for `sync games`
  kFlush,        // … for `flush`, with a deadline of `amount` ms
  kCut,          // the link to `other` breaks, both can dial again
  kBlock,        // nothing goes from node to other for `amount` ms
  kIsolate,      // the node and all others cannot talk for `amount` ms
  kSplit,        // nodes in the bit mask `other` and the rest cannot talk for `amount` ms; beyond
                 // kSplitBits nodes the mask begins again
  kLoss,         // datagrams are lost with a chance of `other` percent for `amount` ms
  kSlowLink,     // messages from node to other take up to a second more for `amount` ms
  kCrash,        // power off; it starts again after `amount` ms
  kWipe,         // power off, the disk is replaced by an empty one, it starts after `amount` ms
  kDestroy,      // the machine is gone for ever
  kStop,         // SIGTERM with `amount` ms; starts again after a while
  kNotice,       // the provider's notice: gone for ever after `amount` ms
  kDiskFull,     // nothing can be written for `amount` ms
  kDiskSlow,     // fsyncs take up to a second for `amount` ms
  kWallJump,     // the wall clock jumps by `amount` ms
  kRemove,       // an operator at `node` removes `other` for good (it was destroyed before)
};
const char* to_string(StepKind kind);
bool is_fault(StepKind kind);

struct Step {
  core::Instant at;
  StepKind kind = StepKind::kGames;
  int node = 0;
  int other = 0;
  std::int64_t amount = 0;
  bool operator==(const Step&) const = default;
};
std::string to_string(const Step& step);

struct Plan {
  std::uint64_t seed = 0;
  std::string scenario;
  int acks = 2;
  int copies = 3;
  std::vector<Machine> machines;
  std::vector<Step> steps;   // ascending by time
  core::Instant faults_end;  // from here on everything heals
};

// A workload adds its steps to a plan whose machines are known.
using Workload = void (*)(Random& random, Plan& plan);

struct Scenario {
  std::string name;
  std::string what;  // one sentence
  int nodes_min = 3;
  int nodes_max = 12;
  std::vector<Workload> workloads;
};
const std::vector<Scenario>& scenarios();
const Scenario* find_scenario(const std::string& name);

struct PlanOptions {
  int nodes = 0;         // 0: drawn
  std::string scenario;  // empty: drawn
};
Plan draw_plan(std::uint64_t seed, const PlanOptions& options);

}  // namespace syncline::simulation
