// One thread that finds out whether this machine is a spot instance and waits for its notice.
//
// It asks AWS, GCP and Azure in turn; whoever answers first is asked again every poll_interval.
// Starting it takes no time: on a machine without a metadata service the thread finds nothing and,
// unless the node is ephemeral for certain, ends.
//
// Callbacks run on the watcher's thread and must not block for long; none runs after the
// destructor has returned. Times are told as Instants of the given clock.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/config.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "env/clock.hpp"
#include "spot/http_door.hpp"
#include "spot/types.hpp"

namespace syncline::spot {

struct WatcherSettings {
  std::string base_aws;
  std::string base_gcp;
  std::string base_azure;
  core::Duration poll_interval = core::seconds(5);
  // node.ephemeral = true, or found out by other signs: what metadata say of the kind of machine
  // does not end the watch then, and it is never given up.
  bool is_ephemeral_for_certain = false;
  // A service may come up after us, when the machine boots. The pause begins at poll_interval and
  // doubles up to detect_pause_max. Higher: found later, fewer needless questions.
  int detect_tries_max = 5;  // while not ephemeral for certain
  core::Duration detect_pause_max = core::seconds(300);
  // So many polls in a row without a sensible answer are told as a problem.
  int silent_polls_max = 6;
  HttpLimits http;
};
// From [spot] and node.ephemeral as the file has them. REQUIRES: ephemeral is not false.
WatcherSettings watcher_settings(const core::SpotConfig& spot, core::Tristate ephemeral);

struct WatcherCallbacks {
  std::function<void(const Found&)> found;  // once: whose machine this is, spot or not
  std::function<void(const Notice&, core::Instant deadline)> notice;  // once, then the watch ends
  std::function<void(const std::string& sentence)> advice;            // a new one
  std::function<void(const std::string& sentence)>
      problem;  // polls go unanswered; told once a time
};

class Watcher {
 public:
  // kInvalid: a base URL is none. All callbacks must be set.
  static core::Result<std::unique_ptr<Watcher>> start(WatcherSettings settings,
                                                      const env::Clock& clock,
                                                      WatcherCallbacks callbacks);
  ~Watcher();  // ends the question under way, joins
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

 private:
  struct State;
  explicit Watcher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::spot
