// Files that were copied from an agentless host: put together beside the root, then into place.
#include <fcntl.h>

#include <filesystem>

#include "collections/files/confined.hpp"
#include "collections/files/content_hash.hpp"
#include "core/sha256.hpp"
#include "env/files.hpp"
#include "node/files_state.hpp"

namespace syncline::node {

using core::CollectionName;
using core::Error;
using core::ErrorKind;
using core::Result;

namespace {

Error no_lane(const CollectionName& collection) {
  return {ErrorKind::kInvalid, "the collection has no root on this node", collection.text};
}

// Shared extents where the file system can.
core::Status copy_bytes(int from, int to, std::uint64_t size_bytes, const std::string& path) {
  std::uint64_t left = size_bytes;
  off_t in = 0;
  off_t out = 0;
  while (left > 0) {
    const ssize_t copied = ::copy_file_range(from, &in, to, &out, left, 0);
    if (copied < 0) return env::system_error("copying the file", path, errno);
    if (copied == 0) return Error{ErrorKind::kConflict, "the file became shorter meanwhile", path};
    left -= static_cast<std::uint64_t>(copied);
  }
  return {};
}

}  // namespace

std::vector<collecting::FileHere> FilesShell::here(const CollectionName& collection) {
  std::vector<collecting::FileHere> out;
  FilesLane* lane = state_->lane(collection);
  if (lane == nullptr) return out;
  const std::lock_guard lock(lane->mutex);
  for (const auto& [path, known] : lane->known) {
    const disk::FileStamp& stamp = known.file.stamp;
    out.push_back({path, known.file.root, stamp.size_bytes, stamp.mtime_ns / 1'000'000});
  }
  return out;
}

Result<std::string> FilesShell::staging_for(const CollectionName& collection,
                                            const std::string& path) {
  FilesLane* lane = state_->lane(collection);
  if (lane == nullptr) return no_lane(collection);
  const std::string folder = lane->config.root + "/" + disk::kOwnFolder + "/collected";
  SYNCLINE_TRY(env::make_folders(folder, 0700));
  return folder + "/" + core::to_hex(core::sha256(path)).substr(0, 32);
}

Result<std::string> FilesShell::copy_out(const CollectionName& collection, const std::string& path,
                                         const core::Root& root) {
  State& s = *state_;
  SYNCLINE_ASSIGN(const std::string copy, staging_for(collection, path + "/"));
  SYNCLINE_ASSIGN(const auto confined, disk::Confined::open(s.lane(collection)->config.root));
  SYNCLINE_ASSIGN(const disk::OwnedFd from, confined.open_file(path, O_RDONLY));
  const disk::OwnedFd to(
      ::open(copy.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  struct stat info {};
  if (!to.is_open() || ::fstat(from.get(), &info) != 0) {
    return env::system_error("copying the file", copy, errno);
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  SYNCLINE_TRY(copy_bytes(from.get(), to.get(), size, path));
  SYNCLINE_ASSIGN(const disk::FileHash hash, disk::hash_file(to.get(), size, &s.is_closed));
  if (hash.root != root) {
    return Error{ErrorKind::kConflict, "it is being written here: given later", path};
  }
  return copy;
}

Result<FilesShell::TakenIn> FilesShell::take_in(const CollectionName& collection,
                                                const Incoming& incoming) {
  State& s = *state_;
  const std::string& path = incoming.path;
  const std::string& staged = incoming.staged;
  FilesLane* lane = s.lane(collection);
  if (lane == nullptr) return no_lane(collection);
  SYNCLINE_ASSIGN(const FilesLane::Open open, lane->open(s.config.node.id));
  if (incoming.is_new) {
    SYNCLINE_ASSIGN(const auto confined, disk::Confined::open(lane->config.root));
    SYNCLINE_ASSIGN(const auto there, confined.look(path));
    if (there)
      return Error{ErrorKind::kConflict, "another version has appeared here: it stays", path};
  }
  const disk::OwnedFd file(::open(staged.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (!file.is_open() || ::fstat(file.get(), &info) != 0) {
    return env::system_error("opening the copy", staged, errno);
  }
  disk::LandingRequest request;
  request.path = path;
  request.object.size_bytes = static_cast<std::uint64_t>(info.st_size);
  SYNCLINE_ASSIGN(disk::FileHash hash,
                  disk::hash_file(file.get(), request.object.size_bytes, &s.is_closed));
  request.object.root = hash.root;
  request.object.mtime_ms = incoming.mtime_ms;
  request.object.mode = 0644;
  request.piece_layer = std::move(hash.piece_layer);
  request.replaces = incoming.replaces;
  SYNCLINE_ASSIGN(auto landing, open.site->begin(std::move(request)));
  {
    const disk::OwnedFd to(::open(landing->staged_path().c_str(), O_WRONLY | O_CLOEXEC));
    if (!to.is_open()) return env::system_error("opening", landing->staged_path(), errno);
    SYNCLINE_TRY(copy_bytes(file.get(), to.get(), static_cast<std::uint64_t>(info.st_size), path));
  }
  SYNCLINE_TRY(landing->verify_all());
  SYNCLINE_ASSIGN(disk::Landed landed, landing->finish());
  landing.reset();
  std::error_code ignored;  // it is removed with what is left behind, else
  std::filesystem::remove(staged, ignored);
  if (!landed.conflict_copy.empty()) s.look_again(*lane, landed.conflict_copy);
  s.look_again(*lane, path);
  return TakenIn{landed.known.root, std::move(landed.conflict_copy)};
}

}  // namespace syncline::node
