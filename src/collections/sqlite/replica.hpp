// Syncline's own union of a collection's units on this node: one database, or one per config key
// (`replica = "data/replica/{config_key}.db"`).
//
// - A record is merged exactly once: side tables remember every (origin, epoch, seq) with its
// unit's
//   key and hash, in the same transaction as the rows. Versions that still contribute a row are
//   kept, so that repair can read them again when the journal is trimmed.
// - The result does not depend on the order of merging: equal sets of records give replicas with
//   equal rows and equal fingerprints on every node (reconcile::fold says which row wins).
// - Surrogate ids are given anew here and foreign keys onto them follow. Tables and columns that
//   units bring are created; a column that a unit lacks takes its default.
// - The file is ordinary SQLite in WAL mode: anybody may read it at any time. Side tables are named
//   syncline_*. Somebody else's file at the path is refused, never written to.
//
// Threads: one at a time; units() and fingerprint() from any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/config.hpp"
#include "core/ids.hpp"
#include "core/ranges.hpp"
#include "core/record.hpp"
#include "core/result.hpp"
#include "reconcile/fingerprint.hpp"

namespace syncline::collections::sqlite {

struct MergeReport {
  std::uint64_t merged = 0;           // records new to the replica
  std::uint64_t repeated = 0;         // had been merged before
  std::vector<std::string> problems;  // records that cannot be merged, one line each; kept aside
};

// A record that can never be merged as things are: kept with its bytes and the reason.
struct AsideRecord {
  core::LogId log;
  core::Seq seq;
  std::string key;  // of its unit, as it says
  std::string reason;
  std::uint64_t bytes = 0;
};
using RecordId = std::pair<core::LogId, core::Seq>;

// What is said of the tables that are derived.
struct DerivedReport {
  std::string text;     // "12 matches rated; skipped: 2 without a known winner"; empty: none are
  std::string problem;  // why they are not derived; empty: they are
};

struct ScrubReport {
  std::uint64_t checked = 0;         // units compared with their hash
  std::vector<std::string> damaged;  // one line each
};

class Replica {
 public:
  // Creates it where it is missing. kConflict: the file is not one of ours, or of a newer Syncline.
  // kCorrupt: damaged; nothing was changed.
  static core::Result<std::unique_ptr<Replica>> open(const core::CollectionConfig& config);
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // Which records of each log are in.
  std::map<core::LogId, core::SeqSet> merged_all() const;

  // One transaction per database; durable when it answers. kExhausted, kCorrupt: nothing changed.
  // A record that can never be merged (its bytes are no unit, its schema is refused) is reported in
  // `problems`, remembered as merged and kept in syncline_aside.
  core::Result<MergeReport> merge(std::span<const core::RecordBatchPtr> batches);

  // Records of the log among `wanted` that were merged, ascending, with their schemas; about
  // `bytes_max`, at least one if there is any. Of a version that contributes no row any more only
  // the name is left: Record::is_superseded().
  core::Result<core::RecordBatch> read(const core::LogId& log, const core::SeqSet& wanted,
                                       std::size_t bytes_max);

  // What was put aside, at most so many.
  std::uint64_t aside_count() const;
  core::Result<std::vector<AsideRecord>> aside(std::size_t count_max);
  // Tries to merge it again (after an upgrade, or with other table rules); what still cannot be
  // stays. Empty `only`: all of it. Answers as merge().
  core::Result<MergeReport> retry_aside(const std::set<RecordId>& only);
  // Forgets it here for good; answers how many. The record still counts as merged.
  core::Result<std::uint64_t> drop_aside(const std::set<RecordId>& only);

  DerivedReport derived() const;

  // Different texts in a column, at most so many; none where there is no such table or column.
  core::Result<std::set<std::string>> texts(const std::string& table, const std::string& column,
                                            std::size_t count_max);

  std::uint64_t units() const;
  reconcile::Fingerprint fingerprint() const;

  // PRAGMA quick_check, then the rows of `units_max` units (the least lately checked first) against
  // their hash. Memory bounded by one unit.
  core::Result<ScrubReport> scrub(std::size_t units_max);

 private:
  struct State;
  explicit Replica(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::collections::sqlite
