// The engine by its contract: events in, actions out. One node with one collection of each kind,
// one other node that takes what it is sent.
#include "engine/engine.hpp"

#include <gtest/gtest.h>

#include "core/sha256.hpp"
#include "core/test_alternatives.hpp"

namespace syncline::engine {
namespace {

using core::CollectionName;
using core::NodeId;

const NodeId kHome("home");
const NodeId kVault("vault");
const CollectionName kGames("games");
const CollectionName kModels("models");

core::Config config() {
  core::Config config;
  config.node.id = kHome;
  config.node.host = "host-home";
  config.node.storage_domain = "disk-home";
  config.node.ephemeral = core::Tristate::kFalse;
  config.durability.acks = 1;
  core::CollectionConfig games;
  games.name = kGames;
  games.kind = core::Kind::kSqlite;
  games.root = "/data/games";
  games.replica = "/data/replica.db";
  core::CollectionConfig models;
  models.name = kModels;
  models.kind = core::Kind::kFiles;
  models.root = "/models";
  config.collections = {games, models};
  return config;
}

class EngineTest : public testing::Test {
 protected:
  explicit EngineTest(core::Config with = config())
      : engine_(std::move(with), recovered(), 1, now_) {
    step(Tick{});
  }

  static Recovered recovered() {
    Recovered out;
    out.epoch = {1};
    out.incarnation = 1;
    return out;
  }
  // The actions of this step; those before are forgotten.
  void step(Event event) {
    now_ = now_ + core::milliseconds(1);
    actions_.clear();
    engine_.step(event, now_, actions_);
    for (const ScanFiles& scan : all<ScanFiles>()) scans_.push_back(scan.scan_id);
    for (const ReadSource& read : all<ReadSource>()) reads_.push_back(read.read_id);
  }
  template <typename T>
  std::vector<T> all() const {
    return core::all_of_type<T>(actions_);
  }
  // What the shell does with the looks that were asked for: finds `games`, and no files.
  void look(std::vector<std::string> games = {}) {
    for (const std::uint64_t id : std::exchange(scans_, {})) {
      FilesScanned scanned;
      scanned.collection = kModels;
      scanned.scan_id = id;
      step(scanned);
    }
    for (const std::uint64_t id : std::exchange(reads_, {})) {
      UnitsRead read;
      read.collection = kGames;
      read.read_id = id;
      read.noticed_at = now_;
      for (const std::string& key : std::exchange(games, {})) {
        core::EncodedUnit unit;
        unit.key = key;
        unit.bytes = "bytes of " + key;
        unit.hash = core::sha256(unit.bytes);
        read.units.push_back(unit);
        read.seen_at.push_back({1});
      }
      step(read);
      const auto appends = all<Append>();
      ASSERT_EQ(appends.size(), 1u);
      written_ = appends[0].batch->log;
      step(Appended{appends[0].append_id});
    }
  }
  void vault_has(const std::string& held) {
    step(Received{kVault, core::AckRecords{written_, *core::parse_seq_set(held)}});
  }
  // The other node is linked, and has told where it stands.
  void vault_is_there() {
    step(LinkUp{kVault, {}, "vault:8750"});
    catalog::NodeSelf self;
    self.host = "host-vault";
    self.storage = "disk-vault";
    core::DeltaMessage message;
    core::CatalogDelta::Part part;
    part.owner = kVault;
    part.incarnation = 1;
    part.up_to = 1;
    part.facts.push_back({1, catalog::kSelfKey, catalog::encode(self), false});
    message.delta.parts.push_back(part);
    step(Received{kVault, message});
  }

