// Many small objects at once, over real links.
#include "transports/p2p/bundles.hpp"

#include <gtest/gtest.h>

#include "transports/p2p/exchange_fixture.hpp"

namespace syncline::transports::p2p {
namespace {

using core::ErrorKind;

// Holds up whoever reads an object; outlives the test's own variables with the object.
class Gate {
 public:
  void let_pass() { is_open_.wait(false); }
  void open() {
    is_open_ = true;
    is_open_.notify_all();
  }

 private:
  std::atomic<bool> is_open_{false};
};

struct Bundling : Exchanging {
  using Fetches = std::vector<std::pair<std::shared_ptr<Followed>, std::string>>;

  // Objects of about 3 KB that these nodes hold.
  std::vector<std::string> make(unsigned count, const std::vector<Peer*>& holders) {
    std::vector<std::string> objects;
    for (unsigned i = 0; i < count; ++i) {
      objects.push_back(test_bytes(2500 + i, 1000 + i));
      for (Peer* holder : holders) holder->hold(objects.back());
    }
    return objects;
  }
  Fetches fetch_all(const std::vector<std::string>& objects,
                    const std::vector<core::NodeId>& from) {
    Fetches fetches;
    std::uint64_t job = 0;
    for (const std::string& bytes : objects) {
      fetches.emplace_back(me->fetch(me->request(++job, version_of(bytes), from)), bytes);
    }
    return fetches;
  }
  static std::shared_ptr<Gate> hold_up(FileObject& object) {
    auto gate = std::make_shared<Gate>();
    object.distort = [gate](std::uint64_t, std::span<char>) { gate->let_pass(); };
    return gate;
  }
  void expect_all_whole(const Fetches& fetches) {
    for (const auto& [fetch, bytes] : fetches) expect_whole(fetch, bytes);
  }
  void expect_blamed(const Peer& peer) {
    const std::lock_guard lock(me->mutex);
    ASSERT_FALSE(me->blames.empty());
    for (const auto& [node, what] : me->blames) EXPECT_EQ(node, peer.id) << what;
  }
  void expect_nobody_blamed() {
    const std::lock_guard lock(me->mutex);
    EXPECT_TRUE(me->blames.empty()) << me->blames.front().second;
  }
};

TEST_F(Bundling, hundreds_of_small_objects_come_in_a_few_frames) {
  int bundles = 0;
  int others = 0;
  one->on_sending = [&](wire::WireMessage& message) {
    ++(std::holds_alternative<wire::BundleData>(message) ? bundles : others);
  };
  const auto fetches = fetch_all(make(600, {one.get()}), {one->id});
  expect_all_whole(fetches);
  EXPECT_EQ(others, 0);
  EXPECT_LT(bundles, 60);
  EXPECT_EQ(fetches[7].first->outcome.bytes, fetches[7].second.size());
  EXPECT_EQ(fetches[7].first->outcome.node, one->id);
}

TEST_F(Bundling, they_are_asked_of_all_who_hold_them) {
  int from_one = 0;
  int from_two = 0;
  one->on_sending = [&](wire::WireMessage&) { ++from_one; };
  two->on_sending = [&](wire::WireMessage&) { ++from_two; };
  expect_all_whole(fetch_all(make(600, {one.get(), two.get()}), {one->id, two->id}));
  EXPECT_GT(from_one, 0);
  EXPECT_GT(from_two, 0);
}

TEST_F(Bundling, what_compresses_travels_packed) {
  std::vector<std::string> objects;
  for (int i = 0; i < 50; ++i) {
    std::string bytes = "game " + std::to_string(i);
    while (bytes.size() < 3000) bytes += " move " + std::to_string(bytes.size() % 97);
    one->hold(bytes);
    objects.push_back(bytes);
  }
  const auto fetches = fetch_all(objects, {one->id});
  expect_all_whole(fetches);
  std::uint64_t bytes = 0;
  for (const auto& [fetch, content] : fetches) bytes += fetch->outcome.bytes;
  EXPECT_LT(bytes, 50u * 3000 / 3);
}

TEST_F(Bundling, what_the_source_lacks_comes_from_another_and_what_nobody_has_is_missing) {
  std::vector<std::string> objects = make(50, {one.get(), two.get()});
  const std::string elsewhere = test_bytes(3000, 1);
  const std::string nowhere = test_bytes(3000, 2);
  two->hold(elsewhere);
  objects.insert(objects.begin(), {elsewhere, nowhere});
  auto fetches = fetch_all(objects, {one->id, two->id});
  const auto missing = fetches[1].first;
  fetches.erase(fetches.begin() + 1);
  expect_all_whole(fetches);
  ASSERT_TRUE(run_until([&] { return missing->is_done(); }));
  EXPECT_EQ(missing->outcome.status.error().kind, ErrorKind::kMissing);
  expect_nobody_blamed();
}

TEST_F(Bundling, a_wrong_object_is_fetched_from_another_and_its_sender_blamed) {
  const auto objects = make(50, {one.get(), two.get()});
  one->hold(objects[0])->distort = [](std::uint64_t, std::span<char> into) { into[9] ^= 1; };
  expect_all_whole(fetch_all(objects, {one->id, two->id}));  // the first is asked of the first
  expect_blamed(*one);
}

TEST_F(Bundling, where_the_only_source_lies_the_object_is_corrupt_and_nothing_was_written) {
  const auto objects = make(3, {one.get()});
  one->hold(objects[1])->distort = [](std::uint64_t, std::span<char> into) { into[9] ^= 1; };
  auto fetches = fetch_all(objects, {one->id});
  const auto wrong = fetches[1].first;
  fetches.erase(fetches.begin() + 1);
  expect_all_whole(fetches);
  ASSERT_TRUE(run_until([&] { return wrong->is_done(); }));
  EXPECT_EQ(wrong->outcome.status.error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(wrong->outcome.node, one->id);
  EXPECT_EQ(wrong->destination(), nullptr);
  expect_blamed(*one);
}

TEST_F(Bundling, an_answer_that_does_not_fit_what_was_asked_is_thrown_away) {
  const std::vector<std::function<void(wire::BundleData&)>> lies = {
      [](wire::BundleData& data) { data.bytes.pop_back(); },
      [](wire::BundleData& data) { data.bytes += "x"; },
      [](wire::BundleData& data) { data.missing = {200}; },
      [](wire::BundleData& data) { data.missing = {0}; },
      [](wire::BundleData& data) { data.raw_bytes = 5000; },
  };
  for (const auto& lie : lies) {
    TearDown();
    start();
    one->on_sending = [&](wire::WireMessage& message) {
      if (auto* data = std::get_if<wire::BundleData>(&message)) lie(*data);
    };
    expect_all_whole(fetch_all(make(20, {one.get(), two.get()}), {one->id, two->id}));
    expect_blamed(*one);
  }
}

TEST_F(Bundling, when_the_source_dies_the_others_serve) {
  const auto objects = make(50, {one.get(), two.get()});
  const auto gate = hold_up(*one->hold(objects[0]));
  const auto fetches = fetch_all(objects, {one->id, two->id});
  run_until([] { return false; }, 1);
  EXPECT_FALSE(fetches[0].first->is_done());
  one->links->shutdown();
  expect_all_whole(fetches);
  gate->open();
  expect_nobody_blamed();
}

TEST_F(Bundling, an_answer_that_does_not_come_in_time_is_not_waited_for) {
  const auto objects = make(50, {one.get(), two.get()});
  const auto gate = hold_up(*one->hold(objects[0]));
  Fetches fetches;
  std::uint64_t job = 0;
  for (const std::string& bytes : objects) {
    FetchRequest request = me->request(++job, version_of(bytes), {one->id, two->id});
    request.times.connect_timeout = core::milliseconds(200);
    fetches.emplace_back(me->fetch(std::move(request)), bytes);
  }
  expect_all_whole(fetches);
  gate->open();
  run_until([] { return false; }, 1);  // what comes late is of no use, and no offence
  for (const auto& [fetch, bytes] : fetches) EXPECT_EQ(fetch->done_count, 1);
  expect_nobody_blamed();
}

TEST_F(Bundling, a_busy_source_is_asked_again) {
  TearDown();
  limits.read_ahead_bytes = 1;
  limits.requests_per_peer_max = 1;
  start();
  expect_all_whole(fetch_all(make(1200, {one.get()}), {one->id}));
}

TEST_F(Bundling, one_that_is_cancelled_ends_at_once_and_the_rest_arrive) {
  const auto objects = make(20, {one.get()});
  const auto gate = hold_up(*one->hold(objects[0]));
  auto fetches = fetch_all(objects, {one->id});
  me->exchange->cancel(1);
  me->exchange->cancel(1);
  const auto cancelled = fetches[0].first;
  fetches.erase(fetches.begin());
  ASSERT_TRUE(run_until([&] { return cancelled->is_done(); }));
  EXPECT_EQ(cancelled->outcome.status.error().kind, ErrorKind::kCancelled);
  gate->open();
  expect_all_whole(fetches);
  EXPECT_EQ(cancelled->done_count, 1);
}

TEST_F(Bundling, a_full_disk_ends_a_fetch_with_its_own_error) {
  const auto objects = make(3, {one.get()});
  const auto full =
      std::make_shared<FileDestination>(me->folder.path + "/full", version_of(objects[0]));
  full->write_answer = core::Error{ErrorKind::kExhausted, "no room", ""};
  const auto fetch = me->fetch(me->request(1, version_of(objects[0]), {one->id}), full);
  ASSERT_TRUE(run_until([&] { return fetch->is_done(); }));
  EXPECT_EQ(fetch->outcome.status.error().kind, ErrorKind::kExhausted);
  EXPECT_TRUE(fetch->outcome.node.empty());
  expect_nobody_blamed();
}

TEST_F(Bundling, closing_ends_all_and_takes_no_more) {
  const auto objects = make(20, {one.get()});
  const auto gate = hold_up(*one->hold(objects[0]));
  const auto fetches = fetch_all(objects, {one->id});
  run_until([] { return false; }, 1);
  me->exchange->close();
  gate->open();
  for (const auto& [fetch, bytes] : fetches) ASSERT_TRUE(fetch->is_done());
  ASSERT_FALSE(fetches[0].first->outcome.status.ok());
  EXPECT_EQ(fetches[0].first->outcome.status.error().kind, ErrorKind::kCancelled);
  const auto late = me->fetch(me->request(99, version_of(objects[0]), {one->id}));
  ASSERT_TRUE(late->is_done());
  EXPECT_EQ(late->outcome.status.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace syncline::transports::p2p
