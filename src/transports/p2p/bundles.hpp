// Small objects, many at a time: one request, one frame and one task of a worker for hundreds.
//
// What is not as it should be is no business of a bundle: an object that the source did not send,
// whose bytes are wrong, or whose answer is late goes on alone, with the ordinary fetch and its
// rules for sources (fetcher.hpp). Whoever sent wrong bytes is blamed, and not asked again.
//
// Threads: any. Callbacks of a request run on the workers.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "env/clock.hpp"
#include "transports/p2p/fetcher.hpp"
#include "transports/p2p/types.hpp"
#include "transports/p2p/workers.hpp"
#include "transports/transport.hpp"

namespace syncline::transports::p2p {

// Larger ones gain nothing: they fill frames of their own.
inline constexpr std::uint64_t kBundledBytesMax = 64u << 10;

class Bundles {
 public:
  // `fetcher` knows who is linked, and carries out what goes on alone.
  Bundles(const env::Clock& clock, ExchangePorts ports, ExchangeLimits limits, Workers& workers,
          Fetcher& fetcher);

  // False: it is not for a bundle, both are left as they are.
  bool fetch(FetchRequest& request, FetchCallbacks& callbacks);
  void cancel(std::uint64_t job);
  void close();  // ends all with kCancelled; later ones too

  void link_down(const core::NodeId& peer);  // after the fetcher was told
  void on_data(const core::NodeId& peer, wire::BundleData data);
  // False: the number is not of a bundle.
  bool on_refused(const wire::ObjectRefused& refused);
  void tick();

 private:
  struct Entry {
    FetchRequest request;
    FetchCallbacks callbacks;
    bool is_over = false;  // cancelled, or taken up by whoever ends it
  };
  using EntryPtr = std::shared_ptr<Entry>;
  struct Bundle {
    core::NodeId source;
    core::Duration patience{};
    core::Instant quiet_since;  // of its source
    std::vector<EntryPtr> entries;
  };
  struct Source {
    std::deque<EntryPtr> waiting;
    std::size_t under_way = 0;  // bundles
  };
  // What is done once the lock is free.
  struct Out {
    std::vector<std::pair<core::NodeId, wire::WireMessage>> messages;
    std::vector<EntryPtr> alone;
  };
  void turn(const std::function<void(Out&)>& change);

  // Under the lock:
  void ask(Out& out);
  wire::BundleRequest gather(const core::NodeId& source, Source& state);
  Bundle take_out(std::map<std::uint64_t, Bundle>::iterator bundle);
  void take_back(std::map<std::uint64_t, Bundle>::iterator bundle, Out& out);
  bool take_up(const EntryPtr& entry);  // false: it is over already

  // Any thread:
  bool lock_and_take_up(const EntryPtr& entry);  // take_up() under the lock
  void end_cancelled(const EntryPtr& entry, const char* why);
  void go_alone(const EntryPtr& entry);

  // On a worker:
  void receive(const Bundle& bundle, wire::BundleData data);
  void land(const EntryPtr& entry, const core::NodeId& source, std::string_view bytes,
            std::uint64_t wire_bytes);
  void refuse_all_of(const Bundle& bundle, const std::string& what);
  void blame(const EntryPtr& entry, const core::NodeId& source, const std::string& what);

  const env::Clock& clock_;
  const ExchangePorts ports_;
  const ExchangeLimits limits_;
  Workers& workers_;
  Fetcher& fetcher_;

  std::mutex mutex_;
  std::map<core::NodeId, Source> sources_;     // of which something is wanted
  std::map<std::uint64_t, Bundle> bundles_;    // asked for, by number
  std::map<std::uint64_t, EntryPtr> entries_;  // by FetchRequest::job
  std::uint64_t last_number_;
  bool is_gathering_ = false;  // a worker will ask for what waits
  bool is_closed_ = false;
};

}  // namespace syncline::transports::p2p
