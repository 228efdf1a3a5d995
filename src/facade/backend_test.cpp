#include "facade/backend.hpp"

#include <gtest/gtest.h>

namespace syncline::facade {
namespace {

using core::Priority;

struct Case {
  const char* name;
  bool prefer_ephemeral;
  Priority priority;
  std::vector<std::string> targets;
  Backend backend;
  const char* why;
};

TEST(Backend, is_chosen_by_the_rule_in_its_order) {
  const std::vector<Case> cases = {
      {"nothing special",
       false,
       Priority::kNormal,
       {},
       Backend::kHybrid,
       "nothing special was asked for"},
      {"low", false, Priority::kLow, {}, Backend::kHybrid, "nothing special was asked for"},
      {"background",
       false,
       Priority::kBackground,
       {},
       Backend::kHybrid,
       "nothing special was asked for"},
      {"targets", false, Priority::kNormal, {"a"}, Backend::kRouter, "1 target is named (a)"},
      {"more targets",
       false,
       Priority::kLow,
       {"a", "b"},
       Backend::kRouter,
       "2 targets are named (a and b)"},
      {"high", false, Priority::kHigh, {}, Backend::kBroadcast, "its priority is high"},
      {"critical before targets",
       false,
       Priority::kCritical,
       {"a"},
       Backend::kBroadcast,
       "its priority is critical"},
      {"ephemeral before all",
       true,
       Priority::kCritical,
       {"a"},
       Backend::kEphemeral,
       "the request prefers the ephemeral path"},
  };
  for (const Case& c : cases) {
    SyncRequest request;
    request.prefer_ephemeral = c.prefer_ephemeral;
    request.priority = c.priority;
    request.targets = c.targets;
    const BackendChoice choice = choose_backend(request, {});
    EXPECT_EQ(choice.backend, c.backend) << c.name;
    EXPECT_EQ(choice.why, c.why) << c.name;
  }
}

TEST(Backend, targets_fall_back_from_router_to_transfer_to_gossip) {
  SyncRequest request;
  request.targets = {"a"};
  const BackendChoice choice = choose_backend(request, {});
  EXPECT_EQ(next_backend(choice, Backend::kRouter), Backend::kTransfer);
  EXPECT_EQ(next_backend(choice, Backend::kTransfer), Backend::kHybrid);
  EXPECT_EQ(next_backend(choice, Backend::kHybrid), std::nullopt);
  EXPECT_EQ(next_backend(choice, Backend::kPull), std::nullopt);
}

TEST(Backend, no_order_names_a_backend_twice) {
  for (const bool prefer_ephemeral : {false, true}) {
    for (const Priority priority : {Priority::kNormal, Priority::kHigh}) {
      for (const bool has_targets : {false, true}) {
        SyncRequest request;
        request.prefer_ephemeral = prefer_ephemeral;
        request.priority = priority;
        if (has_targets) request.targets = {"a"};
        const BackendChoice choice = choose_backend(request, {});
        std::set<Backend> all(choice.fallbacks.begin(), choice.fallbacks.end());
        EXPECT_EQ(all.size(), choice.fallbacks.size());
        EXPECT_EQ(all.count(choice.backend), 0u);
        EXPECT_FALSE(choice.fallbacks.empty());
      }
    }
  }
}

TEST(Backend, broadcast_without_a_leader_gives_way_and_says_so) {
  SyncRequest request;
  request.priority = Priority::kHigh;
  BackendView view;
  view.has_leader = false;
  view.no_leader_why = "etcd is not reachable";
  const BackendChoice choice = choose_backend(request, view);
  EXPECT_EQ(choice.backend, Backend::kRouter);
  EXPECT_EQ(choice.why, "its priority is high; broadcast is passed over: etcd is not reachable");
}

TEST(Backend, asks_the_first_of_the_rule_when_nothing_can_work) {
  BackendView view;
  view.unavailable = {Backend::kHybrid, Backend::kRouter, Backend::kTransfer};
  const BackendChoice choice = choose_backend({}, view);
  EXPECT_EQ(choice.backend, Backend::kHybrid);
  EXPECT_EQ(choice.why, "nothing special was asked for; no backend can work now");
}

TEST(Backend, says_when_there_is_nobody_to_send_to) {
  BackendView view;
  view.has_peers = false;
  EXPECT_NE(choose_backend({}, view).why.find("no other node is alive"), std::string::npos);
}

TEST(Backend, is_read_by_name_and_a_mistyped_one_is_refused) {
  for (const Backend backend : {Backend::kHybrid, Backend::kBroadcast, Backend::kRouter,
                                Backend::kEphemeral, Backend::kPull, Backend::kTransfer}) {
    EXPECT_EQ(*parse_backend(to_string(backend)), backend);
  }
  EXPECT_EQ(parse_backend("brodcast").error().what,
            "there is no backend 'brodcast'; did you mean 'broadcast'?");
}

}  // namespace
}  // namespace syncline::facade
