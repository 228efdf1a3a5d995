#include "transfer/choose.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

namespace syncline::transfer {
namespace {

using core::Instant;
using core::NodeId;
using core::seconds;

constexpr std::uint64_t kMib = 1u << 20;

Source source_of(const std::string& id,
                 std::initializer_list<Transport> ways = {Transport::kP2p, Transport::kSwarm,
                                                          Transport::kAria2, Transport::kSsh}) {
  Source source;
  source.id = NodeId(id);
  for (const Transport way : ways) source.can(way) = true;
  source.is_linked = true;
  source.bandwidth_mbps = 50;
  return source;
}

std::vector<Transport> order_of(const Choice& choice) {
  std::vector<Transport> order;
  for (const Candidate& candidate : choice.order) order.push_back(candidate.transport);
  return order;
}
using Order = std::vector<Transport>;

struct Case {
  const char* name;
  std::function<void(Task&)> change;
  Order order;
  const char* why;
};

TEST(Choose, takes_the_cheapest_way_and_escalates_in_order) {
  const std::vector<Case> cases = {
      {"a model for one node",
       [](Task&) {},
       {Transport::kP2p, Transport::kAria2, Transport::kSsh},
       "p2p: 2 sources at 100 MB/s, about 1.1 s"},
      {"the same export",
       [](Task& t) { t.sources[1].shared = Shared::kSameExport; },
       {Transport::kNfs, Transport::kP2p, Transport::kAria2, Transport::kSsh},
       "nfs: it lies on storage that both share (with b): nothing has to move"},
      {"the same machine",
       [](Task& t) { t.sources[0].shared = Shared::kSameMachine; },
       {Transport::kNfs, Transport::kP2p, Transport::kAria2, Transport::kSsh},
       "nfs: copied on one machine (from a), about 0.2 s"},
      {"a large object for many nodes from one source",
       [](Task& t) {
         t.bytes = 1024 * kMib;
         t.targets = 8;
         t.sources.resize(1);
       },
       {Transport::kSwarm, Transport::kP2p, Transport::kAria2, Transport::kSsh},
       "swarm: 1 source at 45.5 MB/s, about 27 s"},
      {"the same where parts are served on",
       [](Task& t) {
         t.bytes = 1024 * kMib;
         t.targets = 8;
         t.sources.resize(1);
         t.are_parts_served = true;
       },
       {Transport::kP2p, Transport::kSwarm, Transport::kAria2, Transport::kSsh},
       "p2p: 1 source at 45.5 MB/s, parts of it exchanged with 7 others, about 24 s"},
      {"a small object for many nodes",
       [](Task& t) {
         t.bytes = 1 * kMib;
         t.targets = 8;
       },
       {Transport::kP2p, Transport::kAria2, Transport::kSsh},
       "p2p: 2 sources at 12.5 MB/s, about 0.1 s"},
      {"an agentless node",
       [](Task& t) { t.sources = {source_of("bare", {Transport::kSsh})}; },
       {Transport::kSsh},
       "ssh: 1 source at 35 MB/s, about 4 s"},
      {"p2p that often failed lately",
       [](Task& t) {
         for (Source& s : t.sources) s.history[1] = {0, 4};
       },
       {Transport::kAria2, Transport::kP2p, Transport::kSsh},
       "aria2: 2 sources at 100 MB/s, about 1.5 s"},
      {"a slow downlink",
       [](Task& t) { t.downlink_mbps = 5; },
       {Transport::kP2p, Transport::kAria2, Transport::kSsh},
       "p2p: 2 sources at 5 MB/s, about 21 s"},
      {"nobody has measured the link",
       [](Task& t) {
         for (Source& s : t.sources) s.bandwidth_mbps = 0;
       },
       {Transport::kP2p, Transport::kAria2, Transport::kSsh},
       "p2p: 2 sources at 40 MB/s, about 2.6 s"},
  };
  for (const Case& c : cases) {
    Task task;
    task.bytes = 100 * kMib;
    task.sources = {source_of("a"), source_of("b")};
    c.change(task);
    const auto choice = choose(task, Breakers(), {});
    ASSERT_TRUE(choice.ok()) << c.name;
    EXPECT_EQ(order_of(*choice), c.order) << c.name;
    EXPECT_EQ(choice->why, c.why) << c.name;
    EXPECT_EQ(choice->order.size() + choice->passed_over.size(), 5u) << c.name;
  }
}

TEST(Choose, says_why_each_other_way_is_passed_over) {
  Task task;
  task.bytes = 1000;
  task.sources = {source_of("a", {Transport::kP2p, Transport::kSwarm, Transport::kSsh})};
  Breakers breakers;
  for (int i = 0; i < 5; ++i) breakers.failed(NodeId("a"), Transport::kSsh, {}, "refused");
  const auto choice = choose(task, breakers, {seconds(18)});
  ASSERT_TRUE(choice.ok());
  EXPECT_EQ(order_of(*choice), (Order{Transport::kP2p}));
  ASSERT_EQ(choice->passed_over.size(), 4u);
  EXPECT_EQ(choice->passed_over[0].why, "no source shares storage or machine with the target");
  EXPECT_EQ(choice->passed_over[1].why, "a swarm does not pay for 1 KB");
  EXPECT_EQ(choice->passed_over[2].why, "no source can be reached by it");
  EXPECT_EQ(choice->passed_over[3].why, "it failed 5 times with a, tried again in 42 s");
}

TEST(Choose, leaves_out_one_source_whose_circuit_is_open_and_keeps_the_others) {
  Task task;
  task.bytes = 1000;
  task.sources = {source_of("a"), source_of("b")};
  Breakers breakers;
  for (int i = 0; i < 5; ++i) breakers.failed(NodeId("a"), Transport::kP2p, {}, "refused");
  const auto choice = choose(task, breakers, {seconds(1)});
  ASSERT_TRUE(choice.ok());
  EXPECT_EQ(choice->order[0].sources, (std::vector<NodeId>{NodeId("b")}));
  EXPECT_EQ(choice->order[1].sources.size(), 2u) << "aria2 has a circuit of its own";
}

TEST(Choose, a_forced_transport_is_honoured_or_refused_never_replaced) {
  Task task;
  task.bytes = 1000;
  task.sources = {source_of("a", {Transport::kP2p, Transport::kSwarm})};
  task.forced = Transport::kSwarm;  // though a swarm does not pay here
  const auto honoured = choose(task, Breakers(), {});
  ASSERT_TRUE(honoured.ok());
  EXPECT_EQ(order_of(*honoured), (Order{Transport::kSwarm}));
  EXPECT_EQ(honoured->why, "swarm, because it was asked for (1 source at 45.5 MB/s, about 3 s)");
  task.forced = Transport::kSsh;
  const auto refused = choose(task, Breakers(), {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, core::ErrorKind::kInvalid);
  EXPECT_EQ(refused.error().what,
            "ssh was asked for and cannot be used: no source can be reached by it; name another "
            "or leave the choice to the planner");
}

TEST(Choose, fails_with_every_reason_when_nothing_can_be_used) {
  EXPECT_EQ(choose({}, Breakers(), {}).error().kind, core::ErrorKind::kUnreachable);
  Task task;
  task.sources = {source_of("a", {})};
  const auto none = choose(task, Breakers(), {});
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().what.find("nfs: no source shares storage"), std::string::npos);
  EXPECT_NE(none.error().what.find("ssh: no source can be reached by it"), std::string::npos);
}

RC_GTEST_PROP(Choose, never_names_a_way_that_is_not_there_nor_one_twice, ()) {
  Task task;
  task.bytes = static_cast<std::uint64_t>(*rc::gen::inRange(0, 2000)) * kMib;
  task.targets = *rc::gen::inRange(1, 20);
  task.are_parts_served = *rc::gen::arbitrary<bool>();
  const int count = *rc::gen::inRange(1, 12);
  Breakers breakers;
  for (int i = 0; i < count; ++i) {
    Source source = source_of("s" + std::to_string(i), {});
    source.bandwidth_mbps = *rc::gen::inRange(0, 100);
    if (*rc::gen::inRange(0, 5) == 0) source.shared = Shared::kSameMachine;
    for (const Transport way : kTransports) {
      source.can(way) = *rc::gen::arbitrary<bool>();
      const int failures = *rc::gen::inRange(0, 8);
      for (int f = 0; f < failures; ++f) breakers.failed(source.id, way, {}, "x");
    }
    task.sources.push_back(source);
  }
  const auto choice = choose(task, breakers, {seconds(1)});
  if (!choice.ok()) return;
  std::set<Transport> seen;
  for (const Candidate& candidate : choice->order) {
    RC_ASSERT(seen.insert(candidate.transport).second);
    RC_ASSERT(!candidate.sources.empty());
    RC_ASSERT(candidate.seconds >= 0);
    for (const NodeId& id : candidate.sources) {
      RC_ASSERT(breakers.allows(id, candidate.transport, {seconds(1)}));
      const auto& source = *std::find_if(task.sources.begin(), task.sources.end(),
                                         [&](const Source& s) { return s.id == id; });
      const bool is_there = candidate.transport == Transport::kNfs
                                ? source.shared != Shared::kNothing
                                : source.can(candidate.transport);
      RC_ASSERT(is_there);
    }
  }
  // After the first, the order of escalation.
  for (std::size_t i = 2; i < choice->order.size(); ++i) {
    RC_ASSERT(choice->order[i - 1].transport < choice->order[i].transport);
  }
}

}  // namespace
}  // namespace syncline::transfer
