// What every transport must do, whichever way it moves bytes. A room's test makes a Rig over its
// real thing (sshd, aria2c, libtorrent) and instantiates these sentences:
//
//   INSTANTIATE_TEST_SUITE_P(Ssh, TransportConformance, testing::Values(&make_ssh_rig));
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "transports/test_destination.hpp"
#include "transports/transport.hpp"

namespace syncline::transports {

// One transport under test, with far sides that hold what they are given.
class Rig {
 public:
  virtual ~Rig() = default;
  virtual Transport& transport() = 0;
  // A far side that holds, under this path and as this object, these bytes (which may be wrong).
  virtual Source serve(const std::string& path, const TestObject& object,
                       const std::string& bytes) = 0;
  // A far side that is there but does not have the object.
  virtual Source serve_nothing() = 0;
  // Nobody listens there.
  virtual Source unreachable() = 0;
  // Nothing crosses a wire, and nothing is slow enough to be stopped in its middle.
  virtual bool is_local() const { return false; }
  // What it costs to move `bytes`, at most: protocol, and what is under way when it is stopped.
  virtual std::uint64_t wire_bytes_max(std::uint64_t bytes) const {
    return bytes + bytes / 10 + (512u << 10);
  }
};
using MakeRig = std::unique_ptr<Rig> (*)();

// One fetch as a caller sees it.
class Fetching {
 public:
  explicit Fetching(Transport& transport) : transport_(transport) {}

  void start(FetchRequest request) {
    FetchCallbacks callbacks;
    callbacks.progress = [this](std::uint64_t bytes) {
      const std::lock_guard lock(mutex_);
      is_orderly_ = is_orderly_ && done_count_ == 0 && bytes >= seen_;
      seen_ = bytes;
      changed_.notify_all();
    };
    callbacks.done = [this](FetchOutcome outcome) {
      const std::lock_guard lock(mutex_);
      outcome_ = std::move(outcome);
      ++done_count_;
      changed_.notify_all();
    };
    transport_.fetch(std::move(request), std::move(callbacks));
  }
  bool comes_to(std::uint64_t bytes) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return seen_ >= bytes || done_count_ > 0; });
    return seen_ >= bytes && done_count_ == 0;
  }
  FetchOutcome outcome() {
    std::unique_lock lock(mutex_);
    const bool is_done = changed_.wait_for(lock, kPatience, [&] { return done_count_ > 0; });
    EXPECT_TRUE(is_done) << "the transfer never ended";
    return outcome_;
  }
  std::uint64_t seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  int done_count() {
    const std::lock_guard lock(mutex_);
    return done_count_;
  }
  bool is_orderly() {  // progress never went back, and none came after the end
    const std::lock_guard lock(mutex_);
    return is_orderly_;
  }

 private:
  static constexpr auto kPatience = std::chrono::seconds(60);
  Transport& transport_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t seen_ = 0;
  int done_count_ = 0;
  bool is_orderly_ = true;
  FetchOutcome outcome_;
};

// Begun at a pace that takes half a minute, which is lifted once it runs. REQUIRES: 32 MiB.
inline void expect_its_pace_can_change(Transport& transport, FetchRequest request) {
  request.bandwidth_mbps = 1;
  Fetching fetching(transport);
  const auto begin = std::chrono::steady_clock::now();
  fetching.start(request);
  ASSERT_TRUE(fetching.comes_to(1u << 20));
  transport.pace(request.job, 0);
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, core::seconds(25));
}

class TransportConformance : public testing::TestWithParam<MakeRig> {
 protected:
  TransportConformance() {
    char name[] = "/tmp/syncline-transport-XXXXXX";
    folder_ = ::mkdtemp(name);
    rig_ = GetParam()();
  }
  ~TransportConformance() override {
    rig_->transport().close();
    rig_.reset();
    std::filesystem::remove_all(folder_);
  }

  FetchRequest request(const std::string& path, const TestObject& object,
                       std::vector<Source> sources) {
    FetchRequest made;
    made.job = ++jobs_;
    made.collection = core::CollectionName("models");
    made.path = path;
    made.object = object.object;
    made.sources = std::move(sources);
    made.times = {core::seconds(5), core::seconds(20), 1};
    made.open = [this, &object](std::vector<core::Digest256> layer) {
      return core::Result<DestinationPtr>(open(object, std::move(layer)));
    };
    return made;
  }
  // Of one attempt from this source alone; kImpatient where nothing is to come.
  core::Error error_of(const TestObject& object, const Source& source,
                       std::optional<transfer::Times> times = std::nullopt) {
    Fetching fetching(rig_->transport());
    FetchRequest asked = request("model.pth", object, {source});
    if (times) asked.times = *times;
    fetching.start(asked);
    const FetchOutcome outcome = fetching.outcome();
    return outcome.status.ok() ? core::Error{} : outcome.status.error();
  }
  static constexpr transfer::Times kImpatient{core::seconds(2), core::seconds(3), 1};

