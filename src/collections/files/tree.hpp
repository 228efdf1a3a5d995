// One `files` collection as it stands on this node's disk: which files changed, and their content.
//
// What is taken: regular files below the root that match `include` and not `exclude`. Left out:
// Syncline's own folder, temporary names (see is_temporary_name), special files and symbolic links
// (links that lead out of the root are reported, all others are silently skipped: their target is
// scanned under its own name).
//
// A file is taken only when it is stable: unchanged for stable_ms, its stamp equal before and after
// hashing, and no process holding it open for writing (asked through a lease where the file system
// offers them; a writer that has been idle for 30 × stable_ms no longer counts).
//
// Memory: bounded by the number of paths; file content passes through two 1 MiB buffers.
// Threads: one scan at a time; everything else from any thread, also during a scan.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collections/files/object_reader.hpp"
#include "collections/files/types.hpp"
#include "core/config.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace syncline::collections::files {

// Names that programs give to files they have not finished: "x.tmp", "x.part", "x~", "x.swp",
// ".x.Ab12Cd" (rsync), "x.crdownload", "x.aria2", "x.partial", ".nfs000…". `name` has no folder.
bool is_temporary_name(std::string_view name);

class Tree {
 public:
  // kMissing: there is no such folder; kInvalid: it is no folder or cannot be read.
  static core::Result<std::unique_ptr<Tree>> open(const core::CollectionConfig& config);
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // Looks at every file, or at `only_paths` (relative; a folder stands for all below it; what does
  // not exist any more is reported gone). Small files are hashed before large ones. Never fails as
  // a whole: what could not be read is in `problems`, and is neither changed nor gone.
  // With `found`, what changed is told to it in parts while the rest is still being hashed, and the
  // outcome holds the last part. What `passes_over` is true for is not read: somebody knows better.
  ScanOutcome scan(const std::map<std::string, KnownFile>& known,
                   const std::set<std::string>* only_paths, core::WallMs now,
                   const std::function<void(std::vector<SeenFile>)>& found = {},
                   const std::function<bool(const std::string&)>& passes_over = {});

  // Which of these paths do not hold what is known of them, as far as can be seen without reading?
  // Any thread.
  std::vector<std::string> differing(const std::map<std::string, KnownFile>& known) const;

  // From any thread, for good: a scan under way ends within one piece, later ones at once.
  void cancel();

  // Opens a file to serve it as the object it was hashed as. kConflict: it has changed since.
  core::Result<std::unique_ptr<ObjectReader>> open_for_read(const std::string& path,
                                                            const KnownFile& expected);

  // Roots of the pieces of an object that was scanned or landed here, in order; empty for an
  // object of at most one piece. Read from Syncline's own folder, else made again from the file.
  core::Result<std::vector<core::Digest256>> piece_layer(const std::string& path,
                                                         const KnownFile& expected);

  // Drops stored piece layers of objects that are not in `known` any more.
  void forget_layers_except(const std::map<std::string, KnownFile>& known);

 private:
  struct State;
  explicit Tree(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::collections::files
