// An agentless node: no daemon there, only sshd. What its files are, fetching and pushing one, and
// a consistent copy of a database that programs over there are writing.
//
// Each call blocks: give it a thread of the pool. Needs over there: a POSIX sh, GNU find (list),
// rsync (fetch, push, snapshot), sqlite3 (snapshot). Threads: all functions from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "env/subprocess.hpp"
#include "transfer/escalation.hpp"
#include "transports/ssh/list_output.hpp"
#include "transports/ssh/login.hpp"

namespace syncline::transports::ssh {

// What every call may be given besides.
struct RemoteCall {
  int cancel_fd = -1;         // readable: stop
  double bandwidth_mbps = 0;  // MB/s; 0 = unlimited
  std::function<void(std::uint64_t bytes)> progress;
};

class Remote {
 public:
  // `logins` outlives it: SshTransport::logins(), so that connections are shared.
  // `temporary_folder` over there must have room for a copy of its largest database.
  Remote(Logins& logins, core::NodeId node, SshEndpoint endpoint, transfer::Times times,
         std::string temporary_folder = "/var/tmp");

  // Regular files below the root, links not followed, our own temporary ones left out. All or an
  // error: a part is never taken for the whole. kExhausted: beyond a limit.
  core::Result<std::vector<RemoteFile>> list(const ListLimits& limits, const RemoteCall& call);

  // One file, as list() would tell it. kMissing: no such regular file.
  core::Result<RemoteFile> look(const std::string& path, const RemoteCall& call);

  // One file into a local one, in place, what is there already being compared and not sent.
  // Returns bytes over the wire. Whoever knows its root verifies it.
  core::Result<std::uint64_t> fetch_file(const std::string& path, const std::string& local_path,
                                         const RemoteCall& call);

  // A local file to a path over there: readers see the version before or the new one, whole and
  // synced. A broken push goes on where it stopped, given the same root. Returns bytes sent.
  core::Result<std::uint64_t> push_file(const std::string& local_path, const std::string& path,
                                        const core::Root& root, const RemoteCall& call);

  // A consistent copy of a live database: the remote sqlite3 makes a backup beside the system's
  // temporary files, it is fetched (what the local file has already is not sent again), and it is
  // removed there, whatever happens in between. kInvalid: no sqlite3 over there; kMissing: no such
  // database; kOverloaded: it stayed locked. Returns bytes over the wire.
  core::Result<std::uint64_t> snapshot_database(const std::string& path,
                                                const std::string& local_path,
                                                const RemoteCall& call);

 private:
  core::Result<std::vector<std::string>> shell(const std::string& path);
  core::Result<env::Finished> run_there(const std::string& script, const std::string& path,
                                        const RemoteCall& call, const env::OnOutput& on_output);
  core::Error explain_exit(const env::Finished& finished, const std::string& path) const;
  core::Result<std::string> await_copy(env::Subprocess& session, const RemoteCall& call,
                                       const std::string& path);
  std::string remote_path(const std::string& path) const { return endpoint_.root + "/" + path; }
  core::Result<std::uint64_t> copy(bool is_push, const std::string& local_path,
                                   const std::string& remote_path, const RemoteCall& call);

  Logins& logins_;
  const core::NodeId node_;
  const SshEndpoint endpoint_;
  const transfer::Times times_;
  const std::string temporary_folder_;
};

}  // namespace syncline::transports::ssh
