#include "replication/writer_log.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::replication {
namespace {

using core::Instant;
using core::NodeId;
using core::SeqSet;

const core::LogId kLog{core::CollectionName("games"), NodeId("spot"), {1}};
const NodeId kA("a");
const NodeId kB("b");
const NodeId kC("c");

int each_its_own(const std::set<NodeId>& nodes) {
  return static_cast<int>(nodes.size());
}
int all_on_one_export(const std::set<NodeId>& nodes) {
  return nodes.empty() ? 0 : 1;
}

Instant at_ms(int ms) {
  return Instant{core::milliseconds(ms)};
}

PendingRecord record(std::uint64_t seq, std::uint32_t bytes = 100) {
  return {seq, bytes, at_ms(0), {0}};
}

WriterLog log_with(int records, WriterLimits limits = {}) {
  WriterLog log(kLog, limits);
  for (int i = 1; i <= records; ++i) log.appended(record(static_cast<std::uint64_t>(i)));
  return log;
}

std::vector<Push> pushes(WriterLog& log, Instant now, const std::set<NodeId>& linked) {
  return log.plan_pushes(now, linked, log.local());
}

TEST(WriterLog, counts_a_record_as_durable_only_after_acks_from_enough_domains) {
  WriterLog log = log_with(3);
  log.set_receivers({kA, kB, kC});
  pushes(log, at_ms(0), {kA, kB, kC});
  EXPECT_TRUE(log.acked(kA, SeqSet::up_to(3), each_its_own).empty());
  EXPECT_EQ(log.pending_count(), 3u);
  EXPECT_EQ(log.acked(kB, SeqSet::up_to(2), each_its_own).size(), 2u);
  EXPECT_EQ(to_string(log.durable()), "1-2");
  EXPECT_EQ(log.pending_bytes(), 100u);
}

TEST(WriterLog, two_nodes_on_one_export_count_as_one_copy) {
  WriterLog log = log_with(1);
  log.acked(kA, SeqSet::up_to(1), all_on_one_export);
  log.acked(kB, SeqSet::up_to(1), all_on_one_export);
  EXPECT_EQ(log.pending_count(), 1u);
}

TEST(WriterLog, ignores_a_claim_to_hold_what_was_never_written) {
  WriterLog log = log_with(1, {.acks = 1});
  EXPECT_EQ(log.acked(kA, SeqSet::up_to(9), each_its_own).size(), 1u);
  log.appended(record(2));
  EXPECT_EQ(log.pending_count(), 1u);
}

TEST(WriterLog, sends_again_what_was_not_acked_when_the_link_broke) {
  WriterLog log = log_with(4);
  log.set_receivers({kA});
  auto first = pushes(log, at_ms(0), {kA});
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(to_string(first[0].seqs), "1-4");
  EXPECT_TRUE(pushes(log, at_ms(1), {kA}).empty());
  log.acked(kA, SeqSet::up_to(2), each_its_own);
  log.link_down(kA);
  EXPECT_TRUE(pushes(log, at_ms(2), {}).empty());
  auto second = pushes(log, at_ms(3), {kA});
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(to_string(second[0].seqs), "3-4");
}

TEST(WriterLog, keeps_no_more_in_flight_than_its_window) {
  WriterLimits limits;
  limits.inflight_max_bytes = 250;
  WriterLog log = log_with(10, limits);
  log.set_receivers({kA});
  auto first = pushes(log, at_ms(0), {kA});
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(to_string(first[0].seqs), "1-3");
  log.acked(kA, SeqSet::up_to(2), each_its_own);
  auto second = pushes(log, at_ms(1), {kA});
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(to_string(second[0].seqs), "4-5");
}

TEST(WriterLog, names_the_receiver_that_lets_records_lie) {
  WriterLog log = log_with(1);
  log.set_receivers({kA, kB});
  pushes(log, at_ms(0), {kA, kB});
  log.acked(kB, SeqSet::up_to(1), each_its_own);
  EXPECT_TRUE(log.overdue(at_ms(4999)).empty());
  EXPECT_EQ(log.overdue(at_ms(5000)), std::vector<NodeId>{kA});
  EXPECT_EQ(log.next_wake(), at_ms(5000));
}

TEST(WriterLog, answers_for_another_number_of_acks_than_its_own) {
  WriterLog log = log_with(5, {.acks = 1});
  log.acked(kA, SeqSet::up_to(5), each_its_own);
  EXPECT_EQ(log.count_durable_at(1, 5, each_its_own), 5u);
  EXPECT_EQ(log.count_durable_at(1, 3, each_its_own), 3u);
  EXPECT_EQ(log.count_durable_at(2, 5, each_its_own), 0u);
  log.acked(kB, SeqSet::up_to(4), each_its_own);
  EXPECT_EQ(log.count_durable_at(2, 5, each_its_own), 4u);
  log.acked(kC, SeqSet::up_to(5), each_its_own);
  EXPECT_EQ(log.count_durable_at(2, 5, each_its_own), 5u);
}

TEST(WriterLog, restores_what_was_pending_before_a_restart) {
  WriterLog log(kLog, {});
  log.restore(SeqSet::up_to(5), {record(4), record(5)});
  EXPECT_EQ(to_string(log.durable()), "1-3");
  EXPECT_EQ(log.pending_count(), 2u);
}

TEST(WriterLog, what_a_lost_holder_had_lapses_and_is_pushed_to_another) {
  WriterLog log = log_with(4, {.acks = 1});
  std::set<NodeId> dead;
  const CountDomains alive = [&](const std::set<NodeId>& nodes) {
    int count = 0;
    for (const NodeId& node : nodes) count += dead.count(node) == 0 ? 1 : 0;
    return count;
  };
  log.acked(kA, SeqSet::up_to(4), alive);
  EXPECT_TRUE(log.is_settled());
  dead.insert(kA);
  log.peer_gone(kA, alive);
  EXPECT_TRUE(log.durable().empty());
  EXPECT_EQ(to_string(log.lapsed()), "1-4");
  log.set_receivers({kB});
  // Only what is still on this disk can be sent.
  const auto again = log.plan_pushes(at_ms(0), {kB}, *core::parse_seq_set("2-4"));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(to_string(again[0].seqs), "2-4");
  EXPECT_TRUE(log.plan_pushes(at_ms(1), {kB}, log.local()).size() == 1);  // 1 is here after all
  log.acked(kB, SeqSet::up_to(2), alive);
  EXPECT_EQ(to_string(log.lapsed()), "3-4");
  dead.clear();  // it was only away
  log.recount(alive);
  EXPECT_TRUE(log.is_settled());
}

TEST(WriterLog, a_peer_that_lost_its_disk_counts_no_more) {
  WriterLog log = log_with(4, {.acks = 1});
  log.acked(kA, SeqSet::up_to(4), each_its_own);
  log.peer_lost_data(kA, *core::parse_seq_set("1"), each_its_own);
  EXPECT_EQ(to_string(log.durable()), "1");
  EXPECT_EQ(to_string(log.lapsed()), "2-4");
  log.set_receivers({kA});
  const auto again = pushes(log, at_ms(0), {kA});
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(to_string(again[0].seqs), "2-4");
}

TEST(WriterLog, waits_longer_each_time_for_a_receiver_that_never_answers) {
  WriterLog log = log_with(1);
  log.set_receivers({kA});
  pushes(log, at_ms(0), {kA});
  log.gave_up(kA);
  EXPECT_EQ(pushes(log, at_ms(5000), {kA}).size(), 1u);
  EXPECT_TRUE(log.overdue(at_ms(14'999)).empty());
  EXPECT_EQ(log.next_wake(), at_ms(15'000));
}

// Whatever the order of pushes, acks and cuts: durable == held by two domains, and the window's
// account comes back to zero.
RC_GTEST_PROP(WriterLogProperty, durable_is_exactly_what_two_peers_hold, ()) {
  WriterLog log(kLog, {});
  const std::vector<NodeId> peers{kA, kB, kC};
  std::map<NodeId, SeqSet> held;
  std::uint64_t next = 1;
  log.set_receivers({kA, kB, kC});
  const int steps = *rc::gen::inRange(1, 60);
  for (int i = 0; i < steps; ++i) {
    const NodeId peer = peers[*rc::gen::inRange<std::size_t>(0, 3)];
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        log.appended(record(next++));
        break;
      case 1:
        log.link_down(peer);
        break;
      default:
        for (const Push& push : pushes(log, at_ms(i), {peer})) held[push.peer].insert(push.seqs);
        log.acked(peer, held[peer], each_its_own);
    }
    SeqSet expected;
    for (std::uint64_t seq = 1; seq < next; ++seq) {
      int copies = 0;
      for (const NodeId& p : peers) copies += log.held_by(p).contains(seq) ? 1 : 0;
      if (copies >= 2) expected.insert(seq, seq);
    }
    RC_ASSERT(log.durable() == expected);
    RC_ASSERT(log.pending_count() == next - 1 - expected.count());
  }
}

}  // namespace
}  // namespace syncline::replication
