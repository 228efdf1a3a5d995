#include "routing/router.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "routing/test_fleet.hpp"

namespace syncline::routing {
namespace {

using Change = std::function<void(NodeView&)>;
using Ids = std::vector<std::string>;

Ids texts(const std::vector<core::NodeId>& nodes) {
  Ids ids;
  for (const core::NodeId& id : nodes) ids.push_back(id.text);
  return ids;
}

facade::RouteVerdict verdict_on(const Router& router, const Job& job, const std::string& id) {
  for (const auto& verdict : router.explain_targets(job)) {
    if (verdict.node == id) return verdict;
  }
  ADD_FAILURE() << "no verdict for " << id;
  return {};
}

// ── points ──────────────────────────────────────────────────────────────────────────────────────

struct ScoreCase {
  const char* name;
  Change change;
  double difference;
  const char* said;
};

TEST(Router, gives_each_target_the_points_of_the_rule_and_says_them) {
  const core::CollectionName games("games");
  const std::vector<ScoreCase> cases = {
      {"training runs", [](NodeView& n) { n.is_training = true; }, 50,
       "a training job runs there +50"},
      {"training role", [](NodeView& n) { n.roles.push_back("training"); }, 30,
       "training role +30"},
      {"priority", [](NodeView& n) { n.is_priority_host = true; }, 20, "priority host +20"},
      {"roomy disk", [](NodeView& n) { n.disk.free_bytes = 590 * kGb; }, 10, "disk 41 % used +10"},
      {"disk at its target", [](NodeView& n) { n.disk.free_bytes = 400 * kGb; }, 0, ""},
      {"disk above its target", [](NodeView& n) { n.disk.free_bytes = 350 * kGb; }, -20,
       "disk 65 % used (target 60 %) -20"},
      {"spot", [](NodeView& n) { n.is_ephemeral = true; }, -15, "spot node -15"},
      {"quality", [&](NodeView& n) { n.collections[games].quality = 0.5; }, 15, "quality 0.5 +15"},
      {"quality beyond its range", [&](NodeView& n) { n.collections[games].quality = 7; }, 30,
       "+30"},
      {"synced half an hour ago",
       [&](NodeView& n) {
         n.collections[games].synced_at = core::Instant{core::seconds(100'000 - 1800)};
       },
       15 - 30, "last synced 30 min ago +15"},
      {"synced two hours ago",
       [&](NodeView& n) {
         n.collections[games].synced_at = core::Instant{core::seconds(100'000 - 7200)};
       },
       0, "last synced 2 h ago +30"},
      {"synced just now",
       [&](NodeView& n) { n.collections[games].synced_at = core::Instant{core::seconds(100'000)}; },
       -30, ""},
      {"a clock that is ahead",
       [&](NodeView& n) { n.collections[games].synced_at = core::Instant{core::seconds(200'000)}; },
       -30, ""},
      {"fast link", [](NodeView& n) { n.bandwidth_mbps = 1000; }, 5, "1000 MB/s +10"},
      {"link by provider", [](NodeView& n) { n.bandwidth_mbps = 0; }, 3, "80 MB/s assumed +8"},
      {"failures",
       [](NodeView& n) {
         n.history = {3, 2};
       },
       -10, "2 of its last 5 transfers failed -10"},
      {"a suspect disk size", [](NodeView& n) { n.disk = {}; }, 0, ""},
  };
  const NodeView base = plain_node("a", {"backup"});
  const double points = verdict_on(router_of({base}), games_job(), "a").score;
  EXPECT_DOUBLE_EQ(points, 50 + 30 + 5);  // base, never synced, 50 MB/s
  for (const ScoreCase& c : cases) {
    NodeView node = base;
    c.change(node);
    const auto verdict = verdict_on(router_of({node}), games_job(), "a");
    EXPECT_TRUE(verdict.is_chosen) << c.name << ": " << verdict.reason;
    EXPECT_DOUBLE_EQ(verdict.score - points, c.difference) << c.name << ": " << verdict.reason;
    EXPECT_NE(verdict.reason.find(c.said), std::string::npos) << c.name << ": " << verdict.reason;
  }
}

TEST(Router, gives_each_source_the_points_of_the_rule) {
  const core::CollectionName games("games");
  const std::vector<ScoreCase> cases = {
      {"self-play", [](NodeView& n) { n.is_selfplay = true; }, 100, "a self-play job runs there"},
      {"newest", [&](NodeView& n) { n.collections[games].holds_newest = true; }, 100, "newest"},
      {"both count once",
       [&](NodeView& n) {
         n.is_selfplay = true;
         n.collections[games].holds_newest = true;
       },
       100, "newest"},
      {"training", [](NodeView& n) { n.is_training = true; }, 50, "training job"},
      {"spot", [](NodeView& n) { n.is_ephemeral = true; }, 20, "before it is gone +20"},
      {"draining", [](NodeView& n) { n.is_draining = true; }, 40, "before it is gone +40"},
      {"suspect", [](NodeView& n) { n.liveness = Liveness::kSuspect; }, -50, "did not answer"},
  };
  for (const ScoreCase& c : cases) {
    NodeView node = plain_node("a");
    c.change(node);
    const Router router = router_of({node, plain_node("b")});
    const auto verdicts =
        router.explain_sources({games, 0, core::NodeId("b"), {node.id}, {}, false, {}});
    ASSERT_EQ(verdicts.size(), 2u);
    EXPECT_EQ(verdicts[0].node, "a");
    EXPECT_DOUBLE_EQ(verdicts[0].score, 5 + 5 + c.difference) << c.name;  // 50 MB/s, provider
    EXPECT_NE(verdicts[0].reason.find(c.said), std::string::npos) << verdicts[0].reason;
    EXPECT_EQ(verdicts[1].reason, "it is the one that asks");
  }
}

TEST(Router, a_source_must_hold_what_is_asked_for) {
  const Router router = router_of({plain_node("a"), plain_node("b"), plain_node("c")});
  const Pull pull{
      core::CollectionName("games"), 0, core::NodeId("a"), {core::NodeId("b")}, {}, false, {}};
  EXPECT_EQ(texts(router.source_ids(pull)), (Ids{"b"}));
  EXPECT_EQ(router.explain_sources(pull).back().reason, "it holds nothing of what is asked for");
}

TEST(Router, adds_points_for_the_same_provider_as_the_source) {
  auto other = plain_node("b");
  other.domain.provider = "lambda";
  const Router router = router_of({plain_node("a"), other, plain_node("c")});
  Job job = games_job();
  job.from = core::NodeId("c");
  EXPECT_DOUBLE_EQ(verdict_on(router, job, "a").score - verdict_on(router, job, "b").score, 5);
  EXPECT_NE(verdict_on(router, job, "a").reason.find("same provider (hetzner) +5"),
            std::string::npos);
}

// ── eligibility ─────────────────────────────────────────────────────────────────────────────────

struct BlockCase {
  const char* name;
  Change change;
  std::function<void(Job&, Policy&)> ask;
  const char* reason;
};

TEST(Router, leaves_out_who_must_not_take_part_and_says_why) {
  const auto nothing = [](Job&, Policy&) {};
  const auto keep = [](NodeView&) {};
  const std::vector<BlockCase> cases = {
      {"dead", [](NodeView& n) { n.liveness = Liveness::kDead; }, nothing,
       "it is dead: nothing was heard from it for too long"},
      {"left", [](NodeView& n) { n.liveness = Liveness::kLeft; }, nothing, "it has left the fleet"},
      {"suspect", [](NodeView& n) { n.liveness = Liveness::kSuspect; }, nothing,
       "it did not answer lately and is suspected to be dead"},
      {"draining", [](NodeView& n) { n.is_draining = true; }, nothing,
       "it is about to stop and takes nothing more"},
      {"skip_sync_receive", [](NodeView& n) { n.receives = false; }, nothing,
       "it is configured to receive nothing"},
      {"agentless", [](NodeView& n) { n.has_daemon = false; }, nothing,
       "no daemon runs there, and only whole files can go over SSH"},
      {"role",
       [](NodeView& n) {
         n.roles = {"selfplay", "voter"};
       },
       nothing, "its role is selfplay and voter; games is for training or backup"},
      {"no role", [](NodeView& n) { n.roles = {}; }, nothing,
       "it has no role; games is for training or backup"},
      {"node", keep, [](Job&, Policy& p) { p.placement.nodes = {"gpu-*"}; },
       "games is placed on gpu-* only (placement.nodes)"},
      {"excluded node", keep, [](Job&, Policy& p) { p.placement.exclude_nodes = {"a*"}; },
       "games is configured to exclude it (placement.exclude_nodes)"},
      {"config key", keep,
       [](Job& j, Policy& p) {
         p.placement.config_keys = {"hex8_*"};
         j.config_key = core::ConfigKey("square8_2p");
       },
       "games is placed for hex8_* only, not for square8_2p"},
      {"not named", keep, [](Job& j, Policy&) { j.only = {core::NodeId("z")}; },
       "not among the targets of the request"},
      {"excluded by the request", keep, [](Job& j, Policy&) { j.exclude = {"a"}; },
       "excluded by the request"},
      {"the source", keep, [](Job& j, Policy&) { j.from = core::NodeId("a"); },
       "the data comes from it"},
      {"same storage", [](NodeView& n) { n.domain.storage = "disk-z"; },
       [](Job& j, Policy&) { j.from = core::NodeId("z"); },
       "it shares the storage disk-z with the source: the data is there already"},
      {"not linked", [](NodeView& n) { n.is_linked = false; },
       [](Job& j, Policy&) { j.is_link_required = true; }, "there is no connection to it now"},
      {"full now", [](NodeView& n) { n.disk.free_bytes = 170 * kGb; }, nothing,
       "its disk is 83 % full; the limit is 70 %"},
      {"full with the job", keep, [](Job& j, Policy&) { j.bytes = 300 * kGb; },
       "its disk would be 80 % full with these 300 GB; the limit is 70 %"},
      {"too little left", keep,
       [](Job& j, Policy& p) {
         p.disk.used_max_percent = 99;
         j.bytes = 400 * kGb;
       },
       "its disk would have 100 GB free with these 400 GB; 150 GB must stay free"},
      {"too few bytes left", keep,
       [](Job& j, Policy& p) {
         p.disk.free_min_bytes = 450 * kGb;
         j.bytes = 60 * kGb;
       },
       "its disk would have 440 GB free with these 60 GB; 450 GB must stay free"},
  };
  for (const BlockCase& c : cases) {
    NodeView node = plain_node("a");
    c.change(node);
    Policy policy = games_policy();
    Job job = games_job();
    c.ask(job, policy);
    const Router router = router_of({node, plain_node("z")}, policy);
    const auto verdict = verdict_on(router, job, "a");
    EXPECT_FALSE(verdict.is_chosen) << c.name;
    EXPECT_EQ(verdict.reason, c.reason) << c.name;
    EXPECT_EQ(verdict.score, 0) << c.name;
  }
}

// Five days without sync: one disk at 83 % stopped the whole fleet.
TEST(Router, leaves_out_a_full_disk_but_keeps_the_rest_of_the_fleet) {
  auto full = plain_node("b");
  full.disk.free_bytes = 170 * kGb;
  const Router router = router_of({plain_node("a"), full, plain_node("c")});
  EXPECT_EQ(texts(router.target_ids(games_job())), (Ids{"a", "c"}));
}

TEST(Router, judges_a_disk_by_the_job_and_not_by_its_name) {
  auto tight = plain_node("a");
  tight.disk.free_bytes = 310 * kGb;  // 69 % used
  const Router router = router_of({tight, plain_node("b")});
  Job job = games_job();
  job.bytes = 2048;
  EXPECT_EQ(texts(router.target_ids(job)), (Ids{"b", "a"}));
  job.bytes = 20 * kGb;
  EXPECT_EQ(texts(router.target_ids(job)), (Ids{"b"}));
}

TEST(Router, takes_a_person_at_their_word_but_not_a_dead_or_full_node) {
  auto player = plain_node("player", {"selfplay"});
  auto dead = plain_node("dead", {"selfplay"});
  dead.liveness = Liveness::kDead;
  const Router router = router_of({dead, player});
  Job job = games_job();
  job.only = {core::NodeId("player"), core::NodeId("dead")};
  EXPECT_TRUE(router.target_ids(job).empty());
  job.is_placement_waived = true;
  EXPECT_EQ(texts(router.target_ids(job)), (Ids{"player"}));
}

TEST(Router, lets_whole_files_go_to_agentless_nodes) {
  auto agentless = plain_node("a");
  agentless.has_daemon = false;
  Policy policy = games_policy();
  policy.kind = core::Kind::kFiles;
  EXPECT_EQ(texts(router_of({agentless}, policy).target_ids(games_job())), (Ids{"a"}));
}

TEST(Router, has_a_verdict_for_every_node_and_orders_them) {
  auto dead = plain_node("b");
  dead.liveness = Liveness::kDead;
  auto best = plain_node("c");
  best.is_training = true;
  const Router router = router_of({plain_node("a"), dead, best});
  const auto verdicts = router.explain_targets(games_job(), 1);
  ASSERT_EQ(verdicts.size(), 3u);
  EXPECT_EQ(verdicts[0].node, "c");
  EXPECT_TRUE(verdicts[0].is_chosen);
  EXPECT_EQ(verdicts[1].node, "a");
  EXPECT_FALSE(verdicts[1].is_chosen);
  EXPECT_EQ(verdicts[1].reason.rfind("enough others rank higher (base +50", 0), 0u);
  EXPECT_EQ(verdicts[2].node, "b");
}

TEST(Router, answers_nothing_for_a_collection_without_a_policy) {
  Job job = games_job();
  job.collection = core::CollectionName("nothing");
  EXPECT_TRUE(router_of({plain_node("a")}).targets(job).empty());
}

TEST(Router, follows_changes_of_nodes_and_policies) {
  Router router = router_of({plain_node("b"), plain_node("a")});
  EXPECT_EQ(texts(router.target_ids(games_job())), (Ids{"a", "b"}));
  NodeView better = plain_node("b");
  better.is_training = true;
  router.put(better);
  EXPECT_EQ(texts(router.target_ids(games_job())), (Ids{"b", "a"}));
  router.put(plain_node("0"));
  router.remove(core::NodeId("a"));
  router.remove(core::NodeId("never was"));
  EXPECT_EQ(texts(router.target_ids(games_job())), (Ids{"b", "0"}));
  Policy policy = games_policy();
  policy.placement.nodes = {"0"};
  router.set_policy(policy);
  EXPECT_EQ(texts(router.target_ids(games_job())), (Ids{"0"}));
  EXPECT_EQ(router.find(core::NodeId("a")), nullptr);
}

}  // namespace
}  // namespace syncline::routing
