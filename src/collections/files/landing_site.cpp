#include "collections/files/landing_site.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "collections/files/content_hash.hpp"
#include "collections/files/landing_state.hpp"
#include "collections/files/object_reader.hpp"

namespace syncline::collections::files {
namespace {

using core::Error;
using core::ErrorKind;
using core::Result;

constexpr std::size_t kIdCharacters = 32;

const std::string kStaging = std::string(kOwnFolder) + "/staging";

core::Status check_request(const LandingRequest& request) {
  SYNCLINE_TRY(check_path(request.path));
  const auto& object = request.object;
  const auto refuse = [&](const char* why) {
    return Error{ErrorKind::kInvalid, why, request.path};
  };
  if (object.is_deleted) return refuse("a deleted object cannot land");
  if (object.size_bytes > kObjectBytesMax) return refuse("the object is larger than 16 TiB");
  if ((object.size_bytes == 0) != object.root.is_zero()) {
    return refuse("the object's root and size contradict each other");
  }
  if (request.piece_layer.empty()) return {};
  if (request.piece_layer.size() != piece_count_of(object.size_bytes) ||
      root_of_layer(request.piece_layer) != object.root) {
    return refuse("the piece layer does not belong to the object's root");
  }
  return {};
}

}  // namespace

// ── the site's state ──

Placement LandingSite::State::placement_of(const LandingRequest& request,
                                           const std::string& id) const {
  return {.root = root,
          .staging_fd = staging.get(),
          .id = id,
          .path = request.path,
          .content = request.object.root,
          .replaces = request.replaces,
          .replaces_known = request.replaces_known,
          .node = node};
}

core::Status LandingSite::State::write_meta_unsynced(const std::string& id,
                                                     const LandingMeta& meta) const {
  const std::string name = id + ".meta";
  const std::string fresh = id + ".meta.new";
  OwnedFd file(::openat(staging.get(), fresh.c_str(),
                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  const std::string text = encode(meta);
  errno = 0;
  if (file.is_open() &&
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::renameat(staging.get(), fresh.c_str(), staging.get(), name.c_str()) == 0) {
    return {};
  }
  const int code = errno == 0 ? ENOSPC : errno;  // a short write: the disk is full
  ::unlinkat(staging.get(), fresh.c_str(), 0);
  return system_error("write the notes of a staged file", meta.path, code);
}

core::Status LandingSite::State::sync_meta(const std::string& id) const {
  OwnedFd file(::openat(staging.get(), (id + ".meta").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.is_open() && ::fsync(file.get()) == 0) return {};
  return system_error("sync the notes of a staged file", id, errno);
}

Result<LandingMeta> LandingSite::State::read_meta(const std::string& id) const {
  OwnedFd file(::openat(staging.get(), (id + ".meta").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (!file.is_open() || ::fstat(file.get(), &info) != 0) {
    return system_error("read the notes of a staged file", id, errno);
  }
  if (static_cast<std::uint64_t>(info.st_size) > kMetaBytesMax) {
    return Error{ErrorKind::kCorrupt, "the notes of a staged file are too long", id};
  }
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  if (::read(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return Error{ErrorKind::kCorrupt, "the notes of a staged file cannot be read", id};
  }
  return decode_landing_meta(text);
}

void LandingSite::State::remove_staged(const std::string& id) const {
  // The notes first: alone they would speak of a file that is no longer theirs.
  for (const char* ending : {".meta", ".meta.new", ".data.aria2", ".data", ".kept"}) {
    ::unlinkat(staging.get(), (id + ending).c_str(), 0);
  }
}

void LandingSite::State::recover(const std::string& id) {
  const auto meta = read_meta(id);
  std::string copy;
  if (meta.ok()) {
    LandingRequest request;
    request.path = meta->path;
    request.object.root = meta->root;
    request.replaces = meta->replaces;
    auto settled = recover_displaced(placement_of(request, id));
    if (settled.ok()) copy = std::move(*settled);
    // On failure (no room, say) it stays where it is, is never swept, and is tried again.
  } else {
    // Nobody knows where it belongs; it is kept where a person can find it.
    const std::string rescued = std::string(kOwnFolder) + "/rescued";
    const auto folder = root.make_folder(rescued);
    if (folder.ok() && ::renameat2(staging.get(), (id + ".displaced").c_str(), folder->get(),
                                   id.c_str(), RENAME_NOREPLACE) == 0) {
      copy = rescued + '/' + id;
    }
  }
  const std::lock_guard lock(guard);
  if (!copy.empty()) recovered.push_back(std::move(copy));
}

std::vector<std::string> LandingSite::State::staged_names() const {
  std::vector<std::string> names;
  const int fd = ::openat(staging.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(fd >= 0 ? ::fdopendir(fd) : nullptr,
                                                    &::closedir);
  if (!entries) return names;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

bool LandingSite::State::hold(const std::string& path, const std::string& id) {
  const std::lock_guard lock(guard);
  return held.emplace(path, id).second;
}

void LandingSite::State::release(const std::string& path) {
  const std::lock_guard lock(guard);
  held.erase(path);
}

bool LandingSite::State::is_held(const std::string& id) {
  const std::lock_guard lock(guard);
  return std::any_of(held.begin(), held.end(), [&](const auto& h) { return h.second == id; });
}

// ── the site ──

LandingSite::LandingSite(std::shared_ptr<State> state) : state_(std::move(state)) {}
LandingSite::~LandingSite() = default;

Result<std::unique_ptr<LandingSite>> LandingSite::open(const core::CollectionConfig& config,
                                                       const core::NodeId& node) {
  std::error_code code;
  std::filesystem::create_directories(config.root, code);
  SYNCLINE_ASSIGN(Confined root, Confined::open(config.root));
  SYNCLINE_ASSIGN(OwnedFd staging, root.make_folder(kStaging));
  struct stat top {};
  struct stat inside {};
  if (::fstat(root.fd(), &top) != 0 || ::fstat(staging.get(), &inside) != 0) {
    return system_error("look at the staging folder", config.root, errno);
  }
  if (top.st_dev != inside.st_dev) {
    return Error{ErrorKind::kInvalid,
                 "the staging folder .syncline must lie on the same file system as the root",
                 config.root};
  }
  auto state = std::make_shared<State>(config, node, std::move(root), std::move(staging));
  for (const std::string& name : state->staged_names()) {
    if (name == name.substr(0, kIdCharacters) + ".displaced") {
      state->recover(name.substr(0, kIdCharacters));
    }
  }
  return std::unique_ptr<LandingSite>(new LandingSite(std::move(state)));
}

Result<std::unique_ptr<Landing>> LandingSite::begin(LandingRequest request) {
  SYNCLINE_TRY(check_request(request));
  // Refuses links on the way now, not after everything was fetched. A piece is fetched in no time,
  // and what stands at its path is looked at before it is placed.
  if (request.object.size_bytes > kPieceBytes) {
    SYNCLINE_ASSIGN(const auto present, state_->root.look(request.path));
    if (present && !S_ISREG(present->st_mode)) {
      return Error{ErrorKind::kInvalid,
                   "something that is no regular file stands where the object belongs",
                   request.path};
    }
  }
  std::string id = landing_id(request.path, request.object.root);
  if (!state_->hold(request.path, id)) {
    return Error{ErrorKind::kOverloaded, "this path is being landed already", request.path};
  }
  const std::string path = request.path;
  auto landing = std::make_unique<Landing::State>(state_, std::move(request), std::move(id));
  if (const core::Status opened = landing->open_data(); !opened.ok()) {
    state_->release(path);
    return opened.error();
  }
  return std::unique_ptr<Landing>(new Landing(std::move(landing)));
}

core::Status LandingSite::remove(const std::string& path, const KnownFile& expected) {
  SYNCLINE_TRY(check_path(path));
  SYNCLINE_ASSIGN(const auto present, state_->root.look(path));
  if (!present) return {};
  LandingRequest request;
  request.path = path;
  request.object.root = expected.root;
  request.replaces = expected.root;
  request.replaces_known = expected;
  const std::string id = landing_id(path, expected.root);
  if (!state_->hold(path, id)) {
    return Error{ErrorKind::kOverloaded, "this path is being landed", path};
  }
  LandingMeta meta;
  meta.path = path;
  meta.root = meta.replaces = expected.root;
  core::Status status = state_->write_meta_unsynced(id, meta);
  if (status.ok()) status = state_->sync_meta(id);
  if (status.ok()) status = take_away(state_->placement_of(request, id));
  state_->remove_staged(id);
  state_->release(path);
  return status;
}

Result<KnownFile> LandingSite::touch(const std::string& path, const core::ObjectVersion& object,
                                     const KnownFile& expected) {
  SYNCLINE_TRY(check_path(path));
  SYNCLINE_ASSIGN(OwnedFd file, state_->root.open_file(path, O_RDONLY));
  const ObjectReader reader(::dup(file.get()), path, expected);
  SYNCLINE_TRY(reader.check_unchanged());
  SYNCLINE_ASSIGN(const struct stat info, set_mode_and_time(file.get(), object, path));
  if (::fsync(file.get()) != 0) return system_error("sync the file", path, errno);
  return KnownFile{expected.root, stamp_of(info)};
}

Swept LandingSite::sweep(core::Duration max_age, core::WallMs now) {
  const auto names = state_->staged_names();
  for (const std::string& name : names) {
    const std::string id = name.substr(0, kIdCharacters);
    if (name == id + ".displaced" && !state_->is_held(id)) state_->recover(id);
  }
  Swept swept;
  const std::int64_t age_ms_max = std::chrono::duration_cast<core::milliseconds>(max_age).count();
  for (const std::string& name : names) {
    const std::string id = name.substr(0, kIdCharacters);
    struct stat info {};
    if (name == id + ".displaced" || state_->is_held(id) ||
        ::fstatat(state_->staging.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        now.ms - stamp_of(info).ctime_ns / 1'000'000 <= age_ms_max) {
      continue;
    }
    if (::unlinkat(state_->staging.get(), name.c_str(), 0) != 0) continue;
    ++swept.files;
    swept.bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  const std::lock_guard lock(state_->guard);
  swept.conflict_copies.swap(state_->recovered);
  return swept;
}

std::uint64_t LandingSite::staged_bytes() const {
  std::uint64_t bytes = 0;
  for (const std::string& name : state_->staged_names()) {
    struct stat info {};
    if (::fstatat(state_->staging.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
      bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
    }
  }
  return bytes;
}

}  // namespace syncline::collections::files
