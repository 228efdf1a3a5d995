// Whole fleets on virtual time.
#include <gtest/gtest.h>

#include "membership/test_network.hpp"

namespace syncline::membership {
namespace {

using core::Instant;
using core::MemberState;
using core::milliseconds;
using core::seconds;

core::Duration in_seconds(double s) {
  return core::from_seconds(s);
}

TEST(Fleet, everybody_finds_everybody_from_one_seed) {
  for (std::size_t n : {3u, 10u, 50u}) {
    TestNetwork net(n, n, {}, {0.02});
    net.seed_all();
    EXPECT_TRUE(net.run_until([&] { return net.all_alive(); }, seconds(60))) << n;
    const Member* member = net.node(2).membership->members().find(TestNetwork::name(1));
    EXPECT_EQ(member->profile->meta.storage_domain, "disk-1");
  }
}

TEST(Fleet, a_killed_node_is_dead_to_all_within_the_bound) {
  for (std::size_t n : {3u, 10u, 50u}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      TestNetwork net(n, seed, {}, {0.01});
      net.introduce_all();
      net.run(seconds(20));
      net.kill(1);
      // Asked within 10 periods by somebody but for 1 in e^10; a period to find out; suspicion;
      // news. Each further accuser may need a round of its own in a small fleet.
      const double least = core::to_seconds(suspicion_times({}, n).min);
      EXPECT_TRUE(net.run_until([&] { return net.all_say(1, MemberState::kDead); },
                                in_seconds(10 + 1 + 2 * least + 3)))
          << n << " nodes, seed " << seed;
      EXPECT_EQ(net.count_changes(MemberState::kDead), n - 1);  // and nobody else
    }
  }
}

TEST(Fleet, nobody_dies_falsely_in_an_hour_of_five_percent_loss) {
  TestNetwork net(50, 3, {}, {0.05});
  net.introduce_all();
  net.run(seconds(3600));
  EXPECT_EQ(net.count_changes(MemberState::kDead), 0u);
  EXPECT_GT(net.count_changes(MemberState::kSuspect), 0u);  // so there was something to refute
  EXPECT_TRUE(net.run_until([&] { return net.all_alive(); }, seconds(60)));
}

// The slow node sends and hears everything 600 ms late: a round trip takes longer than the period.
std::uint64_t accusations_by_slow_node(Settings settings, std::uint64_t* deaths) {
  TestNetwork net(20, 5, settings);
  net.introduce_all();
  net.run(seconds(10));
  net.node(7).slow = milliseconds(600);
  net.run(seconds(600));
  *deaths = net.count_changes(MemberState::kDead);
  return net.node(7).membership->counts().accusations;
}

TEST(Fleet, a_slow_node_is_not_declared_dead_and_accuses_less_thanks_to_lifeguard) {
  std::uint64_t deaths = 0;
  const std::uint64_t with = accusations_by_slow_node({}, &deaths);
  EXPECT_EQ(deaths, 0u);
  Settings plain;
  plain.awareness_max = 0;
  const std::uint64_t without = accusations_by_slow_node(plain, &deaths);
  EXPECT_LT(4 * with, without);
}

TEST(Fleet, a_leave_is_not_a_death) {
  TestNetwork net(10, 4, {}, {0.05});
  net.introduce_all();
  net.run(seconds(10));
  net.step(3, Leave{});
  ASSERT_TRUE(net.run_until([&] { return net.node(3).has_told_leave; }, seconds(5)));
  net.kill(3);
  EXPECT_TRUE(net.run_until([&] { return net.all_say(3, MemberState::kLeft); }, seconds(60)));
  net.run(seconds(120));
  EXPECT_EQ(net.count_changes(MemberState::kDead), 0u);
}

TEST(Fleet, a_node_that_comes_back_with_a_new_incarnation_is_alive_again) {
  TestNetwork net(10, 6);
  net.introduce_all();
  net.run(seconds(5));
  net.kill(2);
  ASSERT_TRUE(net.run_until([&] { return net.all_say(2, MemberState::kDead); }, seconds(60)));
  net.start(2, "10.9.9.9:8750");  // elsewhere
  net.learn(2, {}, net.node(0).address);
  EXPECT_TRUE(net.run_until([&] { return net.all_alive(); }, seconds(30)));
  EXPECT_EQ(net.node(5).membership->members().find(TestNetwork::name(2))->profile->address,
            "10.9.9.9:8750");
}

TEST(Fleet, a_node_that_restarts_before_anybody_noticed_is_never_declared_dead) {
  TestNetwork net(10, 8);
  net.introduce_all();
  net.run(seconds(5));
  net.kill(2);
  net.run(seconds(1));
  net.start(2);
  net.learn(2, {}, net.node(0).address);
  net.run(seconds(60));
  EXPECT_TRUE(net.all_alive());
  EXPECT_EQ(net.count_changes(MemberState::kDead), 0u);
}

TEST(Fleet, a_node_whose_clock_went_back_while_it_was_off_is_heard_again) {
  TestNetwork net(5, 9);
  net.introduce_all();
  net.run(seconds(5));
  net.kill(2);
  ASSERT_TRUE(net.run_until([&] { return net.all_say(2, MemberState::kDead); }, seconds(60)));
  net.node(2).incarnation = 0;  // + 1000 at start: what it had before
  net.start(2);
  net.learn(2, {}, net.node(0).address);
  EXPECT_TRUE(net.run_until([&] { return net.all_alive(); }, seconds(30)));
}

TEST(Fleet, a_partition_heals) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    TestNetwork net(20, seed, {}, {0.01});
    net.introduce_all();
    net.run(seconds(5));
    for (std::size_t i = 0; i < 7; ++i) net.node(i).island = 1;
    net.run(seconds(300));
    EXPECT_EQ(net.state_at(0, 19), MemberState::kDead);
    EXPECT_EQ(net.state_at(19, 0), MemberState::kDead);
    EXPECT_EQ(net.state_at(0, 6), MemberState::kAlive);
    EXPECT_EQ(net.state_at(19, 12), MemberState::kAlive);
    for (std::size_t i = 0; i < 7; ++i) net.node(i).island = 0;
    EXPECT_TRUE(net.run_until([&] { return net.all_alive(); }, seconds(180))) << seed;
  }
}

