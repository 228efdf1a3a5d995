#include "collecting/collector.hpp"

#include <gtest/gtest.h>

#include "core/sha256.hpp"

namespace syncline::collecting {
namespace {

using core::CollectionName;
using core::Error;
using core::ErrorKind;
using core::Instant;
using core::milliseconds;
using core::NodeId;
using core::seconds;

const NodeId kHost("h");
const CollectionName kGames("games");
const CollectionName kModels("models");

core::Config config_of(std::map<std::string, std::string> collect,
                       std::map<std::string, std::string> deliver = {}) {
  core::Config config;
  core::CollectionConfig games;
  games.name = kGames;
  games.kind = core::Kind::kSqlite;
  games.include = {"**/*.db"};
  core::CollectionConfig models;
  models.name = kModels;
  models.stable_ms = 1000;
  config.collections = {games, models};
  core::AgentlessConfig host;
  host.name = kHost;
  host.collect = std::move(collect);
  host.deliver = std::move(deliver);
  host.every_s = 60;
  host.pause_max_s = 200;
  config.agentless = {host};
  return config;
}

// Steps a collector by hand: what is asked for is answered by the test.
struct Rig {
  explicit Rig(core::Config c, Memory memory = {})
      : config(std::move(c)), collector(config, std::move(memory), 4, now) {}

  Actions step(const Event& event) {
    Actions out;
    collector.step(event, now, out);
    return out;
  }
  // A look at the collection that finds these; what it calls for.
  Actions list(const CollectionName& name, std::vector<FileThere> there,
               std::vector<FileHere> here = {}) {
    const Actions begun = step(Tick{});
    EXPECT_EQ(begun, (Actions{List{kHost, name}}));
    return step(Listed{kHost, name, std::move(there), std::move(here)});
  }
  void pass(core::Duration time) { now = now + time; }

