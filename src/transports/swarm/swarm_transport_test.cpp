// The transport over real BitTorrent sessions on loopback, each with a certificate of its own.
#include "transports/swarm/swarm_transport.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_info.hpp>
#include <sstream>

#include "tests/conformance/transport_conformance.hpp"
#include "transports/swarm/torrent.hpp"
#include "transports/test_authority.hpp"

namespace syncline::transports {
namespace {

using swarm::Seed;
using swarm::Session;
using swarm::SessionSettings;
using swarm::SwarmTransport;

SessionSettings settings(const KeyFiles& files) {
  SessionSettings made;
  made.listen = "127.0.0.1:0";
  made.certificate_file = files.certificate;
  made.key_file = files.key;
  made.authority_file = files.authority;
  return made;
}

std::unique_ptr<Session> start(const SessionSettings& settings) {
  auto session = Session::start(settings);
  SYNCLINE_CHECK(session.ok(), session.ok() ? "" : core::to_string(session.error()));
  return std::move(session).value();
}

constexpr const char* kOfFleet = "DNS:syncline-fleet";

// A node that seeds, with a folder of its own.
class Seeder {
 public:
  Seeder(const std::string& name, Authority& fleet, const std::string& alternative = kOfFleet)
      : name_(name),
        folder_(fleet.file("seeds of " + name)),
        session_(start(settings(fleet.issue(name, alternative)))) {
    std::filesystem::create_directories(folder_);
  }
  Source source() const {
    Source made;
    made.node = core::NodeId(name_);
    made.swarm_address = "127.0.0.1:" + std::to_string(session_->port());
    return made;
  }
  void seed(const TestObject& object, const std::string& bytes) {
    if (object.content.empty()) return;
    const std::string path = folder_ + "/" + core::to_hex(object.object.root);
    std::ofstream(path, std::ios::binary) << bytes;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const core::Status seeded =
        session_->seed({object.object.root, object.content.size(), fd, object.layer});
    ::close(fd);
    SYNCLINE_CHECK(seeded.ok(), seeded.ok() ? "" : core::to_string(seeded.error()));
  }
  Session& session() { return *session_; }
  const std::string& folder() const { return folder_; }

 private:
  std::string name_;
  std::string folder_;
  std::unique_ptr<Session> session_;
};

// A stock client of the fleet that says it has a torrent and sends other bytes: one that seeds as
// ours do reads them back first, and stops.
class Liar {
 public:
  Liar(const std::string& name, Authority& fleet)
      : name_(name), files_(fleet.issue(name, kOfFleet)) {
    lt::settings_pack pack;
    pack.set_str(lt::settings_pack::listen_interfaces, "127.0.0.1:0s");
    pack.set_bool(lt::settings_pack::enable_dht, false);
    pack.set_bool(lt::settings_pack::enable_lsd, false);
    pack.set_bool(lt::settings_pack::allow_multiple_connections_per_ip, true);
    session_ = std::make_unique<lt::session>(lt::session_params(pack));
    folder_ = fleet.file("lies of " + name);
    std::filesystem::create_directories(folder_);
  }
  Source lie(const TestObject& object, const std::string& wrong) {
    std::ofstream(folder_ + "/" + swarm::kTorrentName, std::ios::binary) << wrong;
    std::ostringstream authority;
    authority << std::ifstream(files_.authority).rdbuf();
    const auto file = swarm::torrent_file(
        {object.object.root, object.object.size_bytes, authority.str()}, object.layer);
    SYNCLINE_CHECK(file.ok(), "no torrent");
    lt::add_torrent_params params;
    params.ti = std::make_shared<lt::torrent_info>(*file, lt::from_span);
    params.save_path = folder_;
    params.flags = lt::torrent_flags::no_verify_files;
    params.have_pieces.resize(params.ti->num_pieces(), true);
    session_->add_torrent(params).set_ssl_certificate(files_.certificate, files_.key, "");
    Source made;
    made.node = core::NodeId(name_);
    made.swarm_address = "127.0.0.1:" + std::to_string(session_->ssl_listen_port());
    return made;
  }

