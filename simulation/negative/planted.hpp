// Planted bugs: the simulation must find each of them, or it has no teeth. Each is a small seam
// around the actions, the messages or what is recovered; production has none of this.
#pragma once

#include <string>
#include <vector>

#include "core/messages.hpp"
#include "engine/engine.hpp"
#include "simulation/disk.hpp"

namespace syncline::simulation {

enum class Bug {
  kNone,
  kAckBeforeFsync,  // "appended" is reported when the write is asked for
  kForgedAck,       // an ack names one record more than is held
  kGapsFilled,      // an ack names a watermark as if there were no holes below it
  kDomainHidden,    // two machines on one host tell different failure domains
  kCursorFirst,     // the source's cursor is stored before its records
  kCursorLost,      // the source is read from its beginning after each restart
  kReaderSkips,     // a read that stops at its bounds leaves out the next game
  kTrimUncopied,    // the journal drops its payload before anybody has a copy
  kMergeTwice,      // a merge that is repeated adds its rows again
  kMergeNotDone,    // a merge is reported done before it is, and the journal is trimmed
  kTornUnit,        // the last write before a crash is half there and taken for whole
  kStillHolds,      // a node that comes back with an empty disk still claims what it had
  kTicksLost,       // the wake-ups of the engine are not kept
  kFactsAhead,      // the fleet is told of records that are only being written
};
struct PlantedBug {
  Bug bug;
  const char* name;
  const char* scenario;  // where it shows
  int seeds_max;         // found within so many, counted from 1
};
const std::vector<PlantedBug>& planted_bugs();

// What the bug does to a message that is about to be sent, to what a start recovers, to a config.
void spoil(Bug bug, core::Message& message, const engine::Engine& engine);
void spoil(Bug bug, engine::Recovered& recovered, const engine::Recovered& before_wipe);
void spoil(Bug bug, core::Config& config);

}  // namespace syncline::simulation
