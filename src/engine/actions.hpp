// What comes out of the engine. Each action says what the shell must do, and which event reports
// that it was done. The shell adds nothing: no retry, no choice, no timeout of its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "coordination/lease_election.hpp"
#include "core/messages.hpp"
#include "core/object.hpp"
#include "facade/types.hpp"

namespace syncline::engine {

// ── links ──
struct Dial {  // -> LinkUp or DialFailed
  std::string address;
  core::NodeId expected;  // empty: whoever answers with a certificate of this fleet
};
struct CloseLink {
  core::NodeId peer;
  std::string reason;
};
struct Send {
  core::NodeId peer;
  core::Message message;
};

// Seal under the fleet key and send as one datagram. Nothing reports whether it arrived.
struct SendPacket {
  core::NodeId node;
  std::string address;  // never empty: what has no address goes over its link, as Send
  core::Packet packet;
};

// Keep these keys of the fleet on the disk, then use them: one seals, all open. -> KeysKept
struct KeepKeys {
  std::vector<core::FleetKey> keys;
  std::size_t sealing = 0;
};

// ── the journal and the replica ──
// Journal and fsync; then -> Appended or AppendFailed with the same id. With a read_id, the
// cursors of that read are stored in the same transaction.
struct Append {
  std::uint64_t append_id = 0;
  core::RecordBatchPtr batch;  // may hold no records: only the cursors are to be stored
  std::uint64_t read_id = 0;
};
// Read from the journal, else from the replica, and send as AppendRecords (-> RecordsSent, or
// RecordsUnavailable for what is neither here nor there).
struct SendRecords {
  core::NodeId peer;
  core::LogId log;
  core::SeqSet seqs;
};
struct Merge {  // -> Merged or MergeFailed, then ReplicaMeasured
  core::LogId log;
  core::SeqSet seqs;
};
struct Trim {  // drop these payloads from the journal
  core::LogId log;
  core::SeqSet seqs;
  // Also forget that they were held: they are in no replica here (kept for others only, or lost).
  // Should they arrive again, they must be journalled again.
  bool is_forgotten = false;
};
// Lazily, and before the Trim of what it made durable: losing it costs a repeated push, never data.
struct SaveAcks {
  core::LogId log;
  core::NodeId peer;
  core::SeqSet held;
};
struct PersistFacts {  // own facts before they are told to anybody
  core::NodeId owner;
  std::uint64_t incarnation = 0;
  std::vector<core::Fact> facts;
};
struct ReadSource {  // -> one UnitsRead; `full` = look at every database, not only changed ones
  core::CollectionName collection;
  std::uint64_t read_id = 0;
  bool full = false;
};

// ── files ──
struct ScanFiles {  // -> FilesScanned
  core::CollectionName collection;
  std::uint64_t scan_id = 0;
  bool full = false;  // every file, not only those that changed
};
// Where a source can be found by others than the links.
struct Reach {
  std::string host;        // to log in at
  std::string root;        // of the collection, absolute, over there
  int objects_port = 0;    // of its HTTPS listener; 0: none
  int swarm_port = 0;      // of its BitTorrent session; 0: none
  bool is_shared = false;  // that path is on this machine, or on storage that both mount there
};
struct Fetch {  // -> FetchProgress…, FetchDone
  std::uint64_t job = 0;
  core::CollectionName collection;
  std::string path;
  core::ObjectVersion object;
  core::Root replaces;                // what we expect at the path; zero = nothing
  std::vector<core::NodeId> sources;  // best first
  std::map<core::NodeId, Reach> reach = {};
  core::Priority priority = core::Priority::kNormal;
  double bandwidth_mbps = 0;                  // 0 = unlimited
  std::string transport;                      // the planner's; empty = p2p
  bool is_metered = false;                    // it moves what GrantFetch allows: -> FetchAsks
  std::vector<core::NodeId> partners = {};    // linked others that want it now, by name
  std::vector<std::string> swarm_peers = {};  // "host:port" of those in swarms
  int share_rank = 0;                         // of this node among all who want it, by name …
  int share_count = 1;                        // … which are so many
};
struct GrantFetch {  // so many bytes more
  std::uint64_t job = 0;
  std::uint64_t bytes = 0;
};
struct PaceFetch {  // of one that is not metered: MB/s from now on; 0 = unlimited
  std::uint64_t job = 0;
  double mbps = 0;
};
struct CancelFetch {
  std::uint64_t job = 0;
};
struct RemoveFile {  // a replicated deletion
  core::CollectionName collection;
  std::string path;
  core::Root expected;
};

// ── etcd ──
struct AskEtcd {  // one at a time: -> EtcdAnswered
  coordination::Question question;
};

// ── people and programs ──
struct AnswerSync {
  std::uint64_t request = 0;
  facade::SyncResponse response;
};
struct AnswerFlush {
  std::uint64_t request = 0;
  facade::FlushReport report;
};
struct Emit {
  facade::EventRow event;  // id and wall time are added by the shell
};
struct StopReady {  // drained, or the deadline came: the daemon may exit
  std::string report;
  bool is_everything_durable = false;
};

using Action =
    std::variant<Dial, CloseLink, Send, SendPacket, KeepKeys, Append, SendRecords, Merge, Trim,
                 SaveAcks, PersistFacts, ReadSource, ScanFiles, Fetch, GrantFetch, PaceFetch,
                 CancelFetch, RemoveFile, AskEtcd, AnswerSync, AnswerFlush, Emit, StopReady>;
using Actions = std::vector<Action>;

}  // namespace syncline::engine
