// What nodes say to each other, as values. wire/ turns them into frames and back; the engine and
// the simulation know nothing of frames.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/fact.hpp"
#include "core/ids.hpp"
#include "core/packets.hpp"
#include "core/ranges.hpp"
#include "core/record.hpp"

namespace syncline::core {

// First on every connection, both ways. The peer's id is taken from its certificate, not from here.
struct Hello {
  std::uint32_t protocol_min = 1;
  std::uint32_t protocol_max = 1;
  std::string fleet;
  std::uint64_t incarnation = 0;  // of the sender's catalog log
  std::string advertise;          // "host:port" where it can be reached; empty behind NAT
  bool operator==(const Hello&) const = default;
};

// Records of one log for the receiver to hold. Sent by the origin (push) or any holder (repair).
struct AppendRecords {
  RecordBatchPtr batch;
};

// "These records of your push are on my disk": sent only after fsync. `held` is everything of the
// log the sender holds (cumulative; bounded ranges), never only the last batch.
struct AckRecords {
  LogId log;
  SeqSet held;
  bool operator==(const AckRecords&) const = default;
};

// The receiver could not take the records (full disk, back-pressure): the writer counts nothing,
// chooses somebody else and tries again after `retry_after_ms`.
struct RefuseRecords {
  LogId log;
  std::string reason;
  std::uint32_t retry_after_ms = 1000;
  bool operator==(const RefuseRecords&) const = default;
};

// "Send me these of that log": gap repair, from any holder.
struct RequestRecords {
  LogId log;
  SeqSet wanted;
  bool operator==(const RequestRecords&) const = default;
};

struct DigestMessage {
  CatalogDigest digest;
  bool wants_delta = true;  // false: this is the answer to a digest; do not answer again
  bool operator==(const DigestMessage&) const = default;
};

struct DeltaMessage {
  CatalogDelta delta;
  bool operator==(const DeltaMessage&) const = default;
};

// "Look again at this collection now": a targeted sync asks its targets to fetch without waiting
// for the next round of gossip.
struct NudgeMessage {
  CollectionName collection;
  std::uint32_t priority_permille = 1000;  // 2000 critical … 250 background
  std::string transport = {};              // to be used for files; empty = the planner's choice
  std::uint64_t bandwidth_kbps = 0;        // kB/s that files may take; 0 = as configured there
  std::uint64_t leader_epoch = 0;          // of the leader who asks; 0 = a person's request
  bool operator==(const NudgeMessage&) const = default;
};

struct Goodbye {  // graceful leave: not a failure
  std::string reason;
  bool operator==(const Goodbye&) const = default;
};

// A key of the fleet, to a node that has not said that it has it. Over links only.
struct FleetKey {
  std::uint64_t epoch = 0;  // newer is larger; 0: the one that the fleet began with
  std::string bytes;        // 32
  bool operator==(const FleetKey&) const = default;
};
inline constexpr std::size_t kFleetKeyBytes = 32;

using Message =
    std::variant<Hello, AppendRecords, AckRecords, RefuseRecords, RequestRecords, DigestMessage,
                 DeltaMessage, NudgeMessage, Goodbye, Packet, PushPull, FleetKey>;

const char* name_of(const Message& message);

}  // namespace syncline::core
