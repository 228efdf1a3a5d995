// Syncline's own state: one SQLite database in the state folder, WAL, synchronous=FULL.
//
// Every call that answers success is on the disk, except for those marked "lazy": they come there
// with the next one that is not, in order, and a restart can do without them. A kill at any
// instruction leaves a state from which the next start goes on: SQLite's transactions are the only
// mechanism, nothing is written beside them. Errors: kExhausted when the disk is full (nothing was
// changed; works again when there is room), kCorrupt for a damaged file (nothing is changed).
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/object.hpp"
#include "core/ranges.hpp"
#include "core/record.hpp"
#include "core/result.hpp"

namespace syncline::storage {

// How far the sources of a collection were read for the units that are journalled with it.
struct SourceProgress {
  core::CollectionName collection;
  std::map<std::string, std::string> cursors;  // database, relative to the root -> opaque
};

struct RecordSize {
  std::uint64_t seq = 0;
  std::uint32_t bytes = 0;
  core::WallMs committed_at;
};

// What changes of one file's notes.
struct FileChange {
  std::string path;
  std::optional<std::string> known;  // none: stays; empty: the file has to be hashed again
  // None: stays; nothing inside: this node has no version of it any more.
  std::optional<std::optional<core::ObjectVersion>> version;
};

struct FileNote {
  std::string known;  // the scanner's, opaque; empty: to be hashed again
  std::optional<core::ObjectVersion> version;
};

class Store {
 public:
  // Creates or migrates. kConflict: written by a newer Syncline.
  static core::Result<std::unique_ptr<Store>> open(const std::string& folder,
                                                   const core::NodeId& self);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // A number above `floor` and above all that were answered before. Durable.
  core::Result<std::uint64_t> next_epoch(std::uint64_t floor);

  // Nodes that an operator took out of the fleet.
  core::Status save_removed_node(const core::NodeId& node);
  core::Result<std::set<core::NodeId>> removed_nodes();

  // ── journal ──
  // One transaction, fsynced: records (those held already are skipped) and progress of sources.
  core::Status append(std::span<const core::RecordBatchPtr> batches,
                      std::span<const SourceProgress> progresses);
  // Those of `wanted` that are in the journal, ascending, at least one and at most about
  // `bytes_max`; none if none is there.
  core::Result<core::RecordBatch> read(const core::LogId& log, const core::SeqSet& wanted,
                                       std::size_t bytes_max);
  core::Result<std::vector<RecordSize>> record_sizes(const core::LogId& log,
                                                     const core::SeqSet& wanted);
  struct LogState {
    core::SeqSet held;
    core::SeqSet merged;
    core::SeqSet trimmed;
  };
  core::Result<std::map<core::LogId, LogState>> logs();
  // Lazy: after a restart the replica itself says what it has.
  core::Status mark_merged(const core::LogId& log, const core::SeqSet& seqs);
  // Lazy: what is trimmed again after a restart was only kept for longer.
  core::Status trim(const core::LogId& log, const core::SeqSet& seqs);
  // The disk does not have them after all: neither journal nor replica could give them. They are
  // not held any more, and an append of them is taken again.
  core::Status forget(const core::LogId& log, const core::SeqSet& seqs);
  core::Result<std::uint64_t> journal_bytes();
  // Config keys of the collection's records, and the records whose key matches a glob ("hex8_*");
  // trimmed ones too.
  core::Result<std::vector<std::string>> config_keys(const core::CollectionName& collection);
  core::Result<std::map<core::LogId, core::SeqSet>> with_config_key(
      const core::CollectionName& collection, const std::string& pattern);

  // Lazy: a peer whose ack was forgotten says it again.
  core::Status save_acks(const core::LogId& log, const core::NodeId& peer,
                         const core::SeqSet& held);
  core::Result<std::map<core::NodeId, core::SeqSet>> load_acks(const core::LogId& log);

  // ── sources ──
  core::Result<std::map<std::string, std::string>> cursors(const core::CollectionName& collection);
  std::optional<core::Digest256> known_unit(const core::CollectionName& collection,
                                            const std::string& key);

  // ── files ──
  core::Result<std::map<std::string, FileNote>> files(const core::CollectionName& collection);
  // Many files in one transaction. A file that is left with neither is forgotten.
  core::Status save_files(const core::CollectionName& collection,
                          std::span<const FileChange> changes);

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::storage
