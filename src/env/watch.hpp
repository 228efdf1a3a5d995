// Changes below folders, from inotify: which files to look at again, without scanning.
//
// One watch per folder, new subfolders picked up as they appear; symbolic links are not followed.
// It is a hint, never the truth: what it misses (a queue that overflowed, a file system without
// inotify) is found by the next full look. Threads: one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace syncline::env {

struct FileChange {
  std::size_t root = 0;  // number of the root, as add_root() answered
  std::string path;      // relative to it
  bool is_closed_only =
      false;                 // closed by somebody who could have written; what he wrote came before
  bool is_overflow = false;  // events were lost: look at everything below every root
};

class Watch {
 public:
  static core::Result<Watch> open();
  ~Watch();
  Watch(Watch&& other) noexcept;
  Watch& operator=(Watch&&) = delete;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // kExhausted when the user's inotify watches are used up (fs.inotify.max_user_watches).
  core::Result<std::size_t> add_root(const std::string& path);
  int fd() const { return fd_; }           // readable when there are changes
  std::vector<FileChange> read_changes();  // does not block

 private:
  explicit Watch(int fd) : fd_(fd) {}
  struct Folder {
    std::size_t root = 0;
    std::string relative;  // "" for the root itself
  };
  core::Status add_folder(std::size_t root, const std::string& relative,
                          std::vector<FileChange>* found);

  int fd_ = -1;
  std::vector<std::string> roots_;
  std::map<int, Folder> folders_;
};

}  // namespace syncline::env
