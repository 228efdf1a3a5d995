#include "coordination/lease_election.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <utility>

namespace syncline::coordination {
namespace {

using core::Duration;
using core::Error;
using core::ErrorKind;
using core::Instant;
using core::milliseconds;
using core::NodeId;
using core::seconds;

// etcd as its documents say: leases that end, a key bound to one, revisions that grow.
class Etcd {
 public:
  core::Result<Answer> ask(const NodeId& who, const Question& question, Instant now) {
    if (is_down) return Error{ErrorKind::kUnreachable, "connection refused", ""};
    if (until_ < now) forget();
    if (const auto* grant = std::get_if<Grant>(&question)) {
      leases_[++last_lease_] = now + seconds(grant->ttl_s);
      return Answer(Lease{last_lease_, grant->ttl_s});
    }
    if (const auto* keep = std::get_if<KeepAlive>(&question)) {
      auto lease = leases_.find(keep->lease);
      if (lease == leases_.end() || lease->second < now) return Answer(Lease{keep->lease, 0});
      lease->second = now + ttl;
      if (holder_.lease == keep->lease) until_ = lease->second;
      return Answer(Lease{keep->lease, std::chrono::duration_cast<seconds>(ttl).count()});
    }
    if (const auto* revoke = std::get_if<Revoke>(&question)) {
      leases_.erase(revoke->lease);
      if (holder_.lease == revoke->lease) forget();
      return Answer(Lease{revoke->lease, 0});
    }
    if (const auto* campaign = std::get_if<Campaign>(&question)) {
      const auto lease = leases_.find(campaign->lease);
      if (lease == leases_.end() || lease->second < now) {
        return Error{ErrorKind::kMissing, "requested lease not found", ""};
      }
      if (holder_.leader.empty()) {
        holder_ = {who, ++revision_, campaign->lease};
        until_ = lease->second;
      }
    }
    return Answer(holder_);
  }
  bool is_down = false;
  Duration ttl = seconds(10);

 private:
  void forget() { holder_ = {}; }
  std::map<std::int64_t, Instant> leases_;
  std::int64_t last_lease_ = 0;
  std::uint64_t revision_ = 0;
  Holder holder_;
  Instant until_;
};

struct Candidate {
  explicit Candidate(const std::string& name, bool is_candidate = true)
      : id(name), election(id, is_candidate, {seconds(10), seconds(1)}) {}
  bool leads() const { return election.leadership().leader == id; }
  // Answers come `delay` after the question; a cut-off node gets none but errors.
  void run(Etcd& etcd, Instant now) {
    std::vector<Question> out;
    if (pending && now >= answer_at) {
      election.step(Answered{*std::exchange(pending, std::nullopt)}, now, out);
    } else {
      const auto wake = election.next_wake();
      if (wake && *wake <= now) election.step(Tick{}, now, out);
    }
    for (const Question& question : out) {
      pending = is_cut_off ? core::Result<Answer>(Error{ErrorKind::kUnreachable, "no route", ""})
                           : etcd.ask(id, question, now);
      answer_at = now + delay;
    }
  }
  NodeId id;
  LeaseElection election;
  bool is_cut_off = false;
  Duration delay = milliseconds(5);
  std::optional<core::Result<Answer>> pending;
  Instant answer_at;
};

class Elections : public testing::Test {
 protected:
  void run(Duration time) {
    for (const Instant end = now_ + time; now_ < end; now_ = now_ + milliseconds(5)) {
      for (Candidate* one : nodes_) one->run(etcd_, now_);
      int leading = 0;
      for (const Candidate* one : nodes_) leading += one->leads() ? 1 : 0;
      ASSERT_LE(leading, 1) << "two leaders at " << core::to_seconds(now_.since_start) << " s";
    }
  }
  Candidate a_{"a"};
  Candidate b_{"b"};
  Candidate watcher_{"w", false};
  std::vector<Candidate*> nodes_{&a_, &b_, &watcher_};
  Etcd etcd_;
  Instant now_;
};

TEST_F(Elections, one_leads_and_all_know_it) {
  run(seconds(5));
  const Leadership& now = a_.election.leadership();
  EXPECT_FALSE(now.leader.empty());
  EXPECT_NE(now.leader, watcher_.id);
  EXPECT_EQ(b_.election.leadership(), now);
  EXPECT_EQ(watcher_.election.leadership(), now);
  run(seconds(60));
  EXPECT_EQ(a_.election.leadership(), now) << "leases are kept";
}

TEST_F(Elections, a_leader_that_is_cut_off_stops_before_the_next_begins) {
  run(seconds(5));
  Candidate& first = a_.leads() ? a_ : b_;
  Candidate& second = a_.leads() ? b_ : a_;
  const std::uint64_t epoch = first.election.leadership().epoch;
  first.is_cut_off = true;
  run(seconds(9));
  run(seconds(6));
  EXPECT_FALSE(first.leads());
  EXPECT_TRUE(second.leads());
  EXPECT_GT(second.election.leadership().epoch, epoch);
  first.is_cut_off = false;
  run(seconds(5));
  EXPECT_EQ(first.election.leadership().leader, second.id);
}

TEST_F(Elections, while_etcd_is_gone_nobody_leads_and_the_reason_is_told) {
  run(seconds(5));
  etcd_.is_down = true;
  run(seconds(12));
  for (const Candidate* one : nodes_) {
    EXPECT_TRUE(one->election.leadership().leader.empty());
    EXPECT_NE(one->election.leadership().why.find("connection refused"), std::string::npos);
  }
  etcd_.is_down = false;
  run(seconds(15));
  EXPECT_TRUE(a_.leads() || b_.leads());
}

TEST_F(Elections, one_that_leaves_hands_over_at_once) {
  run(seconds(5));
  Candidate& first = a_.leads() ? a_ : b_;
  Candidate& second = a_.leads() ? b_ : a_;
  std::vector<Question> out;
  while (first.pending) run(milliseconds(5));
  first.election.step(Resign{}, now_, out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Revoke>(out[0]));
  first.pending = etcd_.ask(first.id, out[0], now_);
  run(seconds(3));
  EXPECT_TRUE(second.leads());
}

// Cuts, slow answers and outages of any order: never two at once (asserted in run()).
TEST_F(Elections, never_has_two_leaders_whatever_fails_when) {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (int i = 0; i < 20; ++i) {
      a_.is_cut_off = random() % 3 == 0;
      b_.is_cut_off = random() % 3 == 0;
      etcd_.is_down = random() % 5 == 0;
      a_.delay = milliseconds(random() % 3000);
      b_.delay = milliseconds(random() % 3000);
      run(milliseconds(random() % 8000));
    }
  }
}

}  // namespace
}  // namespace syncline::coordination