  std::shared_ptr<TestDestination> open(const TestObject& object,
                                        std::vector<core::Digest256> layer) {
    destination_ = std::make_shared<TestDestination>(
        folder_ + "/" + core::to_hex(object.object.root).substr(0, 16) + ".data", object.object,
        std::move(layer));
    return destination_;
  }
  void expect_fetched(const std::string& path, const TestObject& object) {
    Fetching fetching(rig_->transport());
    const Source source = rig_->serve(path, object, object.content);
    const FetchRequest asked = request(path, object, {source});
    EXPECT_EQ(rig_->transport().why_not(asked), "");
    fetching.start(asked);
    const FetchOutcome outcome = fetching.outcome();
    ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
    ASSERT_NE(destination_, nullptr);
    EXPECT_TRUE(destination_->is_complete());
    EXPECT_TRUE(destination_->content() == object.content);
    EXPECT_EQ(fetching.seen(), object.content.size());
    EXPECT_TRUE(fetching.is_orderly());
    if (object.content.size() > (256u << 10)) {
      EXPECT_GE(outcome.bytes, rig_->is_local() ? 0 : object.content.size());
      EXPECT_LE(outcome.bytes, rig_->wire_bytes_max(object.content.size()));
      EXPECT_EQ(outcome.node, source.node);
    }
  }

  std::string folder_;
  std::unique_ptr<Rig> rig_;
  std::shared_ptr<TestDestination> destination_;
  std::uint64_t jobs_ = 0;
};

TEST_P(TransportConformance, fetches_an_object_and_verifies_it) {
  expect_fetched("runs/model.pth", test_object(test_bytes((5u << 20) + 12345)));
}

TEST_P(TransportConformance, fetches_objects_of_every_size) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{16} << 10, (std::size_t{16} << 10) + 1,
        std::size_t{1} << 20, (std::size_t{1} << 20) + 1}) {
    SCOPED_TRACE(size);
    expect_fetched("size-" + std::to_string(size), test_object(test_bytes(size, size)));
  }
}