  core::Config config;
  Instant now;
  Collector collector;
};

template <typename T>
std::vector<T> only(const Actions& actions) {
  std::vector<T> out;
  for (const Action& action : actions) {
    if (const T* one = std::get_if<T>(&action)) out.push_back(*one);
  }
  return out;
}

FileHere here(const std::string& path, const std::string& content, std::int64_t mtime_ms) {
  return {path, core::sha256(content), content.size(), mtime_ms};
}

TEST(Collector, copies_a_database_when_it_or_its_log_has_changed_and_not_otherwise) {
  Rig rig(config_of({{"games", "/g"}}));
  const FileId file{kHost, kGames, "a.db"};
  const Stamp first{4096, 1000, 8000, 1100};
  const std::vector<FileThere> there = {{"a.db", 4096, 1000},
                                        {"a.db-wal", 8000, 1100},
                                        {"a.db-shm", 32768, 1100},
                                        {"notes.txt", 1, 1}};

  EXPECT_EQ(rig.list(kGames, there), (Actions{Take{file, first, true, false, {}}}));
  EXPECT_EQ(rig.step(Copied{file, {first, {}}, 5000, ""}), (Actions{Remember{kHost}}));
  EXPECT_EQ(rig.collector.next_wake(), rig.now + seconds(60));

  rig.pass(seconds(60));
  EXPECT_TRUE(rig.list(kGames, there).empty());

  rig.pass(seconds(60));
  auto changed = there;
  changed[1].size_bytes = 12000;  // only its log grew
  EXPECT_EQ(rig.list(kGames, changed),
            (Actions{Take{file, {4096, 1000, 12000, 1100}, true, false, {}}}));
}

TEST(Collector, takes_a_file_only_once_it_has_stood_still) {
  Rig rig(config_of({{"models", "/m"}}));
  const FileId file{kHost, kModels, "a.pth"};
  EXPECT_TRUE(rig.list(kModels, {{"a.pth", 100, 1000}}).empty());
  EXPECT_EQ(rig.collector.hosts().at(kHost).unstable, 1u);
  EXPECT_EQ(rig.collector.next_wake(), rig.now + milliseconds(1000)) << "not a whole minute";

  rig.pass(milliseconds(1000));
  EXPECT_TRUE(rig.list(kModels, {{"a.pth", 200, 2000}}).empty()) << "it has grown";
  rig.pass(milliseconds(1000));
  EXPECT_EQ(rig.list(kModels, {{"a.pth", 200, 2000}}),
            (Actions{Take{file, {200, 2000, 0, 0}, false, true, {}}}));
}

TEST(Collector, never_lets_an_older_file_there_replace_a_younger_one_here) {
  struct Case {
    const char* what;
    std::int64_t mtime_there;
    std::optional<FileHere> here;
    std::optional<Taken> memory;
    bool is_taken;
    bool is_told;
  };
  const Taken ours{{100, 1'000'000, 0, 0}, core::sha256("ours")};
  const FileHere as_taken{"a.pth", ours.root, 100, 5'000'000};
  const Case cases[] = {
      {"nothing here", 2'000'000, {}, {}, true, false},
      {"older there", 2'000'000, here("a.pth", "x", 3'000'000), {}, false, true},
      {"younger there", 4'000'000, here("a.pth", "x", 3'000'000), {}, true, false},
      {"what was taken from there", 2'000'000, as_taken, ours, true, false},
      {"replaced here since", 2'000'000, here("a.pth", "x", 3'000'000), ours, false, true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    Memory memory;
    if (c.memory) memory[{kHost, kModels, "a.pth"}] = *c.memory;
    Rig rig(config_of({{"models", "/m"}}), memory);
    const std::vector<FileThere> there = {{"a.pth", 100, c.mtime_there}};
    std::vector<FileHere> mine;
    if (c.here) mine.push_back(*c.here);
    Actions out = rig.list(kModels, there, mine);
    if (out.empty() && c.is_taken) {
      rig.pass(seconds(1));
      out = rig.list(kModels, there, mine);
    }
    EXPECT_EQ(only<Take>(out).size(), c.is_taken ? 1u : 0u);
    EXPECT_EQ(!rig.collector.hosts().at(kHost).problems.empty(), c.is_told);
  }
}

TEST(Collector, gives_what_is_not_there_and_never_overwrites_what_others_wrote) {
  struct Case {
    const char* what;
    std::vector<FileThere> there;
    std::optional<Taken> memory;
    bool is_given;
    bool is_told;
  };
  const core::Root root = core::sha256("model");
  const Taken same{{5, 1000, 0, 0}, root};
  const Taken older{{4, 1000, 0, 0}, core::sha256("older")};
  const Case cases[] = {
      {"nothing there", {}, {}, true, false},
      {"given before", {{"a.pth", 5, 1000}}, same, false, false},
      {"given before and removed there", {}, same, true, false},
      {"given in an older version", {{"a.pth", 4, 1000}}, older, true, false},
      {"written there since", {{"a.pth", 9, 9000}}, older, false, true},
      {"written there", {{"a.pth", 9, 9000}}, {}, false, true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    Memory memory;
    if (c.memory) memory[{kHost, kModels, "a.pth"}] = *c.memory;
    Rig rig(config_of({}, {{"models", "/m"}}), memory);
    const Actions out = rig.list(kModels, c.there, {{"a.pth", root, 5, 777}});
    EXPECT_EQ(only<Give>(out).size(), c.is_given ? 1u : 0u);
    EXPECT_EQ(!rig.collector.hosts().at(kHost).problems.empty(), c.is_told);
  }
}

TEST(Collector, waits_longer_for_a_host_that_does_not_answer_and_says_so_once) {
  Rig rig(config_of({{"games", "/g"}}));
  const Error gone{ErrorKind::kUnreachable, "h refuses connections", ""};
  std::vector<int> pauses;
  std::size_t said = 0;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(rig.step(Tick{}), (Actions{List{kHost, kGames}}));
    said += only<Say>(rig.step(Failed{kHost, kGames, "", gone})).size();
    const core::Duration pause = *rig.collector.next_wake() - rig.now;
    pauses.push_back(static_cast<int>(core::to_seconds(pause)));
    rig.pass(pause);
  }
  EXPECT_EQ(pauses, (std::vector<int>{60, 120, 200, 200}));
  EXPECT_EQ(said, 1u);
  EXPECT_EQ(only<Say>(rig.list(kGames, {})), (std::vector<Say>{{kHost, true, "answers again"}}));
  EXPECT_EQ(rig.collector.next_wake(), rig.now + seconds(60));
}

TEST(Collector, leaves_a_host_alone_while_its_own_daemon_is_linked) {
  Rig rig(config_of({{"games", "/g"}}));
  rig.step(DaemonSeen{kHost, true});
  EXPECT_TRUE(rig.step(Tick{}).empty());
  EXPECT_EQ(rig.collector.next_wake(), std::nullopt);
  const auto ended = only<LookEnded>(rig.step(LookWanted{7, {}}));
  ASSERT_EQ(ended.size(), 1u) << "nobody waits for it";
  EXPECT_EQ(ended[0].problems.count(kHost), 1u) << "and nobody takes it for done";
  rig.pass(seconds(600));
  EXPECT_TRUE(rig.step(DaemonSeen{kHost, false}).empty());
  EXPECT_EQ(rig.collector.next_wake(), rig.now + seconds(60)) << "it may be back in a moment";
  rig.pass(seconds(60));
  EXPECT_EQ(rig.step(Tick{}), (Actions{List{kHost, kGames}}));
}

TEST(Collector, a_request_that_waits_for_a_host_is_answered_when_its_daemon_comes) {
  Rig rig(config_of({{"games", "/g"}}));
  EXPECT_EQ(rig.step(Tick{}), (Actions{List{kHost, kGames}}));
  EXPECT_TRUE(rig.step(LookWanted{7, {}}).empty());
  const auto ended = only<LookEnded>(rig.step(DaemonSeen{kHost, true}));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].problems.count(kHost), 1u) << "what was asked of it was not done";
  EXPECT_TRUE(rig.step(Listed{kHost, kGames, {}, {}}).empty()) << "the look under way ends";
}

TEST(Collector, goes_on_with_the_next_file_when_one_fails) {
  Rig rig(config_of({{"games", "/g"}}));
  const auto first = rig.list(kGames, {{"a.db", 10, 1}, {"b.db", 20, 1}});
  ASSERT_EQ(only<Take>(first).size(), 1u) << "one at a time";
  const Error locked{ErrorKind::kOverloaded, "the database stayed locked", "a.db"};
  const auto second = rig.step(Failed{kHost, kGames, "a.db", locked});
  ASSERT_EQ(only<Take>(second).size(), 1u);
  EXPECT_EQ(only<Take>(second)[0].file.path, "b.db");
  rig.step(Copied{only<Take>(second)[0].file, {only<Take>(second)[0].stamp, {}}, 20, ""});
  EXPECT_EQ(rig.collector.hosts().at(kHost).problems.size(), 1u);
  EXPECT_EQ(rig.collector.hosts().at(kHost).taken, 1u);

  rig.pass(seconds(60));
  const auto again = rig.list(kGames, {{"a.db", 10, 1}, {"b.db", 20, 1}});
  ASSERT_EQ(only<Take>(again).size(), 1u) << "what failed is tried again, what is here is not";
  EXPECT_EQ(only<Take>(again)[0].file.path, "a.db");
}

TEST(Collector, answers_a_request_only_after_a_look_that_began_after_it) {
  Rig rig(config_of({{"games", "/g"}}));
  EXPECT_EQ(rig.step(Tick{}), (Actions{List{kHost, kGames}}));
  EXPECT_TRUE(rig.step(LookWanted{7, {}}).empty()) << "the look under way began before";
  EXPECT_EQ(rig.step(Listed{kHost, kGames, {}, {}}), (Actions{List{kHost, kGames}}));
  EXPECT_EQ(rig.step(Listed{kHost, kGames, {}, {}}), (Actions{LookEnded{7, {}}}));
  EXPECT_EQ(rig.step(LookWanted{8, {kModels}}), (Actions{LookEnded{8, {}}})) << "no host has any";
}

TEST(Collector, answers_a_request_also_when_the_host_is_gone) {
  Rig rig(config_of({{"games", "/g"}}));
  EXPECT_EQ(rig.step(LookWanted{7, {kGames}}), (Actions{List{kHost, kGames}}));
  const Error gone{ErrorKind::kUnreachable, "no route", ""};
  EXPECT_EQ(only<LookEnded>(rig.step(Failed{kHost, kGames, "", gone})),
            (std::vector<LookEnded>{{7, {{kHost, {core::to_string(gone)}}}}}));
}

TEST(Collector, tells_a_request_what_of_its_collections_did_not_go) {
  Rig rig(config_of({{"games", "/g"}}));
  const Error locked{ErrorKind::kOverloaded, "the database stayed locked", "a.db"};
  EXPECT_EQ(rig.step(LookWanted{7, {kGames}}), (Actions{List{kHost, kGames}}));
  ASSERT_EQ(only<Take>(rig.step(Listed{kHost, kGames, {{"a.db", 10, 1}}, {}})).size(), 1u);
  const auto ended = only<LookEnded>(rig.step(Failed{kHost, kGames, "a.db", locked}));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].problems.at(kHost), (std::vector<std::string>{core::to_string(locked)}));
}

TEST(Collector, looks_at_no_more_hosts_at_once_than_it_may) {
  core::Config config = config_of({{"games", "/g"}});
  for (int i = 0; i < 5; ++i) {
    auto host = config.agentless.front();
    host.name = NodeId("n" + std::to_string(i));
    config.agentless.push_back(host);
  }
  Collector collector(config, {}, 2, {});
  Actions out;
  collector.step(Tick{}, {}, out);
  EXPECT_EQ(only<List>(out).size(), 2u);
  const NodeId first = only<List>(out)[0].host;
  out.clear();
  collector.step(Listed{first, kGames, {}, {}}, {}, out);
  EXPECT_EQ(only<List>(out).size(), 1u);
}

}  // namespace
}  // namespace syncline::collecting
