// The older names, each a call of the client against the real server.
#include <gtest/gtest.h>

#include "http/server_fixture.hpp"
#include "syncline/compat/auto_sync_daemon.hpp"
#include "syncline/compat/cluster_data_sync_daemon.hpp"
#include "syncline/compat/ephemeral_sync_daemon.hpp"
#include "syncline/compat/sync_coordinator.hpp"
#include "syncline/compat/sync_orchestrator.hpp"
#include "syncline/compat/sync_router.hpp"
#include "syncline/compat/sync_scheduler.hpp"
#include "syncline/compat/unified_data_sync.hpp"

// tests/process/compat_headers_test.py shows that each of them warns.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace syncline::compat {
namespace {

class CompatTest : public http::ServerTest {
 protected:
  void SetUp() override {
    http::ServerTest::SetUp();
    start();
    facade::SyncResponse done;
    done.success = true;
    done.nodes_synced = {"a"};
    api_.sync_answer = done;
    api_.flush_answer = facade::FlushReport{};
  }
  Client client() { return *Client::connect("unix:" + socket()); }

  // What the daemon was asked for, when `answer` is its answer.
  std::string asked_by(const Result<SyncResponse>& answer) {
    if (!answer) return answer.error().what;
    EXPECT_TRUE(answer->success);
    EXPECT_EQ(answer->nodes_synced, (std::vector<std::string>{"a"}));
    return api_.asked.data_type;
  }
};

TEST_F(CompatTest, coordinator_syncs_each_type) {
  const Client asked = client();
  const SyncCoordinator coordinator(asked);
  EXPECT_EQ(asked_by(coordinator.sync_games()), "games");
  EXPECT_EQ(asked_by(coordinator.sync_models()), "models");
  EXPECT_EQ(asked_by(coordinator.sync_training_data()), "npz");
  EXPECT_EQ(asked_by(coordinator.full_cluster_sync()), "all");
}

TEST_F(CompatTest, arguments_of_a_request_are_kept) {
  const Client asked = client();
  SyncRequest request;
  request.targets = {"a"};
  request.board_type = "hex8";
  request.num_players = 2;
  EXPECT_EQ(asked_by(SyncCoordinator(asked).sync_games(request)), "games");
  EXPECT_EQ(api_.asked.targets, request.targets);
  EXPECT_EQ(api_.asked.board_type, "hex8");
  EXPECT_EQ(api_.asked.num_players, 2);
}

TEST_F(CompatTest, scheduler_reports_and_syncs_with_high_priority) {
  api_.status_answer.node = "home";
  api_.freshness_answer.resize(2);
  const Client asked = client();
  const SyncScheduler scheduler(asked);
  EXPECT_EQ(scheduler.get_cluster_data_status()->node, "home");
  EXPECT_EQ(scheduler.get_sync_recommendations()->size(), 2u);
  EXPECT_EQ(asked_by(scheduler.schedule_priority_sync("models")), "models");
  EXPECT_EQ(api_.asked.priority, core::Priority::kHigh);
}

TEST_F(CompatTest, orchestrator_and_collecting_service_sync_everything) {
  const Client asked = client();
  const SyncOrchestrator orchestrator(asked);
  EXPECT_EQ(asked_by(orchestrator.sync_all()), "all");
  EXPECT_EQ(asked_by(orchestrator.sync_data()), "games");
  EXPECT_EQ(asked_by(orchestrator.sync_models()), "models");
  EXPECT_EQ(asked_by(orchestrator.sync_elo()), "elo");
  EXPECT_EQ(asked_by(orchestrator.sync_registry()), "registry");
  EXPECT_EQ(asked_by(UnifiedDataSyncService(asked).sync_once()), "all");
}

TEST_F(CompatTest, daemons_start_nothing_and_say_whether_one_serves) {
  const Client asked = client();
  EXPECT_TRUE(*UnifiedDataSyncService(asked).start());
  EXPECT_TRUE(*AutoSyncDaemon(asked).start());
  EXPECT_TRUE(*EphemeralSyncDaemon(asked).start());
  api_.is_ready_answer = false;
  EXPECT_FALSE(*ClusterDataSyncDaemon(asked).start());
}

TEST_F(CompatTest, auto_and_cluster_daemons_sync_games) {
  const Client asked = client();
  EXPECT_EQ(asked_by(AutoSyncDaemon(asked).sync_now()), "games");
  EXPECT_EQ(api_.asked.priority, core::Priority::kNormal);
  EXPECT_EQ(asked_by(ClusterDataSyncDaemon(asked).trigger_sync()), "games");
  EXPECT_EQ(api_.asked.priority, core::Priority::kHigh);
}

TEST_F(CompatTest, router_answers_the_chosen_nodes_best_first) {
  facade::RouteReport route;
  route.verdicts.push_back({"a", true, 90, "training role +30", "p2p"});
  route.verdicts.push_back({"b", false, 0, "its disk is full", ""});
  route.verdicts.push_back({"c", true, 50, "base 50", "p2p"});
  api_.route_answer = route;
  const Client asked = client();
  const SyncRouter router(asked);
  const auto targets = router.get_sync_targets("npz");
  ASSERT_TRUE(targets) << targets.error().what;
  ASSERT_EQ(targets->size(), 2u);
  EXPECT_EQ(targets->at(1).node, "c");
  EXPECT_EQ(api_.asked.data_type, "npz");
  EXPECT_TRUE(*router.should_sync_to_node("c", "npz"));
  EXPECT_FALSE(*router.should_sync_to_node("b", "npz"));
  api_.route_answer = core::Error{core::ErrorKind::kMissing, "no such collection", "npz"};
  EXPECT_EQ(router.should_sync_to_node("c", "npz").error().kind, ErrorKind::kMissing);
}

TEST_F(CompatTest, ephemeral_daemon_notifies_flushes_and_prefers_its_path) {
  const Client asked = client();
  const EphemeralSyncDaemon daemon(asked);
  EXPECT_TRUE(daemon.on_game_complete("g-1"));
  EXPECT_EQ(api_.notified["game-completed"]["game_id"], "g-1");
  EXPECT_FALSE(daemon.write_through(2)->is_durable);
  EXPECT_EQ(api_.flush_deadline, core::seconds(2));
  EXPECT_TRUE(daemon.final_sync());
  EXPECT_EQ(api_.flush_deadline, core::seconds(30));
  EXPECT_EQ(asked_by(daemon.sync_now()), "games");
  EXPECT_TRUE(api_.asked.prefer_ephemeral);
}

}  // namespace
}  // namespace syncline::compat