 private:
  std::string name_;
  KeyFiles files_;
  std::string folder_;
  std::unique_ptr<lt::session> session_;
};

class SwarmRig final : public Rig {
 public:
  SwarmRig()
      : far_("far", fleet_),
        liar_("far", fleet_),
        empty_("empty", fleet_),
        transport_(start(settings(fleet_.issue("here", kOfFleet)))) {}
  Transport& transport() override { return transport_; }
  Source serve(const std::string&, const TestObject& object, const std::string& bytes) override {
    if (bytes != object.content) return liar_.lie(object, bytes);
    far_.seed(object, bytes);
    return far_.source();
  }
  Source serve_nothing() override { return empty_.source(); }
  Source unreachable() override { return Seeder("gone", fleet_).source(); }
  // Hashes of the pieces, and blocks under way when it is stopped.
  std::uint64_t wire_bytes_max(std::uint64_t bytes) const override {
    return bytes + bytes / 10 + (4u << 20);
  }
  Authority& fleet() { return fleet_; }
  Seeder& far() { return far_; }
  SwarmTransport& swarm() { return transport_; }

 private:
  Authority fleet_;
  Seeder far_;
  Liar liar_;
  Seeder empty_;
  SwarmTransport transport_;
};

std::unique_ptr<Rig> make_swarm_rig() {
  return std::make_unique<SwarmRig>();
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Swarm, TransportConformance, testing::Values(&make_swarm_rig));

namespace {

class SwarmTransportTest : public TransportConformance {
 protected:
  SwarmRig& rig() { return static_cast<SwarmRig&>(*rig_); }
};
INSTANTIATE_TEST_SUITE_P(Swarm, SwarmTransportTest, testing::Values(&make_swarm_rig));

TEST_P(SwarmTransportTest, whoever_has_a_piece_serves_it_on) {
  const TestObject object = test_object(test_bytes(24u << 20));
  rig().far().seed(object, object.content);
  // Two fetch from one; each is told of the other.
  SwarmTransport other(start(settings(rig().fleet().issue("other", kOfFleet))));
  const std::string other_address = "127.0.0.1:" + std::to_string(other.port());
  const std::string here = "127.0.0.1:" + std::to_string(rig().swarm().port());
  std::shared_ptr<TestDestination> there;
  FetchRequest second = request("model.pth", object, {rig().far().source()});
  second.swarm_peers = {here};
  second.open = [&](std::vector<core::Digest256> layer) {
    there =
        std::make_shared<TestDestination>(folder_ + "/other.data", object.object, std::move(layer));
    return core::Result<DestinationPtr>(there);
  };
  FetchRequest first = request("model.pth", object, {rig().far().source()});
  first.swarm_peers = {other_address};
  Fetching one(rig().transport()), two(other);
  one.start(first);
  two.start(second);
  for (Fetching* fetching : {&one, &two}) {
    const FetchOutcome outcome = fetching->outcome();
    ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  }
  EXPECT_TRUE(destination_->content() == object.content);
  EXPECT_TRUE(there->content() == object.content);
  EXPECT_EQ(rig().swarm().seeds(), 1u) << "it stays for others";

  // And with the first holder gone, those two are enough.
  SwarmTransport third(start(settings(rig().fleet().issue("third", kOfFleet))));
  rig().far().session().stop(object.object.root);
  Source from_other;
  from_other.node = core::NodeId("other");
  from_other.swarm_address = other_address;
  FetchRequest late = request("model.pth", object, {from_other});
  late.open = [&](std::vector<core::Digest256> layer) {
    there =
        std::make_shared<TestDestination>(folder_ + "/third.data", object.object, std::move(layer));
    return core::Result<DestinationPtr>(there);
  };
  Fetching three(third);
  three.start(late);
  ASSERT_TRUE(three.outcome().status.ok());
  EXPECT_TRUE(there->content() == object.content);
}

TEST_P(SwarmTransportTest, changes_its_pace_while_it_runs) {
  const TestObject object = test_object(test_bytes(32u << 20));
  expect_its_pace_can_change(
      rig().transport(),
      request("model.pth", object, {rig().serve("model.pth", object, object.content)}));
}

TEST_P(SwarmTransportTest, goes_on_with_the_others_when_a_holder_goes_away) {
  const TestObject object = test_object(test_bytes(32u << 20));
  auto leaving = std::make_unique<Seeder>("leaving", rig().fleet());
  leaving->seed(object, object.content);
  FetchRequest asked = request(
      "model.pth", object, {leaving->source(), rig().serve("model.pth", object, object.content)});
  asked.bandwidth_mbps = 16;
  Fetching fetching(rig().transport());
  fetching.start(asked);
  ASSERT_TRUE(fetching.comes_to(4u << 20));
  leaving.reset();
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  EXPECT_TRUE(destination_->content() == object.content);
}

TEST_P(SwarmTransportTest, one_of_several_that_sends_wrong_bytes_ends_the_swarm_as_corrupt) {
  const TestObject object = test_object(test_bytes(16u << 20));
  std::string wrong = object.content;
  for (std::size_t i = 0; i < wrong.size(); i += 100'000) wrong[i] ^= 1;
  Liar liar("liar", rig().fleet());
  Fetching fetching(rig().transport());
  fetching.start(
      request("model.pth", object,
              {liar.lie(object, wrong), rig().serve("model.pth", object, object.content)}));
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_FALSE(outcome.status.ok());
  EXPECT_EQ(outcome.status.error().kind, core::ErrorKind::kCorrupt);
  EXPECT_TRUE(outcome.node.empty()) << "who of them it was is not known";
  EXPECT_FALSE(destination_->is_complete());
}

TEST_P(SwarmTransportTest, a_seed_whose_file_was_changed_in_place_sends_nothing_wrong) {
  const TestObject object = test_object(test_bytes(3u << 20));
  Seeder changed("changed", rig().fleet());
  changed.seed(object, test_bytes(3u << 20, 99));
  EXPECT_EQ(error_of(object, changed.source(), kImpatient).kind, core::ErrorKind::kUnreachable);
}

TEST_P(SwarmTransportTest, strangers_get_nothing_and_are_asked_for_nothing) {
  const TestObject object = test_object(test_bytes(1u << 20));
  Authority strangers;
  Seeder stranger("stranger", strangers);
  stranger.seed(object, object.content);
  EXPECT_EQ(error_of(object, stranger.source(), kImpatient).kind, core::ErrorKind::kUnreachable);
  // One of the fleet whose certificate is not for its swarms.
  Seeder unnamed("unnamed", rig().fleet(), "DNS:elsewhere");
  unnamed.seed(object, object.content);
  EXPECT_EQ(error_of(object, unnamed.source(), kImpatient).kind, core::ErrorKind::kUnreachable);
}

TEST_P(SwarmTransportTest, seeds_are_bounded_and_the_longest_unused_goes_first) {
  SessionSettings few = settings(rig().fleet().issue("few", kOfFleet));
  few.seeds_max = 2;
  const std::unique_ptr<Session> session = start(few);
  std::vector<TestObject> objects;
  for (std::uint64_t i = 0; i < 3; ++i) {
    objects.push_back(test_object(test_bytes(2u << 20, 50 + i)));
    const std::string path = folder_ + "/seed" + std::to_string(i);
    std::ofstream(path, std::ios::binary) << objects.back().content;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const Seed seed{objects.back().object.root, 2u << 20, fd, objects.back().layer};
    ASSERT_TRUE(session->seed(seed).ok());
    ::close(fd);
  }
  EXPECT_EQ(session->seeds(), 2u);
  EXPECT_NE(session->look(objects[0].object.root).problem, "");
  EXPECT_EQ(session->look(objects[2].object.root).problem, "");
}

TEST_P(SwarmTransportTest, a_file_that_is_replaced_while_it_is_seeded_is_served_as_it_was) {
  const TestObject object = test_object(test_bytes(8u << 20));
  const Source source = rig().serve("model.pth", object, object.content);
  const std::string path = rig().far().folder() + "/" + core::to_hex(object.object.root);
  std::ofstream(path + ".new") << "another version";
  std::filesystem::rename(path + ".new", path);
  Fetching fetching(rig().transport());
  fetching.start(request("model.pth", object, {source}));
  ASSERT_TRUE(fetching.outcome().status.ok());
  EXPECT_TRUE(destination_->content() == object.content);
}

TEST_P(SwarmTransportTest, an_address_in_use_is_said_at_the_start) {
  SessionSettings taken = settings(rig().fleet().issue("taken", kOfFleet));
  taken.listen = "127.0.0.1:" + std::to_string(rig().swarm().port());
  const auto started = Session::start(taken);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().kind, core::ErrorKind::kConflict);
  EXPECT_NE(started.error().what.find("in use"), std::string::npos) << started.error().what;
}

}  // namespace
}  // namespace syncline::transports
