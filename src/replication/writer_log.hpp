// The origin's side of one log: from "on my disk" to "durable".
//
// State of a record: local -> (pushed to receivers) -> durable once peers in `acks` distinct
// failure domains hold it on disk -> lapsed when holders are lost and too few are left: then it is
// pushed again. Only records that never were durable cost memory here; all others are ranges.
//
// The ledger of Apache BookKeeper is the model: one writer, parallel pushes to a few receivers,
// the first `acks` answers win, a slow receiver delays nobody.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/ids.hpp"
#include "core/ranges.hpp"
#include "core/time.hpp"

namespace syncline::replication {

// How many distinct failure domains this set of nodes spans, the origin's own not counted.
using CountDomains = std::function<int(const std::set<core::NodeId>&)>;

struct PendingRecord {
  std::uint64_t seq = 0;
  std::uint32_t bytes = 0;
  core::Instant local_at;     // when it was on this disk
  core::WallMs committed_at;  // when the producer's commit was noticed
  bool operator==(const PendingRecord&) const = default;
};

// "Send these records of the log to that peer": the shell reads them from the journal.
struct Push {
  core::NodeId peer;
  core::SeqSet seqs;
  bool operator==(const Push&) const = default;
};

struct WriterLimits {
  int acks = 2;
  std::int64_t inflight_max_bytes = std::int64_t{16} << 20;  // unacked, per receiver
  std::size_t push_records_max = 512;                        // in one push
  std::size_t push_bytes_max = std::size_t{2} << 20;  // in one push; one record may exceed it
  std::size_t lapsed_inflight_max = 256;  // lapsed records (of unknown size) unacked, per receiver
  core::Duration ack_timeout = core::milliseconds(5000);
};

class WriterLog {
 public:
  WriterLog(core::LogId id, WriterLimits limits);

  const core::LogId& id() const { return id_; }

  // After a restart: all that is local, and of it what is not known to be durable (ascending).
  // Acks that were saved follow through acked().
  void restore(const core::SeqSet& local, std::vector<PendingRecord> pending);

  // A record is on this node's disk. REQUIRES: seq is above every one appended before.
  void appended(const PendingRecord& record);

  // `peer` holds these on its disk (cumulative). Returns the records that became durable by it.
  std::vector<PendingRecord> acked(const core::NodeId& peer, const core::SeqSet& held,
                                   const CountDomains& count_domains);

  // Domains became known or changed, or a lost holder is back: looks again at what is not durable.
  std::vector<PendingRecord> recount(const CountDomains& count_domains);

  // `count_domains` no longer counts the peer (it is gone). What has too few other holders lapses.
  void peer_gone(const core::NodeId& peer, const CountDomains& count_domains);

  // The peer has no more than this any longer: it came back without its disk, or found damage.
  void peer_lost_data(const core::NodeId& peer, const core::SeqSet& still_held,
                      const CountDomains& count_domains);

  // The peers that get pushes from now on. Those left out keep the acks they gave.
  void set_receivers(const std::set<core::NodeId>& receivers);
  const std::set<core::NodeId>& receivers() const { return receivers_; }

  // The link broke, or the peer refused: everything sent and not acked will be sent again.
  void link_down(const core::NodeId& peer);

  // It was overdue: what it was sent will be sent again, should it still be a receiver. Without an
  // ack in between, its timeout doubles each time (up to 16 times): a slow link is not flooded.
  void gave_up(const core::NodeId& peer);

  // Fills the window of each receiver that is in `linked`. Of lapsed records only those of
  // `sendable` (still on this disk) are sent.
  std::vector<Push> plan_pushes(core::Instant now, const std::set<core::NodeId>& linked,
                                const core::SeqSet& sendable);

  // Receivers that have let something lie unacked for longer than the timeout.
  std::vector<core::NodeId> overdue(core::Instant now) const;

  const core::SeqSet& local() const { return local_; }
  const core::SeqSet& durable() const { return durable_; }
  const core::SeqSet& lapsed() const { return lapsed_; }
  // Nothing is pending, nothing has lapsed.
  bool is_settled() const { return pending_.empty() && lapsed_.empty(); }
  std::size_t pending_count() const { return pending_.size(); }
  std::uint64_t pending_bytes() const { return pending_bytes_; }
  const PendingRecord* oldest_pending() const {
    return pending_.empty() ? nullptr : &pending_.front();
  }
  // How many local records up to seq `last` are held by `acks` domains (not the log's own number).
  std::uint64_t count_durable_at(int acks, std::uint64_t last,
                                 const CountDomains& count_domains) const;
  core::SeqSet held_by(const core::NodeId& peer) const;
  std::optional<core::Instant> next_wake() const;

 private:
  struct Receiver {
    core::SeqSet acked;  // kept across links
    core::SeqSet sent;   // on this link, not acked yet
    std::int64_t inflight_bytes = 0;
    std::optional<core::Instant> waiting_since;  // of the oldest unacked send or last progress
    int timeouts = 0;                            // since the last ack
    std::uint64_t next_seq = 0;                  // all pending below were sent or are held there
    void forget_sent();
  };
  core::Duration timeout_of(const Receiver& receiver) const;
  // Calls visit(range, holders) for the stretches of `among` that have the same holders.
  template <typename Visit>
  void for_each_stretch(const core::SeqSet& among, const Visit& visit) const;
  void lapse(const core::SeqSet& among, const CountDomains& count_domains);
  void push_pending(Receiver& receiver, const core::NodeId& peer, std::vector<Push>& pushes) const;

  std::uint32_t bytes_of(std::uint64_t seq) const;
  std::vector<PendingRecord> settle(const core::SeqSet& candidates,
                                    const CountDomains& count_domains);

  core::LogId id_;
  WriterLimits limits_;
  core::SeqSet local_;
  core::SeqSet durable_;
  core::SeqSet lapsed_;                // were durable, and are not now
  std::deque<PendingRecord> pending_;  // ascending by seq; not durable
  std::uint64_t pending_bytes_ = 0;
  std::set<core::NodeId> receivers_;
  std::map<core::NodeId, Receiver> peers_;
};

}  // namespace syncline::replication
