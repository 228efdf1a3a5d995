// One thread that waits for inotify and tells which files changed below the collections' roots.
//
// A root that is not there yet is tried again each kRootRetry; polls find what inotify misses.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "env/watch.hpp"

namespace syncline::node {

struct WatchedRoot {
  core::CollectionName collection;
  std::string path;  // absolute
};

class WatchThread {
 public:
  // `changed`: with paths relative to the root; an empty list means "anything may have changed".
  using OnChange =
      std::function<void(const core::CollectionName&, const std::vector<env::FileChange>&)>;
  using OnProblem = std::function<void(const std::string& sentence)>;

  static core::Result<std::unique_ptr<WatchThread>> start(std::vector<WatchedRoot> roots,
                                                          OnChange changed, OnProblem problem);
  ~WatchThread();  // joins
  WatchThread(const WatchThread&) = delete;
  WatchThread& operator=(const WatchThread&) = delete;

 private:
  struct State;
  explicit WatchThread(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::node
