// What happens to a fleet. Each workload draws its own steps; scenarios (scenarios/) compose them.
#pragma once

#include "simulation/plan.hpp"

namespace syncline::simulation::workloads {

void games(Random& random, Plan& plan);            // generators commit and sometimes update games
void bursts(Random& random, Plan& plan);           // hundreds of games at once
void files(Random& random, Plan& plan);            // models are written, replaced, deleted
void requests(Random& random, Plan& plan);         // people ask for sync and flush
void bad_network(Random& random, Plan& plan);      // cuts, one-way and two-way blocks, slow links
void slow_network(Random& random, Plan& plan);     // links crawl and datagrams get lost, no more
void partitions(Random& random, Plan& plan);       // splits of the whole fleet, isolated nodes
void crashes(Random& random, Plan& plan);          // power off and on again
void rolling_restart(Random& random, Plan& plan);  // each node in turn, with notice
void bad_disks(Random& random, Plan& plan);        // full and slow ones
void bad_clocks(Random& random, Plan& plan);       // wall clocks jump
// Fewer machines than `acks` lose their data for ever.
void lost_disk(Random& random, Plan& plan);     // one comes back empty
void lost_machine(Random& random, Plan& plan);  // one is destroyed without notice
void spot_notices(Random& random, Plan& plan);  // spot nodes get their notice, then are gone
void removal(Random& random, Plan& plan);       // a destroyed node is removed by an operator

// What they draw with.
inline core::Instant moment(Random& random, const Plan& plan, core::Duration earliest) {
  return core::Instant{random.between(earliest, plan.faults_end.since_start)};
}
inline int any_node(Random& random, const Plan& plan) {
  return static_cast<int>(random.below(plan.machines.size()));
}

}  // namespace syncline::simulation::workloads
