#include "node/collect_work.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/check.hpp"
#include "core/find_configured.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "env/files.hpp"
#include "node/files_shell.hpp"
#include "node/records_shell.hpp"

namespace syncline::node {

using core::CollectionName;
using core::Error;
using core::ErrorKind;
using core::Result;

namespace fs = std::filesystem;

struct CollectWork::Stop {
  Stop() : fd(::eventfd(0, EFD_CLOEXEC)) {}
  ~Stop() { ::close(fd); }
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;
  const int fd;
};

namespace {

core::Status sync_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return env::system_error("opening", path, errno);
  const int synced = ::fsync(fd);
  const int code = errno;
  ::close(fd);
  if (synced != 0) return env::system_error("syncing", path, code);
  return {};
}

// Temporary -> in place, durably. What reads the older one goes on reading it.
core::Status put_into_place(const std::string& from, const std::string& to) {
  SYNCLINE_TRY(sync_file(from));
  SYNCLINE_TRY(env::make_folders(env::folder_of(to), 0700));
  if (::rename(from.c_str(), to.c_str()) != 0) return env::system_error("renaming", to, errno);
  return env::sync_folder(env::folder_of(to));
}

const std::string& folder_of(const std::map<std::string, std::string>& folders,
                             const CollectionName& collection) {
  const auto at = folders.find(collection.text);
  SYNCLINE_CHECK(at != folders.end(), "asked for a collection that the host has not", collection);
  return at->second;
}

collecting::Event end_of(const collecting::FileId& file, Result<collecting::Copied> done) {
  if (done.ok()) return *std::move(done);
  return collecting::Failed{file.host, file.collection, file.path, done.error()};
}

}  // namespace

CollectWork::CollectWork(const core::Config& config, transports::ssh::Logins& logins,
                         RecordsShell& records, FilesShell& files,
                         std::function<void(const CollectionName&)> source_changed)
    : config_(&config),
      logins_(&logins),
      records_(&records),
      files_(&files),
      source_changed_(std::move(source_changed)),
      stop_(std::make_shared<Stop>()) {}

void CollectWork::cancel() {
  const std::uint64_t one = 1;
  (void)!::write(stop_->fd, &one, sizeof(one));
}

const core::AgentlessConfig& CollectWork::host(const core::NodeId& id) const {
  return core::agentless_host(*config_, id);
}

transports::ssh::Remote CollectWork::remote(const core::AgentlessConfig& host,
                                            const std::string& folder) const {
  transports::SshEndpoint endpoint;
  endpoint.host = host.host;
  endpoint.user = host.user;
  endpoint.port = static_cast<std::uint16_t>(host.port);
  endpoint.key_file = host.key_file;
  endpoint.known_hosts_file = host.known_hosts_file;
  endpoint.root = folder;
  return {*logins_, host.name, std::move(endpoint),
          transfer::times_of(transfer::Transport::kSsh, config_->transport), host.temporary_folder};
}

transports::ssh::RemoteCall CollectWork::call(const core::AgentlessConfig& host) const {
  transports::ssh::RemoteCall call;
  call.cancel_fd = stop_->fd;
  call.bandwidth_mbps = host.bandwidth_mbps;
  return call;
}

collecting::Event CollectWork::list(const collecting::List& action) {
  const core::AgentlessConfig& there = host(action.host);
  const auto collected = there.collect.find(action.collection.text);
  const bool is_collected = collected != there.collect.end();
  const std::string& folder =
      is_collected ? collected->second : folder_of(there.deliver, action.collection);
  auto files = remote(there, folder).list({}, call(there));
  // Nothing was ever delivered there: the folder is made with the first file.
  const bool is_new = !files.ok() && !is_collected && files.error().kind == ErrorKind::kInvalid &&
                      files.error().what.find("No such file") != std::string::npos;
  if (!files.ok() && !is_new) {
    return collecting::Failed{action.host, action.collection, "", files.error()};
  }
  collecting::Listed listed{action.host, action.collection, {}, files_->here(action.collection)};
  if (files.ok()) {
    for (transports::ssh::RemoteFile& file : *files) {
      listed.there.push_back({std::move(file.path), file.size_bytes, file.mtime_ms});
    }
  }
  return listed;
}

