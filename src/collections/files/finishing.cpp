// The end of a landing: sync, place, sync the folders.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "collections/files/finishing.hpp"
#include "collections/files/landing_state.hpp"
#include "core/check.hpp"

namespace syncline::collections::files {
namespace {

using core::Error;
using core::ErrorKind;
using core::Result;
using core::Status;

// From so many files or folders on, one sync of the whole file system is cheaper than one of each.
constexpr std::size_t kSyncEachMax = 4;

Status sync_folders(const LandingSite::State& site, const std::set<std::string>& folders) {
  for (const std::string& path : folders) {
    SYNCLINE_ASSIGN(const OwnedFd folder, site.root.open_folder(path));
    if (::fsync(folder.get()) != 0) return system_error("sync the folder", path, errno);
  }
  return {};
}

}  // namespace

Status Landing::State::prepare(LastFolder& folders) {
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
  SYNCLINE_ASSIGN(const struct stat info,
                  set_mode_and_time(data.get(), request.object, request.path));
  left_as = stamp_of(info);
  // What is replaced must be told apart after a crash.
  SYNCLINE_ASSIGN(const auto present, folders.look(request.path));
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
  // As we left it: what somebody has written since it got its name is not that content.
  landed.known.stamp.size_bytes = left_as.size_bytes;
  landed.known.stamp.mtime_ns = left_as.mtime_ns;
  landed.conflict_copy = std::move(conflict_copy);
  data = OwnedFd();
  return landed;
}

// ── lots ──

struct Finishing::State {
  explicit State(std::shared_ptr<LandingSite::State> s)
      : keeps(std::move(s)), site(*keeps), last_folder(site.root) {}

  // Data and notes of these landings on disk, and what was placed before; a failure of one fails
  // only its own.
  void sync(const std::vector<Landing::State*>& landings, std::vector<Status>& status) {
    if (landings.size() + folders.size() > kSyncEachMax) {
      placed_status = ::syncfs(site.staging.get()) == 0
                          ? Status()
                          : system_error("sync the objects", site.config.root, errno);
      for (Status& one : status) {
        if (one.ok()) one = placed_status;
      }
      return;
    }
    placed_status = sync_folders(site, folders);
    for (std::size_t i = 0; i < landings.size(); ++i) {
      if (status[i].ok()) status[i] = landings[i]->sync_staged();
    }
  }

  std::vector<Result<Landed>> conclude() {
    std::vector<Result<Landed>> results;
    results.reserve(placed.size());
    for (Placed& one : placed) {
      if (one.status.ok()) one.status = placed_status;
      if (one.status.ok()) {
        results.push_back(one.landing->conclude(std::move(one.conflict_copy)));
      } else {
        results.emplace_back(one.status.error());
      }
    }
    placed.clear();
    folders.clear();
    return results;
  }

  void place_one(Landing::State* landing, Status status) {
    Placed one{landing, std::move(status), {}};
    if (one.status.ok()) {
      auto copy = place(site.placement_of(landing->request, landing->id), last_folder);
      if (copy.ok()) {
        one.conflict_copy = std::move(*copy);
        folders.insert(split_path(landing->request.path).first);
      } else {
        one.status = copy.error();
      }
    }
    placed.push_back(std::move(one));
  }

  struct Placed {
    Landing::State* landing = nullptr;
    Status status;
    std::string conflict_copy;
  };
  const std::shared_ptr<LandingSite::State> keeps;
  LandingSite::State& site;
  LastFolder last_folder;
  std::vector<Placed> placed;     // by the last call
  std::set<std::string> folders;  // of those
  Status placed_status;
};

Finishing::Finishing(const LandingSite& site) : Finishing(site.state_) {}

Finishing::Finishing(std::shared_ptr<LandingSite::State> site)
    : state_(std::make_unique<State>(std::move(site))) {}

Finishing::~Finishing() {
  SYNCLINE_CHECK(state_->placed.empty(), "nobody was told of landed files", state_->placed.size());
}

std::vector<Result<Landed>> Finishing::next(const std::vector<Landing*>& landings) {
  State& s = *state_;
  std::vector<Landing::State*> states;
  std::vector<Status> status;
  states.reserve(landings.size());
  status.reserve(landings.size());
  for (Landing* landing : landings) {
    states.push_back(landing->state_.get());
    status.push_back(states.back()->prepare(s.last_folder));
  }
  s.sync(states, status);
  std::vector<Result<Landed>> results = s.conclude();
  for (std::size_t i = 0; i < states.size(); ++i) s.place_one(states[i], std::move(status[i]));
  return results;
}

}  // namespace syncline::collections::files
