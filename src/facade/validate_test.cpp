#include "facade/validate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace syncline::facade {
namespace {

Known fleet() {
  Known known;
  known.collections = {{core::CollectionName("games"), true, {"hex8_2p", "square19_4p"}},
                       {core::CollectionName("models"), false, {}},
                       {core::CollectionName("npz"), true, {}}};
  known.nodes = {"gpu-1", "gpu-2", "home", "spot-1"};
  known.transports = {"p2p", "ssh"};
  return known;
}

struct Case {
  const char* name;
  std::function<void(SyncRequest&)> change;
  core::ErrorKind kind;
  const char* what;
};

TEST(Validate, refuses_what_it_cannot_honour_and_says_what_to_do) {
  using core::ErrorKind;
  const std::vector<Case> cases = {
      {"no type", [](SyncRequest& r) { r.data_type = ""; }, ErrorKind::kInvalid,
       "no data type is named: give a collection or 'all'"},
      {"mistyped type", [](SyncRequest& r) { r.data_type = "game"; }, ErrorKind::kMissing,
       "there is no collection 'game'; did you mean 'games'? "
       "(known: games, models, npz and all)"},
      {"mistyped target", [](SyncRequest& r) { r.targets = {"gpu1"}; }, ErrorKind::kMissing,
       "there is no node 'gpu1'; did you mean 'gpu-1'? (known: gpu-1, gpu-2, home and spot-1)"},
      {"glob without a match", [](SyncRequest& r) { r.targets = {"cpu-*"}; }, ErrorKind::kMissing,
       "no node matches 'cpu-*' (known: gpu-1, gpu-2, home and spot-1)"},
      {"mistyped exclusion", [](SyncRequest& r) { r.exclude_nodes = {"hoem"}; },
       ErrorKind::kMissing,
       "there is no node 'hoem'; did you mean 'home'? (known: gpu-1, gpu-2, home and spot-1)"},
      {"empty name", [](SyncRequest& r) { r.targets = {""}; }, ErrorKind::kInvalid,
       "a node's name is empty"},
      {"target excluded",
       [](SyncRequest& r) {
         r.targets = {"home", "gpu-1"};
         r.exclude_nodes = {"gpu-1"};
       },
       ErrorKind::kInvalid, "'gpu-1' is both named as a target and excluded"},
      {"target excluded by glob",
       [](SyncRequest& r) {
         r.targets = {"gpu-1"};
         r.exclude_nodes = {"gpu-*"};
       },
       ErrorKind::kInvalid, "'gpu-1' is both named as a target and excluded by 'gpu-*'"},
      {"everybody excluded", [](SyncRequest& r) { r.exclude_nodes = {"*"}; }, ErrorKind::kInvalid,
       "every node that it could go to is excluded"},
      {"all targets of a glob excluded",
       [](SyncRequest& r) {
         r.targets = {"gpu-*"};
         r.exclude_nodes = {"gpu-1", "gpu-2"};
       },
       ErrorKind::kInvalid, "every node that it could go to is excluded"},
      {"no such key",
       [](SyncRequest& r) {
         r.board_type = "hex8";
         r.num_players = 3;
       },
       ErrorKind::kMissing,
       "there is no data with config key 'hex8_3p'; did you mean 'hex8_2p'? "
       "(known: hex8_2p and square19_4p)"},
      {"no such board", [](SyncRequest& r) { r.board_type = "chess"; }, ErrorKind::kMissing,
       "there is no data with config key 'chess_*' (known: hex8_2p and square19_4p)"},
      {"no such number of players", [](SyncRequest& r) { r.num_players = 3; }, ErrorKind::kMissing,
       "there is no data with config key '*_3p' (known: hex8_2p and square19_4p)"},
      {"players out of range", [](SyncRequest& r) { r.num_players = 0; }, ErrorKind::kInvalid,
       "the number of players must lie between 1 and 64, not 0"},
      {"a glob as a board", [](SyncRequest& r) { r.board_type = "hex*"; }, ErrorKind::kInvalid,
       "a board type is a name such as hex8, not 'hex*'"},
      {"board type of what has none",
       [](SyncRequest& r) {
         r.data_type = "models";
         r.board_type = "hex8";
       },
       ErrorKind::kInvalid,
       "models is not divided by board type or number of players, so 'hex8_*' cannot be picked "
       "out of it"},
      {"no time", [](SyncRequest& r) { r.timeout_s = 0; }, ErrorKind::kInvalid,
       "the timeout must be more than 0 s, not 0"},
      {"negative time", [](SyncRequest& r) { r.timeout_s = -5; }, ErrorKind::kInvalid,
       "the timeout must be more than 0 s, not -5"},
      {"no number", [](SyncRequest& r) { r.timeout_s = std::nan(""); }, ErrorKind::kInvalid,
       "the timeout must be more than 0 s, not unknown"},
      {"too long", [](SyncRequest& r) { r.timeout_s = 1e9; }, ErrorKind::kInvalid,
       "the timeout is at most 7 days (604800 s), not 1000000000 s"},
      {"negative bandwidth", [](SyncRequest& r) { r.bandwidth_limit_mbps = -1; },
       ErrorKind::kInvalid, "the bandwidth limit is 0 (as configured) or a number of MB/s, not -1"},
      {"transport that does not exist", [](SyncRequest& r) { r.transport = "shh"; },
       ErrorKind::kMissing,
       "there is no transport here called 'shh'; did you mean 'ssh'? (known: p2p and ssh)"},
      {"transport not built in", [](SyncRequest& r) { r.transport = "swarm"; }, ErrorKind::kMissing,
       "there is no transport here called 'swarm' (known: p2p and ssh)"},
  };
  for (const Case& c : cases) {
    SyncRequest request;
    request.data_type = "games";
    c.change(request);
    const core::Status status = validate(request, fleet());
    ASSERT_FALSE(status.ok()) << c.name;
    EXPECT_EQ(status.error().kind, c.kind) << c.name;
    EXPECT_EQ(status.error().what, c.what) << c.name;
  }
}

TEST(Validate, accepts_what_can_be_honoured) {
  const std::vector<std::function<void(SyncRequest&)>> changes = {
      [](SyncRequest&) {},
      [](SyncRequest& r) { r.data_type = "all"; },
      [](SyncRequest& r) {
        r.targets = {"gpu-*", "home"};
      },
      [](SyncRequest& r) {
        r.targets = {"gpu-*"};
        r.exclude_nodes = {"gpu-1"};
      },
      [](SyncRequest& r) { r.board_type = "hex8"; },
      [](SyncRequest& r) { r.num_players = 4; },
      [](SyncRequest& r) {
        r.data_type = "all";
        r.board_type = "hex8";
        r.num_players = 2;
      },
      [](SyncRequest& r) {  // nothing of it was seen yet: nothing to do, and that is no error
        r.data_type = "npz";
        r.board_type = "hex8";
      },
      [](SyncRequest& r) { r.transport = "ssh"; },
      [](SyncRequest& r) { r.bandwidth_limit_mbps = 12.5; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    SyncRequest request;
    request.data_type = "games";
    changes[i](request);
    const core::Status status = validate(request, fleet());
    EXPECT_TRUE(status.ok()) << i << ": " << (status.ok() ? "" : status.error().what);
  }
}

TEST(Validate, nothing_can_be_synced_where_nothing_is_configured) {
  SyncRequest request;
  request.data_type = "all";
  EXPECT_FALSE(validate(request, {}).ok());
}

TEST(Validate, turns_globs_into_nodes_and_takes_the_excluded_out) {
  SyncRequest request;
  request.data_type = "games";
  request.targets = {"gpu-*", "home", "home"};
  request.exclude_nodes = {"*-2"};
  const SyncRequest plain = resolved(request, fleet());
  EXPECT_EQ(plain.targets, (std::vector<std::string>{"gpu-1", "home"}));
  EXPECT_EQ(plain.exclude_nodes, (std::vector<std::string>{"gpu-2"}));
}

TEST(Validate, restricts_to_config_keys_by_board_by_players_or_by_both) {
  SyncRequest request;
  EXPECT_EQ(config_key_pattern(request), "");
  EXPECT_TRUE(is_config_key_asked(request, core::ConfigKey("hex8_2p")));
  request.board_type = "square_19";
  EXPECT_EQ(config_key_pattern(request), "square_19_*");
  EXPECT_EQ(config_key_of(request), core::ConfigKey());
  EXPECT_TRUE(is_config_key_asked(request, core::ConfigKey("square_19_3p")));
  EXPECT_FALSE(is_config_key_asked(request, core::ConfigKey("square_2p")));
  request.num_players = 2;
  EXPECT_EQ(config_key_of(request), core::ConfigKey("square_19_2p"));
  EXPECT_TRUE(is_config_key_asked(request, core::ConfigKey("square_19_2p")));
  EXPECT_FALSE(is_config_key_asked(request, core::ConfigKey("square_19_22p")));
  request.board_type = "";
  EXPECT_EQ(config_key_pattern(request), "*_2p");
  EXPECT_TRUE(is_config_key_asked(request, core::ConfigKey("hex8_2p")));
  EXPECT_FALSE(is_config_key_asked(request, core::ConfigKey("hex8_12p")));
  EXPECT_FALSE(is_config_key_asked(request, core::ConfigKey("hex8")));
}

}  // namespace
}  // namespace syncline::facade