TEST(Fleet, a_node_without_datagrams_is_kept_by_its_links) {
  TestNetwork net(10, 2);
  net.has_links = true;
  net.introduce_all();
  net.node(4).has_datagrams = false;
  net.run(seconds(600));
  EXPECT_EQ(net.count_changes(MemberState::kDead), 0u);
  net.kill(4);
  EXPECT_TRUE(net.run_until([&] { return net.all_say(4, MemberState::kDead); }, seconds(60)));
}

TEST(Fleet, a_node_that_was_stopped_for_an_hour_blames_nobody) {
  TestNetwork net(10, 12);
  net.introduce_all();
  net.run(seconds(30));
  // With a suspicion running at the moment it is stopped.
  net.step(
      3, PacketReceived{
             net.node(5).address,
             {TestNetwork::name(5),
              core::PacketNews{},
              {{TestNetwork::name(6), MemberState::kSuspect, 1000, TestNetwork::name(5), 0, {}}}}});
  ASSERT_EQ(net.state_at(3, 6), MemberState::kSuspect);
  net.node(3).stalled_until = net.now() + seconds(3600);
  net.run(seconds(3600));
  net.run(seconds(120));
  EXPECT_TRUE(net.all_alive());
  for (const auto& change : net.node(3).changes) {
    EXPECT_NE(change.what.state, MemberState::kDead) << change.what.why;
  }
}

