// What the files_*.cpp share. Private to the room.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collections/files/finishing.hpp"
#include "collections/files/landing_site.hpp"
#include "collections/files/tree.hpp"
#include "node/arriving.hpp"
#include "node/files_shell.hpp"
#include "node/serial.hpp"
#include "storage/store.hpp"

namespace syncline::node {

namespace disk = collections::files;

struct FilesLane;

// One Fetch from the action to FetchDone.
struct FilesJob {
  engine::Fetch fetch;
  FilesLane* lane = nullptr;
  transports::Transport* transport = nullptr;
  std::atomic<bool> is_cancelled{false};
  std::shared_ptr<disk::Landing> landing;  // of whoever has the job: transport, copier, lander
  std::shared_ptr<Arriving> arriving;      // what others may read of it; under the jobs' mutex
  transports::FetchOutcome outcome;
};
using FilesJobPtr = std::shared_ptr<FilesJob>;

// One files collection. Paths are relative to its root.
struct FilesLane {
  explicit FilesLane(core::CollectionConfig c)
      : config(std::move(c)),
        scanner("sl-scan-" + config.name.text),
        lander("sl-land-" + config.name.text) {}

  struct Known {
    disk::KnownFile file;
    std::uint64_t turn = 0;  // of the lane, when this was learnt
  };
  // The two, once both are open. Any thread.
  struct Open {
    std::shared_ptr<disk::Tree> tree;
    std::shared_ptr<disk::LandingSite> site;
  };
  core::Result<Open> open(const core::NodeId& node);
  std::optional<Open> opened();
  std::optional<disk::KnownFile> known_at(const std::string& path);

  // Under the mutex:
  void remember(const std::string& path, const disk::KnownFile& file);
  void forget(const std::string& path);
  std::map<std::string, disk::KnownFile> known_below(const std::set<std::string>& paths) const;
  std::map<std::string, disk::KnownFile> all_known() const;
  // Somebody else has put something there since `turn`, or is about to: a scan saw the past.
  bool is_newer(const std::string& path, std::uint64_t since) const;

  const core::CollectionConfig config;
  std::mutex mutex;  // of what follows
  Open is_open;
  std::map<std::string, Known> known;
  std::multimap<core::Root, std::string> by_root;
  std::set<std::string> changed;  // to be looked at by the next scan
  bool is_all_changed = false;
  // Files are being put there now; true: something else was seen to happen there meanwhile.
  std::map<std::string, bool> placing;
  std::uint64_t turn = 0;
  std::vector<FilesJobPtr> arrived;  // whole, to be put into place
  bool is_placing_posted = false;

  Serial scanner;  // last: their tasks use everything above
  Serial lander;
};

struct FilesShell::State {
  State(const core::Config& co, const env::Clock& cl, FilesPorts p)
      : config(co), clock(cl), ports(std::move(p)) {}

  const core::Config& config;
  const env::Clock& clock;
  const FilesPorts ports;
  std::map<core::CollectionName, std::unique_ptr<FilesLane>> lanes;  // fixed after recover()
  std::map<transfer::Transport, transports::Transport*> transports;
  transports::swarm::SwarmTransport* swarm = nullptr;
  std::atomic<bool> is_closed{false};

  std::mutex jobs_mutex;
  std::map<std::uint64_t, FilesJobPtr> jobs;

  // Own versions that are not in the database yet. Under the mutex.
  std::mutex versions_mutex;
  std::map<core::CollectionName, std::map<std::string, std::optional<core::ObjectVersion>>>
      versions;
  bool is_save_posted = false;
  // Of files that landed: they were saved with what is known of the file, before the engine heard.
  std::map<core::CollectionName, std::map<std::string, core::ObjectVersion>> landed;

  Serial copier{"sl-copy"};
  Serial verifier{"sl-verify"};

  FilesLane* lane(const core::CollectionName& name) {
    auto it = lanes.find(name);
    return it == lanes.end() ? nullptr : it->second.get();
  }
  bool was_saved(const core::CollectionName& collection, const std::string& path,
                 const std::optional<core::ObjectVersion>& version);
  void save(const core::CollectionName& collection, std::vector<storage::FileChange> changes,
            std::function<void(const core::Status&)> then = {});

  // files_scan.cpp
  void scan(FilesLane& lane, const engine::ScanFiles& action);
  void take_in(FilesLane& lane, disk::ScanOutcome outcome, std::uint64_t since,
               engine::FilesScanned& event);
  void remove(FilesLane& lane, const engine::RemoveFile& action);
  void verify(FilesLane& lane);
  void look_again(FilesLane& lane, const std::string& path);

  // files_fetch.cpp
  FilesJobPtr under_way(std::uint64_t id);  // null: it has ended
  core::Result<FilesJobPtr> accept(engine::Fetch action);
  void start(const FilesJobPtr& job);
  void ask_to_seed(const FilesJob& job, const core::NodeId& node);  // where it goes by swarm
  transports::Source source(const FilesJob& job, const core::NodeId& node) const;
  core::Result<transports::DestinationPtr> open_landing(const FilesJobPtr& job,
                                                        std::vector<core::Digest256> layer);
  core::Status copy_from_here(const FilesJobPtr& job);
  void fetched(const FilesJobPtr& job, transports::FetchOutcome outcome);
  void place(FilesLane& lane);
  void begin_placing(FilesLane& lane, std::vector<FilesJobPtr>& lot);
  void placed(FilesLane& lane, const disk::Tree& tree, const std::vector<FilesJobPtr>& lot,
              std::vector<core::Result<disk::Landed>> results);
  void end(const FilesJobPtr& job, core::Status status, std::string conflict_copy);
  std::shared_ptr<Arriving> arriving(const core::Root& root);  // null: nothing of it comes

  // files_serve.cpp
  struct Found {
    std::shared_ptr<disk::ObjectReader> reader;
    std::shared_ptr<disk::Tree> tree;
    FilesLane* lane = nullptr;
    std::string path;
  };
  core::Result<Found> find(const core::Root& root);
  core::Status seed(const core::Root& root);
};

}  // namespace syncline::node
