#include "transports/swarm/swarm_transport.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <map>

#include "env/files.hpp"
#include "transports/control_file.hpp"
#include "transports/swarm/host_port.hpp"

namespace syncline::transports::swarm {

using core::Error;
using core::ErrorKind;
using Clock = std::chrono::steady_clock;

// Whom to connect to, and who of them is which source.
struct SwarmTransport::Peers {
  std::vector<std::string> addresses;
  std::map<std::string, core::NodeId> by_address;
};

namespace {

constexpr core::Duration kLookEvery = core::milliseconds(50);
constexpr core::Duration kFlushMax = core::seconds(60);
// What came is noted so often: so much is fetched again after a crash.
constexpr auto kNoteEvery = std::chrono::seconds(5);
constexpr auto kAskWhoEvery = std::chrono::milliseconds(500);

// "gpu-1:8752" -> "10.0.0.5:8752"; empty: no such host.
std::string numeric(const std::string& address) {
  const auto at = host_port(address);
  if (!at) return {};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(at->host.c_str(), nullptr, &hints, &found) != 0) return {};
  char text[NI_MAXHOST] = "";
  const int code = ::getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), nullptr, 0,
                                 NI_NUMERICHOST);
  ::freeaddrinfo(found);
  return code == 0 ? address_text(text, at->port) : "";
}

void find_peers(const FetchRequest& request, std::vector<std::string>& addresses,
                std::map<std::string, core::NodeId>& by_address) {
  for (const Source& source : request.sources) {
    if (source.swarm_address.empty()) continue;
    const std::string address = numeric(source.swarm_address);
    if (address.empty()) continue;
    addresses.push_back(address);
    by_address[address] = source.node;
  }
  for (const std::string& peer : request.swarm_peers) {
    const std::string address = numeric(peer);
    if (!address.empty()) addresses.push_back(address);
  }
}

class Fd {
 public:
  explicit Fd(const std::string& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::string SwarmTransport::why_not(const FetchRequest& request) const {
  for (const Source& source : request.sources) {
    if (!source.swarm_address.empty()) return "";
  }
  return "no holder takes part in swarms";
}

double SwarmTransport::setup_seconds() const {
  return 1;
}

void SwarmTransport::fetch(FetchRequest request, FetchCallbacks callbacks) {
  jobs_.start(std::move(request), std::move(callbacks), [this](Job& job) { return work(job); });
}

void SwarmTransport::close() {
  jobs_.close();
}

// Until every piece is there.
core::Status SwarmTransport::follow(Job& job, const Destination& destination, const Peers& peers,
                                    FetchOutcome& outcome) {
  const FetchRequest& request = job.request();
  const core::Root& root = request.object.root;
  auto moved_at = Clock::now();
  auto noted_at = moved_at;
  auto asked_at = moved_at;
  std::uint64_t last = 0;
  double mbps = request.bandwidth_mbps;
  bool has_met = false;
  for (;;) {
    if (job.pause(kLookEvery)) return job.cancelled_error();
    if (job.mbps() != mbps) session_->limit(root, mbps = job.mbps());
    const Progress now = session_->look(root);
    outcome.bytes = now.wire_bytes;
    if (!now.problem.empty()) {
      return Error{ErrorKind::kUnreachable, "the swarm stopped: " + now.problem, request.path};
    }
    if (now.is_complete) return {};
    has_met |= now.peers > 0;
    if (now.done_bytes > last) {
      last = now.done_bytes;
      moved_at = Clock::now();
      // The last byte is not told before it was verified.
      if (last < request.object.size_bytes) job.progress(last);
    }
    // libtorrent 2.0.8 damages its heap while it looks for the one of several that lies: the swarm
    // ends here, and a way that finds it follows.
    if (now.wrong_pieces > 0) {
      outcome.node = peers.addresses.size() == 1 ? request.sources.front().node : core::NodeId();
      return Error{ErrorKind::kCorrupt, "the swarm sends bytes that are not the object's",
                   request.path};
    }
    if (Clock::now() - noted_at > kNoteEvery) {
      if (session_->flush(root, kFlushMax)) {
        (void)save_pieces(destination, session_->pieces(root)).ok();
      }
      noted_at = Clock::now();
    }
    if (Clock::now() - asked_at > kAskWhoEvery) {  // once all is here, peers leave
      const auto best = peers.by_address.find(session_->best_peer(root));
      if (best != peers.by_address.end()) outcome.node = best->second;
      asked_at = Clock::now();
    }
    const core::Duration patience =
        has_met ? request.times.progress_timeout : request.times.connect_timeout;
    if (Clock::now() - moved_at > patience) {
      return Error{ErrorKind::kUnreachable,
                   has_met ? "the swarm has stalled" : "nobody of the swarm answers", request.path};
    }
  }
}

// Adds the torrent, follows it to its end; on failure it is gone again.
core::Status SwarmTransport::download(Job& job, const Destination& destination,
                                      FetchOutcome& outcome) {
  const FetchRequest& request = job.request();
  const core::Root& root = request.object.root;
  const Fd staged(destination.staged_path());
  if (staged.get() < 0) {
    return env::system_error("open the staged file", destination.staged_path(), errno);
  }
  Peers peers;
  find_peers(request, peers.addresses, peers.by_address);
  if (peers.by_address.size() == 1) outcome.node = peers.by_address.begin()->second;
  SYNCLINE_TRY(session_->download({root, request.object.size_bytes, staged.get(),
                                   pieces_present(destination), request.bandwidth_mbps,
                                   request.share_rank, request.share_count}));
  session_->meet(root, peers.addresses);
  core::Status followed = follow(job, destination, peers, outcome);
  const bool is_flushed = session_->flush(root, kFlushMax);
  if (followed.ok()) return followed;
  if (is_flushed) (void)save_pieces(destination, session_->pieces(root)).ok();
  session_->stop(root);
  if (followed.error().kind == ErrorKind::kCorrupt) forget_pieces(destination);
  return followed;
}

FetchOutcome SwarmTransport::work(Job& job) {
  bool is_here = false;
  FetchOutcome outcome = fetch_staged(
      job, why_not(job.request()), [&](Destination& destination, FetchOutcome& so_far) {
        const core::Status done = download(job, destination, so_far);
        is_here = done.ok();
        return done;
      });
  if (!is_here) return outcome;
  if (outcome.status.ok()) {
    session_->keep(job.request().object.root);
  } else {
    session_->stop(job.request().object.root);
  }
  return outcome;
}

}  // namespace syncline::transports::swarm
