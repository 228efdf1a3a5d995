// Where the objects of one collection land on this node: opens landings, finishes many at once,
// cleans up what nobody came back for.
//
// Threads: any; begin() for a path that another landing of this site holds is kOverloaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "collections/files/landing.hpp"
#include "core/config.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace syncline::collections::files {

struct Swept {
  std::uint64_t files = 0;  // staged leftovers removed
  std::uint64_t bytes = 0;
  std::vector<std::string> conflict_copies;  // versions rescued from a crash in mid-replacement
};

class LandingSite {
 public:
  // Creates the root and the staging folder where they are missing, and completes replacements
  // that a crash interrupted. `node` names conflict copies.
  static core::Result<std::unique_ptr<LandingSite>> open(const core::CollectionConfig& config,
                                                         const core::NodeId& node);
  ~LandingSite();
  LandingSite(const LandingSite&) = delete;
  LandingSite& operator=(const LandingSite&) = delete;

  // A new landing, or the one of the same path and root that was interrupted.
  // kInvalid: path refused, or piece layer that does not hash to the root; for an object of more
  // than a piece also what stands in its way (of a smaller one finish() says so). kExhausted: the
  // disk has no room (nothing is left behind).
  core::Result<std::unique_ptr<Landing>> begin(LandingRequest request);

  // Removes a file (a replicated deletion). kConflict: it is not the version expected; left alone.
  core::Status remove(const std::string& path, const KnownFile& expected);
  // Sets mode and mtime of a file whose content is right already.
  core::Result<KnownFile> touch(const std::string& path, const core::ObjectVersion& object,
                                const KnownFile& expected);

  // Removes staged files untouched for longer than max_age; never one whose landing is open here,
  // never a version that somebody might still want (see Swept::conflict_copies).
  Swept sweep(core::Duration max_age, core::WallMs now);
  std::uint64_t staged_bytes() const;

  struct State;

 private:
  friend class Finishing;
  explicit LandingSite(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace syncline::collections::files
