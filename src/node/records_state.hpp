// What records_shell.cpp and records_merge.cpp share. Private to the room.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collections/sqlite/replica.hpp"
#include "collections/sqlite/source.hpp"
#include "node/records_shell.hpp"
#include "node/serial.hpp"
#include "storage/store.hpp"

namespace syncline::node {

namespace live = collections::sqlite;

// One sqlite collection: its sources and its replica, each with a thread.
struct Lane {
  core::CollectionConfig config;
  // Databases of agentless hosts, copied here. Their names begin with `prefix`, which no path does.
  struct Copies {
    std::string prefix;             // "ssh://h2/"
    core::CollectionConfig config;  // with the folder of the copies as its root
    std::unique_ptr<live::Source> source;
  };
  std::vector<Copies> copies;
  std::unique_ptr<live::Source> source;    // empty while its root cannot be opened: tried again
  std::unique_ptr<live::Replica> replica;  // likewise
  std::unique_ptr<Serial> source_thread;   // empty: nothing is produced here
  std::unique_ptr<Serial> replica_thread;  // empty: no replica is configured
  std::mutex mutex;
  std::set<std::string> changed;            // relative paths, since the last read
  std::optional<core::Instant> noticed_at;  // of the first of them

  struct Looked {
    const std::map<std::string, std::string>& cursors;
    const live::KnownUnits& known;
    live::ReadLimits limits;
    const std::set<std::string>* only;
    core::WallMs now;
    const live::NamedFiles* named = nullptr;
  };
  // Own databases, then copies, within the limits together. On source_thread.
  live::ReadOutcome look(const Looked& looked);
  core::Status open_source();   // on source_thread, or before it runs
  core::Status open_replica();  // on replica_thread, or before it runs
};

// The agentless hosts that are polled for it.
void add_copies(Lane& lane, const core::Config& config);

struct RecordsShell::State {
  State(const core::Config& co, const env::Clock& cl, RecordsPorts p,
        std::unique_ptr<storage::Store> st)
      : config(co), clock(cl), ports(std::move(p)), store(std::move(st)) {}
  const core::Config& config;
  const env::Clock& clock;
  RecordsPorts ports;
  std::mutex store_mutex;  // the journal's thread holds it for one transaction at a time
  std::unique_ptr<storage::Store> store;
  std::map<core::CollectionName, std::unique_ptr<Lane>> lanes;
  // Cursors of reads whose units are not journalled yet, by read id.
  std::mutex progress_mutex;
  std::map<std::uint64_t, std::map<std::string, std::string>> progress;
  std::mutex append_mutex;
  std::vector<engine::Append> appends;
  bool is_commit_posted = false;
  std::atomic<std::uint64_t> journal_bytes{0};
  Serial journal{"sl-journal"};  // last: its tasks use everything above

  Lane* lane(const core::CollectionName& name) {
    auto it = lanes.find(name);
    return it == lanes.end() ? nullptr : it->second.get();
  }
  core::Result<core::RecordBatch> read_journal(const core::LogId& log, const core::SeqSet& seqs,
                                               std::size_t bytes_max) {
    const std::lock_guard lock(store_mutex);
    return store->read(log, seqs, bytes_max);
  }
  core::Status compare_with_replica(const Lane& lane, engine::Recovered& recovered);
  void commit();
  void read(Lane& lane, const engine::ReadSource& action);
  static engine::ReplicaMeasured measured(const Lane& lane);
  void merge(Lane& lane, const engine::Merge& action,
             const std::vector<core::RecordBatchPtr>& batches);
  // Takes back what the disk was said to hold, durably, before the engine is told.
  void give_up(const engine::SendRecords& action, const core::SeqSet& lost, std::string why);
  void send_from_replica(Lane& lane, const engine::SendRecords& action, const core::SeqSet& left);
};

core::SeqSet seqs_of(const core::RecordBatch& batch);

}  // namespace syncline::node