TEST_P(TransportConformance, takes_every_name_for_what_it_is) {
  const std::vector<std::string> names = {"with space/a b.db",
                                          "quote'd \"twice\".db",
                                          "-rf",
                                          "two\nlines",
                                          "a:b",
                                          "[a-z]*?.db",
                                          "back\\slash\\*",
                                          "$(touch x) `id` ; & |",
                                          "~root",
                                          "größe.npz",
                                          "#hash%20?query=1&x"};
  std::uint64_t seed = 100;
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    // All stand in one folder: a name taken for a pattern would find another's bytes.
    expect_fetched(name, test_object(test_bytes(70'000, ++seed)));
  }
}

TEST_P(TransportConformance, wrong_bytes_are_corrupt_and_nothing_is_complete) {
  const TestObject object = test_object(test_bytes(3u << 20));
  std::string wrong = object.content;
  for (std::size_t i = 1u << 20; i < wrong.size(); i += 1000) wrong[i] ^= 1;
  Fetching fetching(rig_->transport());
  const Source source = rig_->serve("model.pth", object, wrong);
  fetching.start(request("model.pth", object, {source}));
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_FALSE(outcome.status.ok());
  EXPECT_EQ(outcome.status.error().kind, core::ErrorKind::kCorrupt)
      << core::to_string(outcome.status.error());
  EXPECT_EQ(outcome.node, source.node);  // to blame
  EXPECT_FALSE(destination_ != nullptr && destination_->is_complete());
}

TEST_P(TransportConformance, nobody_there_is_unreachable) {
  const TestObject object = test_object(test_bytes(1u << 20));
  Fetching fetching(rig_->transport());
  FetchRequest asked = request("model.pth", object, {rig_->unreachable()});
  asked.times = {core::seconds(2), core::seconds(3), 1};
  fetching.start(asked);
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_FALSE(outcome.status.ok());
  EXPECT_EQ(outcome.status.error().kind, core::ErrorKind::kUnreachable)
      << core::to_string(outcome.status.error());
  EXPECT_NE(outcome.status.error().what, "");
}

TEST_P(TransportConformance, an_object_that_is_not_there_is_missing_or_unreachable) {
  const TestObject object = test_object(test_bytes(1u << 20));
  Fetching fetching(rig_->transport());
  FetchRequest asked = request("model.pth", object, {rig_->serve_nothing()});
  asked.times = {core::seconds(2), core::seconds(3), 1};
  fetching.start(asked);
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_FALSE(outcome.status.ok());
  const core::ErrorKind kind = outcome.status.error().kind;
  EXPECT_TRUE(kind == core::ErrorKind::kMissing || kind == core::ErrorKind::kUnreachable)
      << core::to_string(outcome.status.error());
}

TEST_P(TransportConformance, says_why_it_cannot_fetch_from_nobody) {
  const TestObject object = test_object(test_bytes(1u << 20));
  EXPECT_NE(rig_->transport().why_not(request("a", object, {})), "");
  EXPECT_NE(rig_->transport().why_not(request("a", object, {Source{}})), "");
}

TEST_P(TransportConformance, a_destination_that_does_not_open_is_the_answer) {
  const TestObject object = test_object(test_bytes(1u << 20));
  const core::Error full{core::ErrorKind::kExhausted, "no room", "disk"};
  Fetching fetching(rig_->transport());
  FetchRequest asked =
      request("model.pth", object, {rig_->serve("model.pth", object, object.content)});
  asked.open = [&](std::vector<core::Digest256>) { return core::Result<DestinationPtr>(full); };
  fetching.start(asked);
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_FALSE(outcome.status.ok());
  EXPECT_EQ(outcome.status.error(), full);
}

TEST_P(TransportConformance, goes_on_after_a_cancel_where_it_stopped) {
  if (rig_->is_local()) GTEST_SKIP() << "a local copy is over before it can be stopped";
  const TestObject object = test_object(test_bytes(48u << 20));
  const std::vector<Source> sources = {rig_->serve("model.pth", object, object.content)};
  Fetching first(rig_->transport());
  FetchRequest slow = request("model.pth", object, sources);
  slow.bandwidth_mbps = 8;
  first.start(slow);
  ASSERT_TRUE(first.comes_to(6u << 20));
  rig_->transport().cancel(slow.job);
  const FetchOutcome stopped = first.outcome();
  ASSERT_FALSE(stopped.status.ok());
  EXPECT_EQ(stopped.status.error().kind, core::ErrorKind::kCancelled);
  EXPECT_FALSE(destination_->is_complete());
  const std::uint64_t had = first.seen();

  Fetching second(rig_->transport());
  second.start(request("model.pth", object, sources));
  const FetchOutcome outcome = second.outcome();
  ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  EXPECT_TRUE(destination_->is_complete());
  EXPECT_TRUE(destination_->content() == object.content);
  // All of what was on the way may come again, but not what had arrived.
  EXPECT_LE(outcome.bytes, rig_->wire_bytes_max(object.content.size() - had) + (2u << 20));
  EXPECT_EQ(first.done_count(), 1);
  EXPECT_TRUE(first.is_orderly());
}

TEST_P(TransportConformance, does_not_fetch_what_is_there_already) {
  const TestObject object = test_object(test_bytes(8u << 20));
  Fetching fetching(rig_->transport());
  FetchRequest asked =
      request("model.pth", object, {rig_->serve("model.pth", object, object.content)});
  asked.open = [&](std::vector<core::Digest256>) {
    auto opened = open(object, object.layer);
    for (std::uint64_t piece = 0; piece < (6u << 20) / kTestPieceBytes; ++piece) {
      const std::string_view bytes =
          std::string_view(object.content).substr(piece * kTestPieceBytes, kTestPieceBytes);
      EXPECT_TRUE(opened->write_piece(piece, bytes, core::block_hashes(bytes)).ok());
    }
    return core::Result<DestinationPtr>(opened);
  };
  fetching.start(asked);
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  EXPECT_TRUE(destination_->content() == object.content);
  EXPECT_LE(outcome.bytes, rig_->wire_bytes_max(2u << 20));
}

TEST_P(TransportConformance, fetches_several_at_once) {
  std::vector<TestObject> objects;
  for (std::uint64_t i = 0; i < 4; ++i) objects.push_back(test_object(test_bytes(3u << 20, 7 + i)));
  std::vector<std::unique_ptr<Fetching>> fetchings;
  std::vector<std::shared_ptr<TestDestination>> opened(objects.size());
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const std::string path = "many/" + std::to_string(i);
    FetchRequest asked =
        request(path, objects[i], {rig_->serve(path, objects[i], objects[i].content)});
    asked.open = [this, &objects, &opened, i](std::vector<core::Digest256> layer) {
      opened[i] = std::make_shared<TestDestination>(folder_ + "/many-" + std::to_string(i),
                                                    objects[i].object, std::move(layer));
      return core::Result<DestinationPtr>(opened[i]);
    };
    fetchings.push_back(std::make_unique<Fetching>(rig_->transport()));
    fetchings.back()->start(asked);
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const FetchOutcome outcome = fetchings[i]->outcome();
    ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
    EXPECT_TRUE(opened[i]->is_complete());
  }
}

TEST_P(TransportConformance, close_ends_what_runs_as_cancelled) {
  if (rig_->is_local()) GTEST_SKIP() << "a local copy is over before it can be stopped";
  const TestObject object = test_object(test_bytes(48u << 20));
  Fetching fetching(rig_->transport());
  FetchRequest slow =
      request("model.pth", object, {rig_->serve("model.pth", object, object.content)});
  slow.bandwidth_mbps = 4;
  fetching.start(slow);
  ASSERT_TRUE(fetching.comes_to(1u << 20));
  rig_->transport().close();
  EXPECT_EQ(fetching.done_count(), 1);
  EXPECT_EQ(fetching.outcome().status.error().kind, core::ErrorKind::kCancelled);
}

}  // namespace syncline::transports
