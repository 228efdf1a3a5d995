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

namespace syncline::node {

struct FilesPorts {
  std::function<void(engine::Event)> post;             // to the loop, in order; any thread
  std::function<void(std::function<void()>)> on_loop;  // run it there, after what was posted
  // Run it on the journal's thread, in order; any thread.
  std::function<void(std::function<void(storage::Store&)>)> with_store;
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

  void carry_out(const engine::ScanFiles& action);  // -> FilesScanned
  void carry_out(const engine::Fetch& action);      // -> FetchProgress…, FetchDone
  void carry_out(const engine::CancelFetch& action);
  void carry_out(const engine::RemoveFile& action);  // -> SourceChanged: a scan finds it gone
  void carry_out(const engine::PersistFacts& action);

  // The next ScanFiles looks there; "" means anywhere. Any thread.
  void files_changed(const core::CollectionName& collection, const std::string& relative_path);

  // An object that lies in one of the trees, whole and unchanged. Any thread.
  transports::p2p::OpenObject opener();
  core::Result<http::OpenedObject> open_for_http(const core::Root& root);

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
