#include "transports/ssh/ssh_transport.hpp"

#include "env/subprocess.hpp"
#include "transports/ssh/rsync.hpp"
#include "transports/ssh/safe_path.hpp"

namespace syncline::transports::ssh {

namespace {

const Source* usable_source(const FetchRequest& request) {
  for (const Source& source : request.sources) {
    if (!source.ssh.host.empty() && check(source.ssh).ok()) return &source;
  }
  return nullptr;
}

}  // namespace

namespace {
// rsync cannot change its speed. It is begun anew, on top of what has come, where the limit it runs
// with has been wrong for a while: that means reading at both ends what is there already.
constexpr core::Duration kTooFastFor = core::seconds(3);
constexpr core::Duration kTooSlowFor = core::seconds(30);
constexpr double kTooFast = 1.1;  // of what it may
constexpr double kTooSlow = 0.5;

class Outdated {
 public:
  Outdated(const Job& job, double mbps) : job_(job), mbps_(mbps) {}
  bool look() {
    const double wanted = job_.mbps();
    const bool is_fast = wanted > 0 && (mbps_ <= 0 || mbps_ > kTooFast * wanted);
    const bool is_slow = mbps_ > 0 && (wanted <= 0 || mbps_ < kTooSlow * wanted);
    const auto now = std::chrono::steady_clock::now();
    if (!is_fast && !is_slow) wrong_since_ = now;
    is_so_ = now - wrong_since_ > (is_fast ? kTooFastFor : kTooSlowFor);
    return is_so_;
  }
  bool is_so() const { return is_so_; }

 private:
  const Job& job_;
  const double mbps_;
  std::chrono::steady_clock::time_point wrong_since_ = std::chrono::steady_clock::now();
  bool is_so_ = false;
};
}  // namespace

std::string SshTransport::why_not(const FetchRequest& request) const {
  if (env::find_program("ssh").empty()) return "no ssh on this node";
  if (env::find_program("rsync").empty()) return "no rsync on this node";
  if (!is_safe_path(request.path)) return "the path leaves the collection's root";
  std::string why = "no holder can be reached by SSH";
  for (const Source& source : request.sources) {
    if (source.ssh.host.empty()) continue;
    const core::Status status = check(source.ssh);
    if (status.ok()) return "";
    why = core::to_string(status.error());
  }
  return why;
}

// Measured on loopback: 0.3 s to log in and start rsync, 0.1 s over a shared connection.
double SshTransport::setup_seconds() const {
  return 0.5;
}

void SshTransport::fetch(FetchRequest request, FetchCallbacks callbacks) {
  jobs_.start(std::move(request), std::move(callbacks), [this](Job& job) { return work(job); });
}

void SshTransport::close() {
  jobs_.close();
  logins_.close();
}

FetchOutcome SshTransport::work(Job& job) {
  return fetch_staged(job, why_not(job.request()),
                      [&](Destination& destination, FetchOutcome& outcome) {
                        return copy(job, destination, outcome);
                      });
}

core::Status SshTransport::copy(Job& job, const Destination& destination, FetchOutcome& outcome) {
  const FetchRequest& request = job.request();
  const Source& source = *usable_source(request);
  outcome.node = source.node;
  RsyncRequest copy;
  SYNCLINE_ASSIGN(copy.ssh, logins_.command(source.ssh, request.times.connect_timeout));
  copy.local_path = destination.staged_path();
  copy.remote_path = source.ssh.root + "/" + request.path;
  copy.size_bytes = request.object.size_bytes;
  copy.silence_max = request.times.progress_timeout;
  copy.cancel_fd = job.cancel_fd();
  copy.node = source.node.text;
  // The last byte is not told before it was verified.
  copy.progress = [&](std::uint64_t bytes) {
    outcome.bytes = bytes;
    if (bytes < request.object.size_bytes) job.progress(bytes);
  };
  for (;;) {
    copy.bandwidth_mbps = job.mbps();
    Outdated outdated(job, copy.bandwidth_mbps);
    copy.is_outdated = [&outdated] { return outdated.look(); };
    const auto copied = rsync(copy);
    if (copied.ok()) {
      outcome.bytes = copied->wire_bytes;
      return {};
    }
    if (!outdated.is_so() || job.is_cancelled()) return copied.error();
  }
}

}  // namespace syncline::transports::ssh