  core::Instant now_;
  Engine engine_;
  Actions actions_;
  std::vector<std::uint64_t> scans_, reads_;
  core::LogId written_;
};

TEST_F(EngineTest, at_its_start_it_looks_at_everything) {
  ASSERT_EQ(all<ReadSource>().size(), 1u);
  EXPECT_TRUE(all<ReadSource>()[0].full);
  ASSERT_EQ(all<ScanFiles>().size(), 1u);
  EXPECT_TRUE(all<ScanFiles>()[0].full);
}

TEST_F(EngineTest, a_change_is_looked_at_where_it_was_and_everywhere_if_nobody_can_say) {
  look();
  step(SourceChanged{kGames});
  ASSERT_EQ(all<ReadSource>().size(), 1u);
  EXPECT_FALSE(all<ReadSource>()[0].full);
  look();
  step(SourceChanged{kGames, true});
  ASSERT_EQ(all<ReadSource>().size(), 1u);
  EXPECT_TRUE(all<ReadSource>()[0].full);
}

TEST_F(EngineTest, events_that_came_together_are_planned_for_once_and_in_their_order) {
  look();
  vault_is_there();
  const std::vector<Event> events = {SourceChanged{kGames}, SourceChanged{kGames, true},
                                     SourceChanged{kModels}, LinkDown{kVault, "cut"}};
  actions_.clear();
  engine_.step(events, now_, actions_);
  ASSERT_EQ(all<ReadSource>().size(), 1u);
  EXPECT_TRUE(all<ReadSource>()[0].full);
  EXPECT_EQ(all<ScanFiles>().size(), 1u);
  EXPECT_TRUE(all<Send>().empty()) << "the link was down when the turn was planned";
}

TEST_F(EngineTest, changes_during_a_look_make_one_more_look_after_it) {
  look();
  step(SourceChanged{kGames});
  for (int i = 0; i < 3; ++i) {
    step(SourceChanged{kGames});
    EXPECT_TRUE(all<ReadSource>().empty());
  }
  look();
  EXPECT_EQ(all<ReadSource>().size(), 1u);
}

TEST_F(EngineTest, a_part_of_a_scan_is_told_at_once_and_the_look_goes_on) {
  ASSERT_EQ(scans_.size(), 1u);
  FilesScanned part;
  part.collection = kModels;
  part.scan_id = scans_[0];
  part.is_part = true;
  part.changed.push_back({"net.pth", core::sha256("net"), 3, 1, 0644});
  step(part);
  ASSERT_EQ(all<PersistFacts>().size(), 1u);
  EXPECT_EQ(all<PersistFacts>()[0].facts.size(), 1u);
  step(SourceChanged{kModels});
  EXPECT_TRUE(all<ScanFiles>().empty()) << "the scan is not over";
  look();
  EXPECT_EQ(scans_.size(), 1u) << "now it is, and the change is looked at";
}

TEST_F(EngineTest, a_notice_with_nothing_to_deliver_is_ready_after_one_look_at_each_source) {
  look();
  step(TerminationNotice{now_ + core::seconds(25), "told to stop"});
  EXPECT_TRUE(all<StopReady>().empty());
  EXPECT_EQ(all<ReadSource>().size() + all<ScanFiles>().size(), 2u);
  look();
  ASSERT_EQ(all<StopReady>().size(), 1u);
  EXPECT_TRUE(all<StopReady>()[0].is_everything_durable);
}

// Seed 194 of the simulation.
TEST_F(EngineTest, what_is_finished_while_a_drain_lasts_is_taken_and_delivered) {
  vault_is_there();
  look({"games:1"});
  step(TerminationNotice{now_ + core::seconds(25), "told to stop"});
  look();
  EXPECT_TRUE(all<StopReady>().empty()) << "the first game is not durable yet";
  step(SourceChanged{kGames});
  ASSERT_EQ(all<ReadSource>().size(), 1u) << "reading goes on";
  vault_has("1");
  EXPECT_TRUE(all<StopReady>().empty()) << "a change is known and not read";
  look({"games:2"});
  EXPECT_TRUE(all<StopReady>().empty());
  vault_has("1-2");
  ASSERT_EQ(all<StopReady>().size(), 1u);
  EXPECT_TRUE(all<StopReady>()[0].is_everything_durable);
}

TEST_F(EngineTest, at_its_deadline_a_drain_says_what_is_left) {
  look({"games:1"});
  const core::Instant deadline = now_ + core::seconds(25);
  step(TerminationNotice{deadline, "told to stop"});
  look();
  now_ = deadline;
  step(Tick{});
  ASSERT_EQ(all<StopReady>().size(), 1u);
  EXPECT_FALSE(all<StopReady>()[0].is_everything_durable);
  EXPECT_NE(all<StopReady>()[0].report.find("1 record"), std::string::npos);
}

// Seed 1272 of the simulation.
TEST_F(EngineTest, acks_are_on_disk_before_the_payload_that_they_made_durable_goes) {
  vault_is_there();
  look({"games:1"});
  std::vector<std::string> order;
  const auto note = [&] {
    for (const Action& action : actions_) {
      const auto* saved = std::get_if<SaveAcks>(&action);
      if (saved != nullptr && saved->held.contains(1)) order.push_back("acks");
      if (std::holds_alternative<Trim>(action)) order.push_back("trim");
    }
  };
  vault_has("1");
  note();
  step(Merged{written_, core::SeqSet::up_to(1)});
  note();
  for (int second = 0; second < 60; ++second) {
    now_ = now_ + core::seconds(1);
    step(Tick{});
    note();
  }
  EXPECT_EQ(order, (std::vector<std::string>{"acks", "trim"}));
}

TEST_F(EngineTest, a_flush_does_not_wait_for_what_was_finished_after_it_had_read) {
  vault_is_there();
  look({"games:1"});
  step(FlushRequested{7, 1, now_ + core::seconds(60), {}});
  look();
  EXPECT_TRUE(all<AnswerFlush>().empty()) << "the first game is not durable yet";
  step(SourceChanged{kGames});
  look({"games:2"});
  vault_has("1");
  for (int i = 0; i < 100 && all<AnswerFlush>().empty(); ++i) step(Tick{});
  ASSERT_EQ(all<AnswerFlush>().size(), 1u);
  EXPECT_TRUE(all<AnswerFlush>()[0].report.is_durable);
  EXPECT_EQ(all<AnswerFlush>()[0].report.durable, 1u);
  EXPECT_EQ(engine_.records().undelivered(), 1u) << "the second one is on its way";
}

TEST_F(EngineTest, a_machine_that_turns_out_to_be_a_spot_instance_says_so) {
  look();
  step(FoundEphemeral{"aws", "its metadata say spot"});
  std::vector<std::string> told;
  for (const Emit& emit : all<Emit>()) told.push_back(emit.event.type);
  EXPECT_EQ(told, (std::vector<std::string>{"node_is_ephemeral", "leader_changed"}))
      << "it was the only permanent node";
  EXPECT_EQ(all<ReadSource>().size(), 1u) << "and looks at once at what may be at risk";
  step(FoundEphemeral{"aws", "its metadata say spot"});
  EXPECT_TRUE(all<Emit>().empty()) << "once";
}

class WithSsh : public EngineTest {
 protected:
  static core::Config with_ssh() {
    core::Config with = config();
    with.ssh.key_file = "/etc/key";
    return with;
  }
  WithSsh() : EngineTest(with_ssh()) {}
  void vault_relays(std::uint64_t version, const std::string& key, const std::string& value) {
    core::DeltaMessage message;
    core::CatalogDelta::Part part;
    part.owner = NodeId("far");
    part.incarnation = 1;
    part.after = version - 1;
    part.up_to = version;
    part.facts.push_back({version, key, value, false});
    message.delta.parts.push_back(part);
    step(Received{kVault, message});
  }
};

// Facts of one node come in the order of their keys: what it has before how it can be reached.
TEST_F(WithSsh, a_file_of_a_node_without_a_link_is_fetched_once_it_told_how_it_can_be_reached) {
  vault_is_there();
  core::ObjectVersion version;
  version.root = core::sha256("model");
  version.size_bytes = 5;
  version.origin = NodeId("far");
  version.version.counters[NodeId("far")] = 1;
  vault_relays(1, catalog::object_key(kModels, "m.pth"), core::encode(version));
  EXPECT_TRUE(all<Fetch>().empty());
  catalog::NodeSelf self;
  self.host = "host-far";
  self.storage = "disk-far";
  self.advertise = "far.example:8750";
  self.roots["models"] = "/models";
  vault_relays(2, catalog::kSelfKey, catalog::encode(self));
  const auto fetches = all<Fetch>();
  ASSERT_EQ(fetches.size(), 1u);
  EXPECT_EQ(fetches[0].transport, "ssh");
  EXPECT_EQ(fetches[0].reach.at(NodeId("far")).host, "far.example");
}

TEST_F(WithSsh, files_that_begin_at_once_are_not_promised_the_same_room) {
  constexpr std::uint64_t kGb = 1'000'000'000;
  step(DiskMeasured{40 * kGb, 100 * kGb, 0});  // up to 70 % may be used: room for 10 GB
  vault_is_there();
  const auto has = [&](std::uint64_t version, const std::string& path) {
    core::ObjectVersion object;
    object.root = core::sha256(path);
    object.size_bytes = 6 * kGb;
    object.origin = kVault;
    object.version.counters[kVault] = 1;
    core::DeltaMessage message;
    core::CatalogDelta::Part part;
    part.owner = kVault;
    part.incarnation = 1;
    part.after = version - 1;
    part.up_to = version;
    part.facts.push_back(
        {version, catalog::object_key(kModels, path), core::encode(object), false});
    message.delta.parts.push_back(part);
    step(Received{kVault, message});
  };
  has(2, "a.pth");
  const auto first = all<Fetch>();
  ASSERT_EQ(first.size(), 1u);
  has(3, "b.pth");
  EXPECT_TRUE(all<Fetch>().empty()) << "6 of the 10 GB are promised";

  const auto later = [&](std::uint64_t free_bytes) {
    now_ = now_ + core::seconds(60);
    step(DiskMeasured{free_bytes, 100 * kGb, 0});
    const std::size_t begun = all<Fetch>().size();
    step(Tick{});
    return begun + all<Fetch>().size();
  };
  EXPECT_EQ(later(40 * kGb), 0u) << "nothing of it has come: the promise stands";
  step(FetchProgress{first[0].job, kGb});
  EXPECT_EQ(later(34 * kGb), 0u) << "it has its room, and the disk says so";
  EXPECT_EQ(later(46 * kGb), 1u) << "somebody has freed some";
}

}  // namespace
}  // namespace syncline::engine
