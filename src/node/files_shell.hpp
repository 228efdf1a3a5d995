// Carries out the engine's actions on files: scan, fetch, land, remove; and serves what is here.
//
// Per files collection one thread scans and one puts landed files into their place (many small
// ones together, with few fsyncs); bytes come through the transports, which have threads of their
// own. Nothing is decided here.
//
// What is told is on the disk first: a landed file is fsynced, then its version is in the state
// database, then FetchDone is posted. A scanned file's stamp is remembered only after its version:
// a crash in between means that it is hashed again, never that it is not told.
//
// Threads: carry_out(), attach() and close() on the loop's thread; all else as said.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "collecting/types.hpp"
#include "core/config.hpp"
#include "engine/actions.hpp"
#include "engine/engine.hpp"
#include "engine/events.hpp"
#include "env/clock.hpp"
#include "http/api.hpp"
#include "transports/p2p/types.hpp"
#include "transports/transport.hpp"

namespace syncline::storage {
class Store;
}

namespace syncline::transports::swarm {
class SwarmTransport;
}

namespace syncline::node {

struct FilesPorts {
  std::function<void(engine::Event)> post;             // to the loop, in order; any thread
  std::function<void(std::function<void()>)> on_loop;  // run it there, after what was posted
  // Run it on the journal's thread, in order; any thread.
  std::function<void(std::function<void(storage::Store&)>)> with_store;
  // Asks a node to seed an object that is about to be fetched in a swarm; any thread.
  std::function<void(const core::NodeId&, const core::Root&)> ask_to_seed;
};

class FilesShell {
 public:
  // `config` and `clock` outlive it.
  FilesShell(const core::Config& config, const env::Clock& clock, FilesPorts ports);
  ~FilesShell();
  FilesShell(const FilesShell&) = delete;
  FilesShell& operator=(const FilesShell&) = delete;

  // Opens the trees and reads what is remembered of them. Before the loop runs. A root that cannot
  // be opened is no failure: it is a problem of its collection, and tried again with each scan.
  core::Status recover(storage::Store& store, engine::Recovered& recovered);
  // One for each way to fetch; it is closed before this shell is. A fetch that names none takes
  // p2p; one that names another is refused unless that one is here.
  void attach(transports::Transport* transport);
  void attach_swarm(transports::swarm::SwarmTransport* swarm);

  void carry_out(const engine::ScanFiles& action);  // -> FilesScanned
  void carry_out(engine::Fetch action);             // -> FetchProgress…, FetchDone
  void carry_out(const engine::GrantFetch& action);
  void carry_out(const engine::PaceFetch& action);
  void carry_out(const engine::CancelFetch& action);
  void carry_out(const engine::RemoveFile& action);  // -> SourceChanged: a scan finds it gone
  void carry_out(const engine::PersistFacts& action);

  // Something happened at these paths: the next ScanFiles looks; "" means anywhere. False: it was
  // our own doing, or nothing that can be seen; no look is needed. Any thread.
  bool files_changed(const core::CollectionName& collection,
                     const std::vector<std::string>& relative_paths);

  // What lies in the collection's root, as far as it was scanned. Any thread.
  std::vector<collecting::FileHere> here(const core::CollectionName& collection);
  // Where a file for `path` may be put together before take_in(): on the root's file system, the
  // same each time. Any thread.
  core::Result<std::string> staging_for(const core::CollectionName& collection,
                                        const std::string& path);
  // Puts a file that was copied from elsewhere into its place, durably; a version that is there and
  // is not `replaces` is kept beside it, or wins where nothing was expected (kConflict). The next
  // scan tells of it. Any thread that may block.
  struct Incoming {
    std::string path;
    std::string staged;  // at a path of staging_for()
    std::int64_t mtime_ms = 0;
    bool is_new = false;  // nothing is expected there
    core::Root replaces;
  };
  struct TakenIn {
    core::Root root;
    std::string conflict_copy;
  };
  core::Result<TakenIn> take_in(const core::CollectionName& collection, const Incoming& incoming);

  // A copy of a version that lies in the root, whole and checked, at a path of staging_for().
  // kConflict: another version lies there by now. Any thread that may block.
  core::Result<std::string> copy_out(const core::CollectionName& collection,
                                     const std::string& path, const core::Root& root);

  // An object that lies in one of the trees, whole and unchanged. Any thread.
  transports::p2p::OpenObject opener();
  core::Result<http::OpenedObject> open_for_http(const core::Root& root);
  // Roots of the pieces of an object that lies here whole. Any thread.
  core::Result<std::vector<core::Digest256>> piece_layer(const core::Root& root);
  // A node came back: what is fetched from it in swarms, it has to be asked to seed again.
  void linked(const core::NodeId& node);
  // Another node is about to fetch it in a swarm. Any thread.
  void seed(const core::Root& root);

  // Re-hashes every file of the collection: -> VerifyDone. Any thread.
  void verify(const core::CollectionName& collection);
  void sweep();  // removes staged leftovers that are too old, and layers of files that are gone
  // Ends scans, finishes what has landed, joins the threads. The transports are closed already,
  // the store's thread still runs.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace syncline::node
