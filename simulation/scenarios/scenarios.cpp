// Scenarios: which workloads happen together.
#include "simulation/workloads/workloads.hpp"

namespace syncline::simulation {

const std::vector<Scenario>& scenarios() {
  namespace w = workloads;
  static const std::vector<Scenario> kAll = {
      {"calm", "nothing breaks", 3, 12, {w::games, w::files, w::requests}},
      {"network",
       "links break, block and crawl",
       3,
       12,
       {w::games, w::files, w::requests, w::bad_network}},
      {"slow",
       "links crawl and lose, and nothing else",
       3,
       12,
       {w::games, w::files, w::requests, w::slow_network}},
      {"partition",
       "the fleet falls apart and heals",
       3,
       12,
       {w::games, w::files, w::requests, w::partitions}},
      {"crash", "power fails", 3, 10, {w::games, w::files, w::requests, w::crashes}},
      {"rolling",
       "every node is restarted while writers run",
       3,
       8,
       {w::games, w::files, w::rolling_restart}},
      {"disk", "disks are full or slow", 3, 8, {w::games, w::files, w::bad_disks, w::crashes}},
      {"clock",
       "wall clocks jump by up to a day",
       3,
       8,
       {w::games, w::files, w::bad_clocks, w::crashes}},
      {"burst",
       "hundreds of games at once over bad links",
       3,
       8,
       {w::games, w::bursts, w::bad_network, w::crashes}},
      {"lost-disk",
       "a node comes back without its data",
       4,
       10,
       {w::games, w::files, w::requests, w::lost_disk, w::bad_network}},
      {"lost-machine",
       "a node is destroyed without notice",
       4,
       10,
       {w::games, w::files, w::requests, w::lost_machine, w::removal, w::crashes}},
      {"spot",
       "spot nodes get their notice",
       5,
       12,
       {w::games, w::files, w::requests, w::spot_notices, w::bad_network}},
      {"everything",
       "all of it",
       4,
       12,
       {w::games, w::bursts, w::files, w::requests, w::bad_network, w::partitions, w::crashes,
        w::bad_disks, w::bad_clocks, w::lost_disk, w::lost_machine, w::spot_notices}},
  };
  return kAll;
}

}  // namespace syncline::simulation
