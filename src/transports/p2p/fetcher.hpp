// The fetching side: all fetches of this node.
//
// An object of more than one piece begins with its piece layer, verified against the root before
// anything of it is believed. Then pieces are asked as piece_picker says. Blocks are hashed as they
// come, each byte once; a whole piece goes to the Destination, which verifies it by those hashes.
//
// A piece that is wrong bars its source. The other blocks of it are not thrown away: another source
// is asked for the hashes of that piece's 64 blocks, which the layer verifies, and then only for
// the blocks that differ. A source that sends what nobody asked for is barred as well.
//
// Threads: any. The loop's thread never hashes and never touches a file.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "env/clock.hpp"
#include "transports/p2p/fetch.hpp"
#include "transports/p2p/types.hpp"

namespace syncline::transports::p2p {

class Fetcher {
 public:
  Fetcher(const core::NodeId& self, const env::Clock& clock, ExchangePorts ports,
          ExchangeLimits limits, Workers& workers);

  void fetch(FetchRequest request, FetchCallbacks callbacks);
  void cancel(std::uint64_t job);
  void grant(std::uint64_t job, std::uint64_t bytes);
  void close();  // ends all with kCancelled; later ones too
  bool is_linked(const core::NodeId& node) const;

  void on_data(const core::NodeId& peer, wire::ObjectData data);
  void on_layer(const core::NodeId& peer, wire::LayerReply reply);
  void on_refused(const core::NodeId& peer, const wire::ObjectRefused& refused);
  void on_pieces(const core::NodeId& peer, const wire::ObjectPieces& told);
  void link_up(const core::NodeId& peer);
  void link_down(const core::NodeId& peer);
  void tick();

 private:
  // What is sent and told once the lock is free.
  struct Out {
    std::vector<std::pair<core::NodeId, wire::WireMessage>> messages;
    std::vector<std::pair<core::NodeId, std::string>> blames;
    std::vector<FetchPtr> asking;  // metered, and out of bytes
  };
  // Runs `change` under the lock, then sends what it left.
  void turn(const std::function<void(Out&)>& change);

  // All below: under the lock, but for the functions that say "worker".
  FetchPtr find(std::uint64_t id) const;
  void begin(const FetchPtr& fetch, Out& out);
  void pump(const FetchPtr& fetch, Out& out);
  void pump_line(Out& out);
  void recount(Fetch& fetch);
  bool may_ask(const Fetch& fetch, core::Instant now) const;
  static void ask_for_more(const FetchPtr& fetch, Out& out);
  void start(const FetchPtr& fetch, const Ask& ask, Out& out);
  std::optional<core::NodeId> not_asked_for_layer(const Fetch& fetch) const;
  void ask_layer(const FetchPtr& fetch, Out& out);
  void look_at(const FetchPtr& fetch, Out& out);  // each tick
  void drop_source(const FetchPtr& fetch, const core::NodeId& source, Out& out);
  void forget(Fetch& fetch, const std::vector<Ask>& asks);
  void go_on_without(const FetchPtr& fetch, Out& out);
  void go_on_or_end(const FetchPtr& fetch, Out& out);
  void blame(const FetchPtr& fetch, const core::NodeId& source, const std::string& what, Out& out);
  void finish(const FetchPtr& fetch, core::Status status, const core::NodeId& node, Out& out);

  // fetcher_partners.cpp
  void greet_partners(Fetch& fetch, const std::vector<std::uint64_t>& present, Out& out);
  void tell_partners(Fetch& fetch, bool is_urgent, Out& out);
  void take_pieces(const FetchPtr& fetch, const core::NodeId& peer, const wire::ObjectPieces& told,
                   Out& out);

  void take_layer(const FetchPtr& fetch, const core::NodeId& peer, std::string hashes);  // worker
  void opened(const FetchPtr& fetch, core::Result<DestinationPtr> destination);          // worker
  void take_block_hashes(const FetchPtr& fetch, const core::NodeId& peer,
                         const wire::LayerReply& reply, Out& out);
  static void keep_right_blocks(Assembly& assembly, const Assembly& wrong,
                                const std::vector<core::Digest256>& hashes, Out& out);
  // Empty: these bytes answer the ask. Otherwise what is wrong with them.
  std::string why_not_taken(const Fetch& fetch, const Assembly& assembly,
                            const wire::ObjectData& data, std::uint64_t size) const;
  void hash(const FetchPtr& fetch, const AssemblyPtr& assembly, wire::ObjectData data);  // worker
  void write(const FetchPtr& fetch, const AssemblyPtr& assembly);                        // worker
  void written(const FetchPtr& fetch, const AssemblyPtr& assembly, Out& out);
  void piece_is_wrong(const FetchPtr& fetch, const AssemblyPtr& assembly, Out& out);

  const core::NodeId self_;
  const env::Clock& clock_;
  const ExchangePorts ports_;
  const ExchangeLimits limits_;
  Workers& workers_;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, FetchPtr> fetches_;         // by number on the wire
  std::map<std::uint64_t, std::uint64_t> number_of_;  // FetchRequest::job -> that number
  std::set<core::NodeId> linked_;
  std::deque<FetchPtr> line_;  // wait for room in the total
  std::uint64_t in_flight_bytes_ = 0;
  std::uint64_t last_number_ = 0;
  bool is_closed_ = false;
};

}  // namespace syncline::transports::p2p
