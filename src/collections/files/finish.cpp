// The end of a landing: sync, place, sync the folders.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "collections/files/landing_state.hpp"

namespace syncline::collections::files {
namespace {

using core::Error;
using core::ErrorKind;
using core::Result;
using core::Status;

// From so many files or folders on, one sync of the whole file system is cheaper than one of each.
constexpr std::size_t kSyncEachMax = 4;

Status sync_folders(const LandingSite::State& site, const std::set<std::string>& folders) {
  if (folders.size() > kSyncEachMax) {
    if (::syncfs(site.staging.get()) == 0) return {};
    return system_error("sync the folders", site.config.root, errno);
  }
  for (const std::string& path : folders) {
    SYNCLINE_ASSIGN(const OwnedFd folder, site.root.open_folder(path));
    if (::fsync(folder.get()) != 0) return system_error("sync the folder", path, errno);
  }
  return {};
}

// Data and notes of each landing on disk; a failure fails only its own.
void sync_staged(const LandingSite::State& site, const std::vector<Landing::State*>& landings,
                 std::vector<Status>& status) {
  if (landings.size() > kSyncEachMax) {
    if (::syncfs(site.staging.get()) == 0) return;
    const int code = errno;
    for (std::size_t i = 0; i < landings.size(); ++i) {
      status[i] = system_error("sync the object", landings[i]->request.path, code);
    }
    return;
  }
  for (std::size_t i = 0; i < landings.size(); ++i) {
    if (!status[i].ok()) continue;
    status[i] = landings[i]->sync_staged();
  }
}

}  // namespace

Status Landing::State::prepare() {
  if (is_done || !data.is_open()) {
    return Error{ErrorKind::kConflict, "the landing is over already", request.path};
  }
  if (!pieces.is_full()) {
    return Error{ErrorKind::kConflict,
                 std::to_string(pieces.count() - pieces.present()) +
                     " pieces of the object are still missing",
                 request.path};
  }
  SYNCLINE_TRY(join_checkpoint());
  SYNCLINE_TRY(set_mode_and_time(data.get(), request.object, request.path));
  // What is replaced must be told apart after a crash.
  SYNCLINE_ASSIGN(const auto present, site->root.look(request.path));
  has_meta = has_meta || present.has_value();
  return present ? site->write_meta_unsynced(id, meta()) : Status();
}

Status Landing::State::sync_staged() const {
  if (::fsync(data.get()) != 0) return system_error("sync the object", request.path, errno);
  return has_meta ? site->sync_meta(id) : Status();
}

Result<Landed> Landing::State::conclude(std::string conflict_copy) {
  is_done = true;
  struct stat info {};
  if (::fstat(data.get(), &info) != 0) {
    return system_error("look at the object in its place", request.path, errno);
  }
  site->layers.save(request.object.root, request.piece_layer);
  if (has_meta) ::unlinkat(site->staging.get(), (id + ".meta").c_str(), 0);
  Landed landed;
  landed.known = {request.object.root, stamp_of(info)};
  landed.conflict_copy = std::move(conflict_copy);
  data = OwnedFd();
  return landed;
}

std::vector<Result<Landed>> finish_group(LandingSite::State& site,
                                         const std::vector<Landing::State*>& landings) {
  const std::size_t count = landings.size();
  std::vector<Status> status(count);
  std::vector<std::string> copies(count);
  for (std::size_t i = 0; i < count; ++i) status[i] = landings[i]->prepare();
  sync_staged(site, landings, status);
  std::set<std::string> folders;
  for (std::size_t i = 0; i < count; ++i) {
    if (!status[i].ok()) continue;
    const Landing::State& landing = *landings[i];
    auto placed = place(site.placement_of(landing.request, landing.id));
    if (!placed.ok()) {
      status[i] = placed.error();
      continue;
    }
    copies[i] = std::move(*placed);
    folders.insert(split_path(landing.request.path).first);
  }
  const Status synced = sync_folders(site, folders);
  std::vector<Result<Landed>> results;
  results.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (status[i].ok()) status[i] = synced;
    if (status[i].ok()) {
      results.push_back(landings[i]->conclude(std::move(copies[i])));
    } else {
      results.emplace_back(status[i].error());
    }
  }
  return results;
}

}  // namespace syncline::collections::files
