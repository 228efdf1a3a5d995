// Every node's side of all logs: which records are on this disk, which are merged into the
// replica, which are on their way to either.
#pragma once

#include <map>
#include <vector>

#include "core/ids.hpp"
#include "core/ranges.hpp"

namespace syncline::replication {

struct Holding {
  core::SeqSet held;       // fsynced here (journal, or merged and trimmed)
  core::SeqSet appending;  // handed to the journal, fsync not reported yet
  core::SeqSet merged;     // in the replica
  core::SeqSet merging;    // handed to the replica
  core::SeqSet trimmed;    // no longer in the journal
  bool operator==(const Holding&) const = default;
};

class Holdings {
 public:
  // Recovered from disk at start.
  void restore(const core::LogId& log, core::SeqSet held, core::SeqSet merged,
               core::SeqSet trimmed);

  // What of `arriving` is neither held nor being appended; marks it as being appended.
  core::SeqSet begin_append(const core::LogId& log, const core::SeqSet& arriving);
  void appended(const core::LogId& log, const core::SeqSet& seqs);
  void append_failed(const core::LogId& log, const core::SeqSet& seqs);

  // Up to `records_max` held, unmerged records of the log; marks them as being merged.
  core::SeqSet begin_merge(const core::LogId& log, std::size_t records_max);
  // The merge ended, and these are in the replica: perhaps fewer than were asked.
  void merged(const core::LogId& log, const core::SeqSet& seqs);
  void merge_failed(const core::LogId& log, const core::SeqSet& seqs);

  void trimmed(const core::LogId& log, const core::SeqSet& seqs);

  // The disk does not have them (any more), in any form.
  void lost(const core::LogId& log, const core::SeqSet& seqs);

  const Holding* find(const core::LogId& log) const;
  const core::SeqSet& held(const core::LogId& log) const;  // empty set if unknown
  const std::map<core::LogId, Holding>& all() const { return logs_; }

 private:
  std::map<core::LogId, Holding> logs_;
};

// The first `count` members of a set.
core::SeqSet first_of(const core::SeqSet& set, std::size_t count);

}  // namespace syncline::replication
