// The last step of a landing: a whole, synced, staged file takes its place, atomically, and what
// stood there before is neither lost nor taken for something it is not.
//
// The staged file and the present one are exchanged in one step (renameat2, RENAME_EXCHANGE), so
// that what is then looked at is exactly what was replaced, whoever wrote it a moment before:
//   <id>.data       whole new version
//   <id>.displaced  the same, about to be exchanged; after the exchange: what stood at the path
// Whoever finds an <id>.displaced after a crash can tell by its content which of both it is, since
// <id>.meta names path, new root and the root that may be replaced.
// Where the file system cannot exchange (NFS, some FUSE), the present file is compared first and
// then replaced by a plain rename: a program that writes in that instant loses to the new version.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "collections/files/confined.hpp"
#include "collections/files/types.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"

namespace syncline::collections::files {

struct Placement {
  const Confined& root;
  int staging_fd;
  std::string id;
  std::string path;
  core::Root content;                       // of the new version
  core::Root replaces;                      // what may be replaced; zero = nothing
  std::optional<KnownFile> replaces_known;  // spares reading it again
  core::NodeId node;                        // names conflict copies
};

// REQUIRES: <id>.data is whole and synced; where the path exists, <id>.meta too.
// Returns the relative path of the conflict copy that was kept, or "". `folders` is of the root.
core::Result<std::string> place(const Placement& placement, LastFolder& folders);

// Takes the file away from the path if it is the version `replaces`. kConflict: it is another one,
// and was left or put back.
core::Status take_away(const Placement& placement);

// After a crash: completes or undoes what <id>.displaced speaks of. Returns as place().
core::Result<std::string> recover_displaced(const Placement& placement);

}  // namespace syncline::collections::files