TEST(Fleet, a_removed_node_stays_removed_whatever_stale_rumour_comes) {
  TestNetwork net(8, 11);
  net.introduce_all();
  net.run(seconds(5));
  const core::Rumour stale = rumour_of(net.node(1).membership->self(), net.now());
  net.kill(1);
  net.step(0, Removed{TestNetwork::name(1)});
  ASSERT_TRUE(net.run_until([&] { return net.all_say(1, MemberState::kLeft); }, seconds(10)));
  for (int i = 0; i < 20; ++i) {
    net.step(3, StateReceived{TestNetwork::name(5), {false, {stale}}});
    net.step(4,
             PacketReceived{"10.0.0.1:8750", {TestNetwork::name(1), core::PacketNews{}, {stale}}});
    net.run(seconds(60));
    ASSERT_TRUE(net.all_say(1, MemberState::kLeft));
  }
}

TEST(Fleet, tombstones_expire_together_and_nothing_brings_the_node_back) {
  Settings settings;
  settings.forget_dead_after = seconds(600);
  TestNetwork net(8, 13, settings);
  net.introduce_all();
  net.run(seconds(5));
  net.kill(1);
  net.run(seconds(300));
  net.start(7);  // a new life that learns of the tombstone only now
  net.learn(7, {}, net.node(0).address);
  net.run(seconds(60));
  ASSERT_TRUE(net.all_say(1, MemberState::kDead));
  net.run(seconds(320));
  for (std::size_t i : {0u, 2u, 3u, 4u, 5u, 6u, 7u}) EXPECT_FALSE(net.knows(i, 1)) << i;
  EXPECT_EQ(net.node(7).forgotten, std::vector<core::NodeId>{TestNetwork::name(1)});
  net.run(seconds(600));
  for (std::size_t i : {0u, 2u, 7u}) EXPECT_FALSE(net.knows(i, 1)) << i;
}

TEST(Fleet, a_quiet_fleet_tells_nothing_but_its_probes) {
  TestNetwork net(10, 14);
  net.introduce_all();
  net.run(seconds(60));
  const std::uint64_t before = net.node(4).datagrams;
  net.run(seconds(100));
  EXPECT_EQ(net.node(4).membership->news(), 0u);
  EXPECT_NEAR(static_cast<double>(net.node(4).datagrams - before), 200, 40);  // pings and acks
}

TEST(Fleet, load_is_told_at_a_bounded_rate_and_roles_at_once) {
  TestNetwork net(5, 15);
  net.introduce_all();
  net.run(seconds(40));
  core::MemberProfile profile = *net.node(1).membership->self().profile;
  const auto free_at = [&](std::size_t i) {
    return net.node(i).membership->members().find(TestNetwork::name(1))->profile->meta.free_bytes;
  };
  for (int second = 1; second <= 120; ++second) {
    profile.meta.free_bytes = static_cast<std::uint64_t>(second);
    net.step(1, ProfileChanged{profile});
    net.run(seconds(1));
  }
  const std::uint64_t incarnation = net.node(1).membership->self().standing.incarnation;
  EXPECT_LE(incarnation, 1000u + 5);  // 120 changes, told in four
  EXPECT_GT(free_at(3), 80u);
  profile.meta.roles = {"training"};
  net.step(1, ProfileChanged{profile});
  net.run(seconds(3));
  EXPECT_EQ(free_at(3), 120u);
  EXPECT_EQ(net.node(1).membership->self().standing.incarnation, incarnation + 1);
}

TEST(Fleet, the_same_seed_is_the_same_run) {
  const auto run = [](std::uint64_t seed) {
    TestNetwork net(12, seed, {}, {0.2});
    net.seed_all();
    net.run(seconds(60));
    net.kill(3);
    net.run(seconds(60));
    return net.history();
  };
  EXPECT_EQ(run(21), run(21));
  EXPECT_NE(run(21), run(22));
}

}  // namespace
}  // namespace syncline::membership
