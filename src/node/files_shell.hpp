// Carries out the engine's actions on files: scan, fetch, land, remove; and serves what is here.
//
// One thread per files collection scans and lands; bytes come through the p2p exchange, which has
// its own workers. Nothing is decided here. Threads: carry_out() on the loop's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/config.hpp"
#include "engine/actions.hpp"
#include "engine/engine.hpp"
#include "engine/events.hpp"
#include "env/clock.hpp"
#include "http/api.hpp"
#include "transports/p2p/exchange.hpp"

namespace syncline::storage {
class Store;
}

namespace syncline::node {

struct FilesPorts {
  std::function<void(engine::Event)> post;                                  // to the loop
  std::function<void(std::function<void()>)> on_loop;                       // run it there
  std::function<void(std::function<void(storage::Store&)>)> with_store;     // on the journal's thread
};

class FilesShell {
 public:
  FilesShell(const core::Config& config, const env::Clock& clock, FilesPorts ports);
  ~FilesShell();
  FilesShell(const FilesShell&) = delete;
  FilesShell& operator=(const FilesShell&) = delete;

  // Opens the trees and reads what is remembered of them. Before the loop runs.
  core::Status recover(storage::Store& store, engine::Recovered& recovered);
  // The exchange needs open_object() first, so it is attached afterwards.
  void attach(transports::p2p::Exchange* exchange) { exchange_ = exchange; }

  void carry_out(const engine::ScanFiles& action);
  void carry_out(const engine::Fetch& action);
  void carry_out(const engine::CancelFetch& action);
  void carry_out(const engine::RemoveFile& action);
  void carry_out(const engine::PersistFacts& action);

  void files_changed(const core::CollectionName& collection, const std::string& relative_path);

  // An object that lies in one of the trees, whole and unchanged. Any thread.
  transports::p2p::OpenObject opener();
  core::Result<http::OpenedObject> open_for_http(const core::Root& root);

  // Re-hashes every file of the collection: -> VerifyDone. Any thread.
  void verify(const core::CollectionName& collection);
  void sweep();  // removes staged leftovers that are too old
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
  transports::p2p::Exchange* exchange_ = nullptr;
};

}  // namespace syncline::node
