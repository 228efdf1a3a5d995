// A machine's disk: what survives a crash, and what does not yet.
//
// Writes are transactions that are asked for, take their time to be fsynced, and are then durable
// all at once; a crash drops those that are not. One queue for the journal's database (in order),
// one for the replica's. The source is the user's own database: durable at its own commit.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/object.hpp"
#include "core/ranges.hpp"
#include "core/record.hpp"
#include "engine/engine.hpp"
#include "reconcile/fingerprint.hpp"
#include "simulation/random.hpp"
#include "simulation/timeline.hpp"

namespace syncline::simulation {

struct Game {  // one version of one unit, in a source
  std::string key;
  int version = 0;
};

struct JournalLog {
  std::map<std::uint64_t, core::Record> payloads;
  core::SeqSet held;
  core::SeqSet merged;
  core::SeqSet trimmed;
  std::map<core::NodeId, core::SeqSet> acks;
};

// The rows of one unit in the replica: with correct merging, exactly one.
struct Row {
  std::uint64_t hlc = 0;
  core::NodeId origin;
  core::Digest256 hash;
  std::string bytes;
};

struct Replica {
  std::map<std::string, std::vector<Row>> units;
  std::map<core::LogId, std::map<std::uint64_t, core::Record>> merged;
  reconcile::Fingerprint fingerprint;
  // Exactly once by key; the newest version by (hlc, origin) wins.
  void merge(const core::LogId& log, const core::Record& record);
};

struct DiskFile {
  core::Root root;
  std::uint64_t size_bytes = 0;
};

class Disk {
 public:
  Disk(Timeline& timeline, Random& random) : timeline_(&timeline), random_(&random) {}

  // ── durable ──
  std::map<core::LogId, JournalLog> logs;
  std::map<core::CollectionName, std::size_t> cursors;
  std::map<engine::ObjectId, core::ObjectVersion> versions;  // as told to the fleet
  std::set<core::NodeId> removed_nodes;
  std::uint64_t last_epoch = 0;
  Replica replica;
  std::map<std::string, DiskFile> files;
  std::vector<Game> source;

  bool has(const core::LogId& log, std::uint64_t seq) const;  // in any form
  core::SeqSet have(const core::LogId& log) const;

  // ── writes ──
  // `write` is applied when the transaction is durable, then `done(true)` is called; with a full
  // disk only `done(false)`. Neither after a crash.
  using Write = std::function<void()>;
  using Done = std::function<void(bool is_written)>;
  void journal(Write write, Done done) { enqueue(journal_, std::move(write), std::move(done)); }
  void merge(Write write, Done done) { enqueue(merges_, std::move(write), std::move(done)); }
  std::size_t queued() const { return journal_.jobs.size() + merges_.jobs.size(); }

  void crash();
  void wipe();

  bool is_full = false;
  bool is_slow = false;

 private:
  struct Job {
    Write write;
    Done done;
  };
  struct Queue {
    std::deque<Job> jobs;
    bool is_busy = false;
  };
  void enqueue(Queue& queue, Write write, Done done);
  void next(Queue& queue);
  core::Duration fsync_time();

  Timeline* timeline_;
  Random* random_;
  Queue journal_;
  Queue merges_;
  std::uint64_t life_ = 0;
};

}  // namespace syncline::simulation
