// Which agentless host is looked at when, what is copied from it and what is put there.
//
// A host is looked at every `every_s`; one that fails is tried again after a pause that doubles up
// to `pause_max_s`. A look lists each collection's folder; then files are copied one by one:
// - a database when its stamp, or its log's, is not that of the last copy;
// - a file once its stamp has stood still for the collection's stable_ms, and it is not what was
//   taken last: where another version lies here, only if the one there is younger;
// - to the host, each file that lies here and not there, or that we put there in another version.
//   What others wrote there is never overwritten.
// One host that fails, or one file, stops nothing else. A host whose own daemon is linked is left
// alone: that one delivers at once what a look would find later.
//
// Contract of a core: step() with what happened and the time, carry out what comes out, call
// step(Tick) no later than next_wake().
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collecting/types.hpp"
#include "core/config.hpp"

namespace syncline::collecting {

// What one host is like, for people.
struct HostState {
  bool is_busy = false;
  bool has_daemon = false;                 // linked now: not looked at
  bool is_reached = false;                 // at the last try
  std::optional<core::Instant> looked_at;  // the last look that reached its end
  core::Instant next_look;
  int failures = 0;  // in a row
  std::uint64_t taken = 0;
  std::uint64_t given = 0;
  std::uint64_t wire_bytes = 0;
  std::uint64_t unstable = 0;         // being written there
  std::string error;                  // why it was not reached
  std::vector<std::string> problems;  // of the last look, one line each
  std::uint64_t problems_beyond = 0;
};

class Collector {
 public:
  // `hosts_max`: looked at at once.
  Collector(const core::Config& config, Memory memory, int hosts_max, core::Instant now);

  void step(const Event& event, core::Instant now, Actions& out);
  std::optional<core::Instant> next_wake() const;

  const std::map<core::NodeId, HostState>& hosts() const { return states_; }
  const Memory& memory() const { return memory_; }

 private:
  struct Seen {
    Stamp stamp;
    core::Instant since;  // it has looked like this at least since then
  };
  struct Look {
    std::deque<Action> work;
    bool has_listed = false;                // it has answered
    bool is_giving = false;                 // the action under way
    bool is_changed = false;                // the memory is not what was last stored
    std::optional<core::Instant> again_at;  // a file there will have stood still by then
    std::set<std::uint64_t> requests;
    std::vector<std::pair<core::CollectionName, std::string>> problems;  // the first kProblemsMax
  };
  struct Request {
    std::set<core::NodeId> hosts;                // that it still waits for
    std::set<core::CollectionName> collections;  // empty: all
    std::map<core::NodeId, std::vector<std::string>> problems;
  };

  void on(const Tick&, Actions&) {}
  void on(const Listed& event, Actions& out);
  void on(const Copied& event, Actions& out);
  void on(const Failed& event, Actions& out);
  void on(const LookWanted& event, Actions& out);
  void on(const DaemonSeen& event, Actions& out);

  const core::AgentlessConfig& host(const core::NodeId& id) const;
  const core::CollectionConfig& collection(const core::CollectionName& name) const;
  void begin_looks(Actions& out);
  void go_on(const core::NodeId& id, Actions& out);
  void end_look(const core::NodeId& id, Actions& out);
  void has_looked(std::uint64_t request, const core::NodeId& id, Actions& out);
  void note_problems(std::uint64_t request, const core::NodeId& id, const Look& look);
  void host_failed(const core::NodeId& id, const core::Error& error, Actions& out);
  void problem(const core::NodeId& id, const core::CollectionName& collection,
               std::string sentence);
  void plan_takes(const Listed& listed);
  void plan_file(const FileId& file, const Stamp& stamp, const FileHere* here);
  void plan_gives(const Listed& listed);

  const core::Config& config_;
  const int hosts_max_;
  core::Instant now_;
  Memory memory_;  // taken from hosts, and given to them
  std::map<core::NodeId, HostState> states_;
  std::map<core::NodeId, Look> looks_;                      // under way
  std::map<core::NodeId, std::set<std::uint64_t>> wanted_;  // by requests, not begun
  std::map<std::uint64_t, Request> requests_;               // that wait
  std::map<FileId, Seen> seen_;  // files that have not stood still for long enough
};

}  // namespace syncline::collecting
