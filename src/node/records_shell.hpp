// Carries out the engine's actions on records: journal, sources, replicas.
//
// One thread for the journal (group commit: whatever was queued while an fsync ran goes into the
// next transaction together), and per sqlite collection one for its sources and one for its
// replica. Nothing is decided here. Threads: carry_out() on the loop's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "engine/actions.hpp"
#include "engine/announced.hpp"
#include "engine/engine.hpp"
#include "engine/events.hpp"
#include "env/clock.hpp"
#include "env/watch.hpp"

namespace syncline::storage {
class Store;
}

namespace syncline::node {

class Serial;

// Where the databases of an agentless host are copied to.
std::string copies_folder(const core::Config& config, const core::NodeId& host,
                          const core::CollectionName& collection);

struct RecordsPorts {
  std::function<void(engine::Event)> post;                              // to the loop
  std::function<bool(const core::NodeId&, const core::Message&)> send;  // from any thread
  // Asks the loop and waits: where a file stands that a row of the collection names. From any
  // other.
  std::function<engine::FileStanding(const core::CollectionConfig&, const std::string&)> standing;
};

class RecordsShell {
 public:
  RecordsShell(const core::Config& config, const env::Clock& clock,
               std::unique_ptr<storage::Store> store, RecordsPorts ports);
  ~RecordsShell();
  RecordsShell(const RecordsShell&) = delete;
  RecordsShell& operator=(const RecordsShell&) = delete;

  // Opens sources and replicas, and reads what the last run left. Before the loop runs. A source or
  // replica that cannot be opened is told to `note` and tried again later.
  core::Result<engine::Recovered> recover(const std::function<void(const core::Error&)>& note);

  void carry_out(const engine::Append& action);
  void carry_out(const engine::SendRecords& action);
  void carry_out(const engine::Merge& action);
  void carry_out(const engine::Trim& action);
  void carry_out(const engine::SaveAcks& action);
  void carry_out(const engine::ReadSource& action);

  // inotify named these files of the collection's root (relative): the next look reads them.
  // Any thread.
  // False: it says nothing of the databases. Any thread.
  bool file_changed(const core::CollectionName& collection, const env::FileChange& change);

  // A database of an agentless host was copied to copies_folder(): the next look reads it.
  void database_copied(const core::CollectionName& collection, const core::NodeId& host,
                       const std::string& path);

  // Re-reads the replica and compares units with their hashes: -> VerifyDone. Any thread.
  void verify(const core::CollectionName& collection);
  // Runs on the journal's thread, with the store to itself.
  void with_store(std::function<void(storage::Store&)> task);
  std::uint64_t journal_bytes() const;

  // For requests that are restricted to config keys. Any thread.
  std::vector<std::string> config_keys(const core::CollectionName& collection);
  core::Result<std::map<core::LogId, core::SeqSet>> with_config_key(
      const core::CollectionName& collection, const std::string& pattern);

  // Records that the replicas could not merge. They wait for the replica's thread. Any other
  // thread.
  core::Result<std::vector<facade::DeadLetterRow>> dead_letters();
  struct Handled {
    std::uint64_t changed = 0;
    std::uint64_t left = 0;
  };
  core::Result<Handled> handle_dead_letters(
      bool is_retry, const core::CollectionName& collection,
      const std::set<std::pair<core::LogId, core::Seq>>& only);

  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace syncline::node
