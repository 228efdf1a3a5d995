#include "collections/files/walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace syncline::collections::files {
namespace {

using core::ErrorKind;

// A name made printable: problems are shown on terminals and travel as text.
std::string printable(std::string_view name) {
  std::string out;
  for (const unsigned char c : name) {
    static constexpr char kHex[] = "0123456789abcdef";
    if (c >= 0x20 && c < 0x7f) {
      out.push_back(static_cast<char>(c));
    } else {
      out += {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return out;
}

class Walker {
 public:
  Walker(const Confined& root, const WalkRequest& request, Listing& listing)
      : root_(root), request_(request), listing_(listing) {}

  void start() {
    if (request_.start.empty()) return folder("", 0);
    const auto [parent, name] = split_path(request_.start);
    const auto opened = root_.open_folder(parent);
    if (!opened.ok()) {
      if (opened.error().kind != ErrorKind::kMissing) unreadable(request_.start, opened.error());
      return;
    }
    entry(opened->get(), parent, name, 0);
  }

 private:
  void unreadable(const std::string& path, const core::Error& error) {
    listing_.problems.push_back(to_string(error));
    listing_.unreadable.push_back(path);
  }

  void folder(const std::string& path, int depth) {
    if (request_.cancel && request_.cancel->load(std::memory_order_relaxed)) return;
    if (depth > kDepthMax) {
      return unreadable(path, {ErrorKind::kInvalid, "folders are nested too deeply", path});
    }
    auto opened = root_.open_folder(path);
    if (!opened.ok()) {
      if (opened.error().kind != ErrorKind::kMissing) unreadable(path, opened.error());
      return;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(opened->get()), &::closedir);
    if (!entries) return unreadable(path, system_error("list the folder", path, errno));
    const int fd = opened->release();  // closedir closes it
    for (;;) {
      errno = 0;
      const dirent* next = ::readdir(entries.get());
      if (!next) break;
      const std::string_view name = next->d_name;
      if (name == "." || name == "..") continue;
      if (path.empty() && name == kOwnFolder) continue;
      entry(fd, path, std::string(name), depth);
    }
    if (errno != 0) unreadable(path, system_error("list the folder", path, errno));
  }

  void entry(int parent, const std::string& parent_path, const std::string& name, int depth) {
    const std::string path = parent_path.empty() ? name : parent_path + '/' + name;
    if (const core::Status usable = check_path(path); !usable.ok()) {
      listing_.problems.push_back(usable.error().what + " (" + printable(path) + ")");
      return;
    }
    struct stat info {};
    if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) unreadable(path, system_error("look at the file", path, errno));
      return;
    }
    if (S_ISDIR(info.st_mode)) {
      folder(path, depth + 1);
    } else if (S_ISREG(info.st_mode)) {
      if (request_.wants(path)) listing_.files.push_back({path, stamp_of(info)});
    } else if (S_ISLNK(info.st_mode)) {
      link(parent, name, path);
    }
  }

  // Links inside the root are passed over: what they point to is found under its own name.
  void link(int parent, const std::string& name, const std::string& path) {
    const std::string at = "/proc/self/fd/" + std::to_string(parent) + '/' + name;
    const std::unique_ptr<char, void (*)(void*)> target(::realpath(at.c_str(), nullptr),
                                                        &std::free);
    const std::unique_ptr<char, void (*)(void*)> top(
        ::realpath(("/proc/self/fd/" + std::to_string(root_.fd())).c_str(), nullptr), &std::free);
    if (!target || !top) return;  // dangling, or a loop: leads nowhere
    const std::string inside = std::string(top.get()) + '/';
    if ((std::string(target.get()) + '/').compare(0, inside.size(), inside) == 0) return;
    listing_.problems.push_back(
        "a symbolic link leads out of the collection's root; it is not "
        "followed (" +
        path + ")");
  }

  const Confined& root_;
  const WalkRequest& request_;
  Listing& listing_;
};

}  // namespace

void walk(const Confined& root, const WalkRequest& request, Listing& listing) {
  Walker(root, request, listing).start();
}

}  // namespace syncline::collections::files
