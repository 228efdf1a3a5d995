#include "env/watch.hpp"

#include <dirent.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "env/files.hpp"

namespace syncline::env {

namespace {
constexpr std::uint32_t kMask = IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;
constexpr const char* kOwnFolder = ".syncline";

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}
}  // namespace

core::Result<Watch> Watch::open() {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return system_error("starting inotify", "", errno);
  return Watch(fd);
}

Watch::~Watch() {
  if (fd_ >= 0) ::close(fd_);
}

Watch::Watch(Watch&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      roots_(std::move(other.roots_)),
      folders_(std::move(other.folders_)) {}

core::Result<std::size_t> Watch::add_root(const std::string& path) {
  roots_.push_back(path);
  SYNCLINE_TRY(add_folder(roots_.size() - 1, "", nullptr));
  return roots_.size() - 1;
}

core::Status Watch::add_folder(std::size_t root, const std::string& relative,
                               std::vector<FileChange>* found) {
  const std::string path = joined(roots_[root], relative);
  const int id = ::inotify_add_watch(fd_, path.c_str(), kMask);
  if (id < 0) {
    if (errno == ENOSPC) {
      return core::Error{core::ErrorKind::kExhausted,
                         "no inotify watches are left; raise fs.inotify.max_user_watches (changes "
                         "are still found by polling)",
                         path};
    }
    return system_error("watching", path, errno);
  }
  folders_[id] = {root, relative};
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return system_error("reading the folder", path, errno);
  core::Status status;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name == kOwnFolder) continue;
    bool is_folder = entry->d_type == DT_DIR;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat about {};
      is_folder = ::lstat(joined(path, name).c_str(), &about) == 0 && S_ISDIR(about.st_mode);
    }
    if (is_folder) {
      if (auto below = add_folder(root, joined(relative, name), found); !below.ok()) status = below;
    } else if (found != nullptr) {
      found->push_back({root, joined(relative, name), false});  // came before the watch did
    }
  }
  ::closedir(folder);
  return status;
}

std::vector<FileChange> Watch::read_changes() {
  std::vector<FileChange> changes;
  alignas(inotify_event) char buffer[64 * 1024];
  while (true) {
    const ssize_t got = ::read(fd_, buffer, sizeof(buffer));
    if (got <= 0) return changes;  // EAGAIN: that was all
    for (ssize_t at = 0; at < got;) {
      inotify_event event;
      std::memcpy(&event, buffer + at, sizeof(event));
      const std::string name = event.len > 0 ? buffer + at + sizeof(event) : "";
      at += static_cast<ssize_t>(sizeof(event) + event.len);
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        changes.push_back({0, "", false, true});
        continue;
      }
      auto folder = folders_.find(event.wd);
      if (folder == folders_.end()) continue;
      if ((event.mask & IN_IGNORED) != 0) {
        folders_.erase(folder);
        continue;
      }
      if (name.empty() || name == kOwnFolder) continue;
      const Folder about = folder->second;
      const std::string relative = joined(about.relative, name);
      const bool is_closed_only = (event.mask & IN_ALL_EVENTS) == IN_CLOSE_WRITE;
      changes.push_back({about.root, relative, is_closed_only, false});
      const bool is_new_folder =
          (event.mask & IN_ISDIR) != 0 && (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
      if (is_new_folder && !add_folder(about.root, relative, &changes).ok()) {
        changes.push_back({about.root, relative, false, true});
      }
    }
  }
}

}  // namespace syncline::env
