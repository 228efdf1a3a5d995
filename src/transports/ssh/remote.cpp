#include "transports/ssh/remote.hpp"

#include "core/sha256.hpp"
#include "env/files.hpp"
#include "transports/ssh/remote_script.hpp"
#include "transports/ssh/rsync.hpp"
#include "transports/ssh/safe_path.hpp"

namespace syncline::transports::ssh {

using core::Error;
using core::ErrorKind;
using core::Result;
using core::Status;

namespace {

Error outside(const std::string& path) {
  return {ErrorKind::kInvalid, "the path leaves the collection's root", path};
}

}  // namespace

Remote::Remote(Logins& logins, core::NodeId node, SshEndpoint endpoint, transfer::Times times,
               std::string temporary_folder)
    : logins_(logins),
      node_(std::move(node)),
      endpoint_(std::move(endpoint)),
      times_(times),
      temporary_folder_(std::move(temporary_folder)) {}

Result<std::vector<std::string>> Remote::shell(const std::string& path) {
  if (!path.empty() && !is_safe_path(path)) return outside(path);
  SYNCLINE_ASSIGN(std::vector<std::string> argv,
                  logins_.command(endpoint_, times_.connect_timeout));
  argv.insert(argv.end(), {kPeer, "exec sh -s"});
  return argv;
}

Error Remote::explain_exit(const env::Finished& finished, const std::string& path) const {
  const std::string& node = node_.text;
  switch (static_cast<ScriptExit>(finished.exit_code)) {
    case ScriptExit::kNoSqlite:
      return {
          ErrorKind::kInvalid,
          node + " has no sqlite3: install it there, for a live database is not copied by bytes",
          path};
    case ScriptExit::kNoDatabase:
      return {ErrorKind::kMissing, node + " has no such database", path};
    case ScriptExit::kNoFile:
      return {ErrorKind::kMissing, node + " has no such file", path};
    case ScriptExit::kNoFolder:
      if (finished.errors.find("No space left") != std::string::npos) break;
      return {ErrorKind::kInvalid, node + " does not let us into the folder: " + finished.errors,
              path};
    case ScriptExit::kIsFolder:
      return {ErrorKind::kConflict, node + " has a folder where the file belongs", path};
    case ScriptExit::kBackupFailed:
      if (finished.errors.find("locked") != std::string::npos) {
        return {ErrorKind::kOverloaded, "the database on " + node + " stayed locked; try later",
                path};
      }
      if (finished.errors.find("disk is full") != std::string::npos) break;
      return {ErrorKind::kInvalid,
              "sqlite3 on " + node + " cannot copy the database: " + finished.errors, path};
    case ScriptExit::kNotSynced:
      break;
  }
  if (finished.errors.find("full") != std::string::npos) {
    return {ErrorKind::kExhausted, "a disk of " + node + " is full; make room there", path};
  }
  return explain(finished.exit_code, finished.errors, node, path);
}

Result<env::Finished> Remote::run_there(const std::string& text, const std::string& path,
                                        const RemoteCall& call, const env::OnOutput& on_output) {
  SYNCLINE_ASSIGN(const std::vector<std::string> argv, shell(path));
  env::RunLimits limits;
  limits.silence_max = times_.progress_timeout;
  limits.cancel_fd = call.cancel_fd;
  auto finished = env::run({argv, {"LC_ALL=C"}, "/"}, text, limits, on_output);
  if (!finished.ok()) {
    Error error = finished.error();
    error.subject = path;
    if (error.kind == ErrorKind::kUnreachable) error.what = node_.text + " stopped answering";
    return error;
  }
  if (finished->exit_code != 0) return explain_exit(*finished, path);
  return finished;
}

Result<std::vector<RemoteFile>> Remote::list(const ListLimits& limits, const RemoteCall& call) {
  ListOutput output(limits);
  const auto listed = run_there(script(kListScript, {endpoint_.root}), "", call,
                                [&](std::string_view bytes) { return output.take(bytes); });
  if (!listed.ok()) {
    Error error = listed.error();
    if (error.subject.empty()) error.subject = endpoint_.root;
    return error;
  }
  return output.finish();
}

Result<RemoteFile> Remote::look(const std::string& path, const RemoteCall& call) {
  if (!is_safe_path(path)) return outside(path);
  ListOutput output(ListLimits{1, kListEntryMax});
  SYNCLINE_TRY(run_there(script(kLookScript, {remote_path(path)}), path, call,
                         [&](std::string_view bytes) { return output.take(bytes); }));
  SYNCLINE_ASSIGN(auto files, output.finish());
  if (files.size() != 1) {
    return Error{ErrorKind::kCorrupt, node_.text + " told of another file than was asked for",
                 path};
  }
  files.front().path = path;
  return std::move(files.front());
}

Result<std::uint64_t> Remote::copy(bool is_push, const std::string& local_path,
                                   const std::string& remote, const RemoteCall& call) {
  RsyncRequest request;
  SYNCLINE_ASSIGN(request.ssh, logins_.command(endpoint_, times_.connect_timeout));
  request.direction = is_push ? Direction::kPush : Direction::kFetch;
  request.local_path = local_path;
  request.remote_path = remote;
  request.bandwidth_mbps = call.bandwidth_mbps;
  request.silence_max = times_.progress_timeout;
  request.cancel_fd = call.cancel_fd;
  request.progress = call.progress;
  request.node = node_.text;
  SYNCLINE_ASSIGN(const RsyncOutcome outcome, rsync(request));
  return outcome.wire_bytes;
}

Result<std::uint64_t> Remote::fetch_file(const std::string& path, const std::string& local_path,
                                         const RemoteCall& call) {
  if (!is_safe_path(path)) return outside(path);
  return copy(false, local_path, remote_path(path), call);
}

Result<std::uint64_t> Remote::push_file(const std::string& local_path, const std::string& path,
                                        const core::Root& root, const RemoteCall& call) {
  if (!is_safe_path(path)) return outside(path);
  const std::string target = remote_path(path);
  const std::string folder = env::folder_of(target);
  const std::string temporary =
      folder + "/" + kPushPrefix +
      core::to_hex(core::sha256(path + '\0' + core::to_hex(root))).substr(0, 24);
  SYNCLINE_TRY(run_there(script(kPrepareScript, {folder, target}), path, call, {}));
  SYNCLINE_ASSIGN(const std::uint64_t bytes, copy(true, local_path, temporary, call));
  SYNCLINE_TRY(run_there(script(kPlaceScript, {temporary, target, folder}), path, call, {}));
  return bytes;
}

}  // namespace syncline::transports::ssh
