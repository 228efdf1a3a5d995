// Gap repair: which missing records to ask from which holder.
//
// Pushes are on their way when a gap is first seen, so a record is asked for only when it has been
// missing for `patience`. A holder that does not deliver within `answer_timeout` is asked last.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/ids.hpp"
#include "core/ranges.hpp"
#include "core/time.hpp"

namespace syncline::replication {

struct PullLimits {
  core::Duration patience = core::milliseconds(400);
  core::Duration answer_timeout = core::seconds(10);
  std::size_t records_max = 1024;  // in one request
  std::size_t requests_max = 16;   // at once, over all logs
};

struct PullRequest {
  core::NodeId from;
  core::LogId log;
  core::SeqSet wanted;
  bool operator==(const PullRequest&) const = default;
};

// What the catalog says of one log that this node wants whole.
struct LogView {
  core::LogId log;
  core::SeqSet mine;                             // held or being appended
  std::map<core::NodeId, core::SeqSet> holders;  // linked ones only
};

class PullPlan {
 public:
  explicit PullPlan(PullLimits limits, std::uint64_t seed) : limits_(limits), draw_(seed) {}

  // Looks at one log; appends the requests to be sent now.
  void consider(const LogView& view, core::Instant now, std::vector<PullRequest>& out);

  // The log is not wanted (any more), or complete.
  void drop(const core::LogId& log);
  void link_down(const core::NodeId& peer);
  bool has_free_places() const { return open_requests_ < limits_.requests_max; }
  // The holder said that it cannot serve this log before `until`: somebody else is asked at once.
  void refused(const core::NodeId& peer, const core::LogId& log, core::Instant until);

  // When consider() may have something to do that no event tells. Whoever frees a place (an answer,
  // a refusal, a link that broke) looks again at every log that waits for one.
  std::optional<core::Instant> next_wake() const;

 private:
  struct Asked {
    core::NodeId from;
    core::SeqSet wanted;
    core::Instant at;
  };
  struct Gap {
    core::SeqSet seen;  // missing when last looked
    std::optional<core::Instant> since;
    bool is_patient = true;  // until `patience` has passed
    std::vector<Asked> asked;
    std::map<core::NodeId, int> disappointments;
    std::map<core::NodeId, core::Instant> not_before;  // of those that refused
  };
  std::uint64_t next_draw();

  PullLimits limits_;
  std::uint64_t draw_;
  std::size_t open_requests_ = 0;
  std::map<core::LogId, Gap> gaps_;
};

}  // namespace syncline::replication
