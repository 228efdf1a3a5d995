#include "transports/aria2/aria2_transport.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "env/subprocess.hpp"
#include "transports/control_file.hpp"

namespace syncline::transports::aria2 {

using core::Error;
using core::ErrorKind;

namespace {

constexpr core::Duration kCallTimeout = core::seconds(5);
constexpr core::Duration kLookEvery = core::milliseconds(100);
constexpr core::Duration kStartPatience = core::seconds(12);
constexpr int kConnectionsPerSource = 4;
constexpr int kConnectionsMax = 16;

std::string url_of(const Source& source, const FetchRequest& request) {
  return source.objects_url + "/objects/" + core::to_hex(request.object.root);
}

std::vector<const Source*> usable(const FetchRequest& request) {
  std::vector<const Source*> sources;
  for (const Source& source : request.sources) {
    if (!source.objects_url.empty()) sources.push_back(&source);
  }
  return sources;
}

std::string whole_seconds(core::Duration time) {  // 1 to 600: the range of its options
  const double seconds = std::clamp(core::to_seconds(time), 1.0, 600.0);
  return std::to_string(static_cast<int>(seconds + 0.999));
}

// Source: aria2c(1), "EXIT STATUS".
Error error_of(const DownloadStatus& status, const FetchRequest& request) {
  ErrorKind kind = ErrorKind::kUnreachable;
  if (status.error_code == 3 || status.error_code == 4) kind = ErrorKind::kMissing;
  if (status.error_code == 9) kind = ErrorKind::kExhausted;
  const std::string why =
      status.error.empty() ? "code " + std::to_string(status.error_code) : status.error;
  return {kind, "aria2c could not fetch it: " + why, request.path};
}

// Which of the sources served how much, as far as looks at the speeds tell.
class Tally {
 public:
  Tally(const std::vector<const Source*>& sources, const FetchRequest& request) {
    for (const Source* source : sources) by_url_[url_of(*source, request)].node = source->node;
  }
  void look(const Rpc& rpc, const std::string& gid) {
    if (by_url_.size() < 2) return;
    const auto speeds = rpc.speeds(gid);
    if (!speeds.ok()) return;
    for (const auto& [url, speed] : *speeds) {
      const auto at = by_url_.find(url);
      if (at != by_url_.end()) at->second.sum += speed;
    }
  }
  // Empty where several took part and none was seen.
  core::NodeId most() const {
    if (by_url_.size() == 1) return by_url_.begin()->second.node;
    const auto best =
        std::max_element(by_url_.begin(), by_url_.end(),
                         [](const auto& a, const auto& b) { return a.second.sum < b.second.sum; });
    return best->second.sum > 0 ? best->second.node : core::NodeId();
  }
  bool is_alone() const { return by_url_.size() == 1; }

 private:
  struct Share {
    core::NodeId node;
    std::uint64_t sum = 0;
  };
  std::map<std::string, Share> by_url_;
};

// aria2 reads 0 as unlimited, as we do.
std::string limit_of(double mbps) {
  return std::to_string(static_cast<std::uint64_t>(mbps * 1e6));
}

std::map<std::string, std::string> options_of(const FetchRequest& request,
                                              const std::string& staged, std::size_t sources) {
  const std::size_t slash = staged.find_last_of('/');
  const int connections =
      std::min(kConnectionsMax, kConnectionsPerSource * static_cast<int>(sources));
  std::map<std::string, std::string> options = {
      {"dir", staged.substr(0, slash)},
      {"out", staged.substr(slash + 1)},
      {"split", std::to_string(connections)},
      {"connect-timeout", whole_seconds(request.times.connect_timeout)},
      {"timeout", whole_seconds(request.times.progress_timeout)}};
  return options;
}

}  // namespace

std::string Aria2Transport::why_not(const FetchRequest& request) const {
  if (env::find_program("aria2c").empty()) return "no aria2c on this node";
  if (usable(request).empty()) return "no holder serves objects over HTTPS";
  return "";
}

// Measured on loopback: 0.15 s until aria2c runs, 0.1 s once it does.
double Aria2Transport::setup_seconds() const {
  return 0.2;
}

void Aria2Transport::fetch(FetchRequest request, FetchCallbacks callbacks) {
  jobs_.start(std::move(request), std::move(callbacks), [this](Job& job) { return work(job); });
}

void Aria2Transport::close() {
  jobs_.close();
  aria2c_.close();
}

// Until all of it is on the disk, unverified.
core::Status Aria2Transport::download(Job& job, const Destination& destination,
                                      FetchOutcome& outcome) {
  const FetchRequest& request = job.request();
  const std::string staged = destination.staged_path();
  const std::vector<bool> present = pieces_present(destination);
  const std::uint64_t before = bytes_of(present, destination.size_bytes());
  SYNCLINE_TRY(save_pieces(destination, present));
  SYNCLINE_ASSIGN(const RpcEndpoint endpoint, aria2c_.running(kStartPatience));
  const Rpc rpc(endpoint, kCallTimeout);
  const std::vector<const Source*> sources = usable(request);
  std::vector<std::string> urls;
  for (const Source* source : sources) urls.push_back(url_of(*source, request));
  double mbps = job.mbps();
  auto options = options_of(request, staged, urls.size());
  options["max-download-limit"] = limit_of(mbps);
  SYNCLINE_ASSIGN(const std::string gid, rpc.add(urls, options));
  Tally tally(sources, request);
  if (tally.is_alone()) outcome.node = tally.most();

  std::uint64_t last = 0;
  auto moved_at = std::chrono::steady_clock::now();
  core::Status ended;
  for (;;) {
    if (job.pause(kLookEvery)) {
      ended = job.cancelled_error();
      break;
    }
    const auto status = rpc.status(gid);
    if (!status.ok()) {  // it died; what it saved stays
      return Error{ErrorKind::kUnreachable, status.error().what, request.path};
    }
    if (status->completed_bytes > last) {
      last = status->completed_bytes;
      moved_at = std::chrono::steady_clock::now();
      outcome.bytes = last - std::min(last, before);
      // The last byte is not told before it was verified.
      if (last < request.object.size_bytes) job.progress(last);
    }
    if (const double now = job.mbps(); now != mbps) {
      if (rpc.change(gid, {{"max-download-limit", limit_of(now)}}).ok()) mbps = now;
    }
    tally.look(rpc, gid);
    if (status->state == "complete") break;
    if (status->state == "error" || status->state == "removed") {
      ended = error_of(*status, request);
      break;
    }
    if (std::chrono::steady_clock::now() - moved_at > request.times.progress_timeout) {
      ended = Error{
          ErrorKind::kUnreachable,
          "nothing came for " +
              std::to_string(static_cast<int>(core::to_seconds(request.times.progress_timeout))) +
              " s",
          request.path};
      break;
    }
  }
  if (!ended.ok()) (void)rpc.remove(gid).ok();
  // Until it has ended it writes, and saves its control file.
  for (int i = 0; i < 50 && !ended.ok(); ++i) {
    const auto status = rpc.status(gid);
    if (!status.ok() || status->state == "removed" || status->state == "error") break;
    std::this_thread::sleep_for(core::milliseconds(20));
  }
  (void)rpc.forget(gid).ok();
  if (ended.ok()) outcome.node = tally.most();
  return ended;
}

FetchOutcome Aria2Transport::work(Job& job) {
  return fetch_staged(job, why_not(job.request()),
                      [&](Destination& destination, FetchOutcome& outcome) {
                        return download(job, destination, outcome);
                      });
}

}  // namespace syncline::transports::aria2
