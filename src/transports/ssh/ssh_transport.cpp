#include "transports/ssh/ssh_transport.hpp"

#include "env/subprocess.hpp"
#include "transports/ssh/rsync.hpp"

namespace syncline::transports::ssh {

using core::Error;
using core::ErrorKind;

namespace {

const Source* usable_source(const FetchRequest& request) {
  for (const Source& source : request.sources) {
    if (!source.ssh.host.empty() && check(source.ssh).ok()) return &source;
  }
  return nullptr;
}

}  // namespace

bool is_safe_path(const std::string& path) {
  if (path.empty() || path.size() > 4096 || path.front() == '/' || path.back() == '/' ||
      path.find('\0') != std::string::npos) {
    return false;
  }
  const std::string framed = "/" + path + "/";
  return framed.find("/../") == std::string::npos && framed.find("/./") == std::string::npos &&
         framed.find("//") == std::string::npos;
}

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
  const FetchRequest& request = job.request();
  FetchOutcome outcome;
  if (const std::string why = why_not(request); !why.empty()) {
    outcome.status = Error{ErrorKind::kInvalid, why, request.path};
    return outcome;
  }
  auto opened = request.open({});
  if (!opened.ok()) {
    outcome.status = opened.error();
    return outcome;
  }
  Destination& destination = **opened;
  const Source& source = *usable_source(request);
  if (destination.size_bytes() > 0 && destination.bytes_present() < destination.size_bytes()) {
    outcome.node = source.node;
    auto ssh = logins_.command(source.ssh, request.times.connect_timeout);
    if (!ssh.ok()) {
      outcome.status = ssh.error();
      return outcome;
    }
    RsyncRequest copy;
    copy.ssh = std::move(*ssh);
    copy.local_path = destination.staged_path();
    copy.remote_path = source.ssh.root + "/" + request.path;
    copy.size_bytes = request.object.size_bytes;
    copy.bandwidth_mbps = request.bandwidth_mbps;
    copy.silence_max = request.times.progress_timeout;
    copy.cancel_fd = job.cancel_fd();
    copy.node = source.node.text;
    // The last byte is not told before it was verified.
    copy.progress = [&](std::uint64_t bytes) {
      outcome.bytes = bytes;
      if (bytes < request.object.size_bytes) job.progress(bytes);
    };
    const auto copied = rsync(copy);
    if (!copied.ok()) {
      outcome.status = copied.error();
      return outcome;
    }
    outcome.bytes = copied->wire_bytes;
  }
  outcome.status = destination.verify_all();
  if (outcome.status.ok()) job.progress(request.object.size_bytes);
  return outcome;
}

}  // namespace syncline::transports::ssh