core::Status CollectWork::check_room(std::uint64_t bytes) const {
  SYNCLINE_ASSIGN(const env::DiskSpace space, env::disk_space(config_->node.state_dir));
  const double kept =
      std::max(static_cast<double>(config_->disk.free_min_bytes),
               config_->disk.free_min_percent / 100 * static_cast<double>(space.total_bytes));
  if (static_cast<double>(space.free_bytes) - static_cast<double>(bytes) >= kept) return {};
  return Error{ErrorKind::kExhausted,
               "no room here for a copy of " + core::say_bytes(static_cast<double>(bytes)) +
                   ": make room, or lower disk.free_min_percent",
               config_->node.state_dir};
}

collecting::Event CollectWork::take(const collecting::Take& action) {
  return end_of(action.file, action.is_database ? take_database(action) : take_file(action));
}

Result<collecting::Copied> CollectWork::take_database(const collecting::Take& action) {
  const collecting::FileId& file = action.file;
  const core::AgentlessConfig& there = host(file.host);
  SYNCLINE_TRY(check_room(action.stamp.size_bytes + action.stamp.wal_bytes));
  const std::string target = copies_folder(*config_, file.host, file.collection) + "/" + file.path;
  const std::string incoming =
      config_->node.state_dir + "/agentless/" + file.host.text + "/incoming-" +
      core::to_hex(core::sha256(file.collection.text + '/' + file.path)).substr(0, 32);
  // The last copy, or what came of a broken one: equal blocks are not sent again.
  if (!env::exists(incoming) && env::exists(target)) {
    std::error_code failed;
    fs::copy_file(target, incoming, failed);
    if (failed) fs::remove(incoming, failed);
  }
  SYNCLINE_ASSIGN(const std::uint64_t bytes,
                  remote(there, folder_of(there.collect, file.collection))
                      .snapshot_database(file.path, incoming, call(there)));
  SYNCLINE_TRY(put_into_place(incoming, target));
  records_->database_copied(file.collection, file.host, file.path);
  source_changed_(file.collection);
  return collecting::Copied{file, {action.stamp, {}}, bytes, ""};
}

Result<collecting::Copied> CollectWork::take_file(const collecting::Take& action) {
  const collecting::FileId& file = action.file;
  const core::AgentlessConfig& there = host(file.host);
  auto remote = this->remote(there, folder_of(there.collect, file.collection));
  SYNCLINE_TRY(check_room(action.stamp.size_bytes));
  SYNCLINE_ASSIGN(const std::string staged, files_->staging_for(file.collection, file.path));
  SYNCLINE_ASSIGN(const std::uint64_t bytes, remote.fetch_file(file.path, staged, call(there)));
  // It is whole only if nobody wrote to it meanwhile.
  SYNCLINE_ASSIGN(const auto now, remote.look(file.path, call(there)));
  if (now.size_bytes != action.stamp.size_bytes || now.mtime_ms != action.stamp.mtime_ms) {
    return Error{ErrorKind::kConflict, "it was written to while it was copied: taken later",
                 file.path};
  }
  SYNCLINE_ASSIGN(auto taken, files_->take_in(file.collection, {file.path, staged, now.mtime_ms,
                                                                action.is_new, action.replaces}));
  return collecting::Copied{
      file, {action.stamp, taken.root}, bytes, std::move(taken.conflict_copy)};
}

collecting::Event CollectWork::give(const collecting::Give& action) {
  return end_of(action.file, give_file(action));
}

Result<collecting::Copied> CollectWork::give_file(const collecting::Give& action) {
  const collecting::FileId& file = action.file;
  const core::AgentlessConfig& there = host(file.host);
  auto remote = this->remote(there, folder_of(there.deliver, file.collection));
  SYNCLINE_ASSIGN(const std::string copy,
                  files_->copy_out(file.collection, file.path, action.root));
  const auto pushed = remote.push_file(copy, file.path, action.root, call(there));
  std::error_code ignored;
  fs::remove(copy, ignored);
  if (!pushed.ok()) return pushed.error();
  SYNCLINE_ASSIGN(const auto now, remote.look(file.path, call(there)));
  return collecting::Copied{file, {{now.size_bytes, now.mtime_ms, 0, 0}, action.root}, *pushed, ""};
}

}  // namespace syncline::node
