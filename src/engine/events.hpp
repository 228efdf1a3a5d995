// What goes into the engine. Every event is something that has happened: bytes that arrived, an
// fsync that returned, a person's request. Values only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "coordination/lease_election.hpp"
#include "core/messages.hpp"
#include "core/object.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "facade/types.hpp"

namespace syncline::engine {

struct Tick {};  // next_wake() has come

// ── links ──
struct LinkUp {
  core::NodeId peer;
  core::Hello hello;
  std::string address;  // "host:port" it was dialled at; empty if it dialled us
};
struct LinkDown {
  core::NodeId peer;
  std::string reason;
};
struct DialFailed {
  std::string address;
  std::string reason;
};
struct Received {
  core::NodeId peer;
  core::Message message;
};

// A datagram of membership that opened under the fleet key.
struct PacketReceived {
  std::string address;  // where it came from
  core::Packet packet;
};

// These keys of the fleet are on the disk.
struct KeysKept {
  std::vector<core::FleetKey> keys;
};
struct KeyMade {  // by a person's wish, here
  core::FleetKey key;
};

// ── the journal and the replica ──
// Units that a source reader found complete. `read_id` names the read, so that its cursors are
// stored in the very transaction that journals its units.
struct UnitsRead {
  core::CollectionName collection;
  std::uint64_t read_id = 0;
  std::vector<core::EncodedUnit> units;
  std::map<std::string, std::string> schemas;  // of every schema the units name, by id
  std::vector<core::WallMs> seen_at;           // parallel to units: when the change was noticed
  core::Instant noticed_at;                    // the same on the node's own clock, for latencies
  std::uint64_t open_units = 0;
  std::vector<std::string> problems;
  bool has_more = false;
  bool compares_on = false;  // nothing new is left; the next read goes on comparing older units
  std::uint64_t waiting_units = 0;    // complete, and kept back until their files are durable
  std::set<std::string> waiting_for;  // those files, as the rows name them
};
struct Appended {  // fsynced
  std::uint64_t append_id = 0;
};
struct AppendFailed {
  std::uint64_t append_id = 0;
  core::Error error;
};
struct Merged {
  core::LogId log;
  core::SeqSet seqs;
};
struct MergeFailed {
  core::LogId log;
  core::SeqSet seqs;
  core::Error error;
};
struct ReplicaMeasured {
  core::CollectionName collection;
  std::uint64_t units = 0;
  std::string fingerprint;  // hex
  std::uint64_t aside = 0;  // records that cannot be merged
  std::string derived;      // what its derived tables come from, one sentence
  std::string problem;      // why they are not derived
  // Files that its rows name (CollectionConfig::announces).
  std::set<std::string> announced = {};
};
// Asked to send records that this node no longer has in any form.
struct RecordsUnavailable {
  core::NodeId peer;
  core::LogId log;
  core::SeqSet seqs;
  std::string reason;
};
// The shell saw a root change (inotify), or was told so by a program.
struct SourceChanged {
  core::CollectionName collection;
  bool is_anywhere = false;  // nobody can say where: look at everything
};
struct RecordsSent {
  core::NodeId peer;
  core::LogId log;
  std::uint64_t bytes = 0;
};

// ── files ──
struct SeenObject {
  std::string path;
  core::Root root;
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ms = 0;
  std::uint32_t mode = 0644;
};
struct FilesScanned {
  core::CollectionName collection;
  std::uint64_t scan_id = 0;
  std::vector<SeenObject> changed;
  std::vector<std::string> gone;
  std::uint64_t unstable = 0;  // still being written
  core::WallMs scanned_at;
  std::vector<std::string> problems;
  bool is_part = false;  // more of the same scan follows: only `changed` is told yet
};
struct FetchProgress {
  std::uint64_t job = 0;
  std::uint64_t bytes_done = 0;
};
struct FetchAsks {  // a metered one could move so many bytes more
  std::uint64_t job = 0;
  std::uint64_t bytes = 0;
};
struct FetchDone {
  std::uint64_t job = 0;
  core::Status status;
  std::uint64_t bytes = 0;    // received over the wire
  std::string conflict_copy;  // name the losing local version was kept under; or empty
  core::NodeId served_by;     // most bytes came from; empty if none
};

// ── the machine ──
struct DiskMeasured {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t journal_bytes = 0;
  std::uint32_t load_permille = 0;  // load average per processor; 1000: all are busy
};
struct ClockTold {  // the wall clock here, now and then and when it jumped
  core::WallMs wall;
  int utc_offset_minutes = 0;
};
struct TransfersPaused {            // by a person, or resumed
  core::CollectionName collection;  // empty: all
  bool is_paused = false;
};
struct NodeRemoved {  // an operator took the node out of the fleet for good
  core::NodeId node;
};
struct FoundEphemeral {  // the provider says that it may take this machine away
  std::string provider;
  std::string sign;  // how we know
};
struct TerminationNotice {  // SIGTERM, or the provider's notice
  core::Instant deadline;
  std::string reason;
};

// ── etcd ──
struct EtcdAnswered {  // of the last AskEtcd
  core::Result<coordination::Answer> answer;
};

// ── people and programs ──
struct SyncRequested {
  std::uint64_t request = 0;
  facade::SyncRequest sync;
  // For a request restricted to one config key: the records of each log that have it.
  std::optional<std::map<core::LogId, core::SeqSet>> only;
};
struct FlushRequested {
  std::uint64_t request = 0;
  int acks = 0;  // 0: as configured
  core::Instant deadline;
  std::set<core::CollectionName> only;  // empty: all collections
};
struct VerifyDone {  // this node re-hashed its replica or files
  core::CollectionName collection;
  std::uint64_t checked = 0;
  std::vector<std::string> damaged;
};

using Event = std::variant<Tick, LinkUp, LinkDown, DialFailed, Received, PacketReceived, KeysKept,
                           KeyMade, UnitsRead, Appended, AppendFailed, Merged, MergeFailed,
                           ReplicaMeasured, RecordsUnavailable, SourceChanged, RecordsSent,
                           FilesScanned, FetchProgress, FetchAsks, FetchDone, ClockTold,
                           TransfersPaused, DiskMeasured, FoundEphemeral, TerminationNotice,
                           EtcdAnswered, SyncRequested, FlushRequested, VerifyDone, NodeRemoved>;

}  // namespace syncline::engine
