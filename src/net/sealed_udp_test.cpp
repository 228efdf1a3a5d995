#include "net/sealed_udp.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <set>

namespace syncline::net {
namespace {

using asio::ip::udp;

const std::string kOld(32, 'o');
const std::string kNew(32, 'n');
const std::string kForeign(32, 'f');

template <typename Done>
bool run_until(asio::io_context& io, Done done, int ms = 5000) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (!done() && std::chrono::steady_clock::now() < deadline) {
    io.restart();
    io.run_for(std::chrono::milliseconds(5));
  }
  return done();
}

struct Node {
  std::vector<std::pair<std::string, std::string>> heard;  // address, text
  std::unique_ptr<SealedUdp> udp;

  Node(asio::io_context& io, const std::vector<std::string>& keys,
       const std::string& listen = "127.0.0.1:0") {
    auto made = SealedUdp::create(io, keys, [this](const std::string& from, std::string_view t) {
      heard.emplace_back(from, t);
    });
    udp = std::move(made).value();
    EXPECT_TRUE(udp->listen(listen).ok());
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(udp->port()); }
};

TEST(SealedUdp, carries_a_text_and_tells_where_it_came_from) {
  asio::io_context io;
  Node a(io, {kOld});
  Node b(io, {kOld});
  const std::string longest(core::kPacketBytesMax, 'x');
  a.udp->send(b.address(), longest);
  ASSERT_TRUE(run_until(io, [&] { return b.heard.size() == 1; }));
  EXPECT_EQ(b.heard[0], std::make_pair(a.address(), longest));
  b.udp->send(b.heard[0].first, "");
  ASSERT_TRUE(run_until(io, [&] { return a.heard.size() == 1; }));
  EXPECT_EQ(a.heard[0].second, "");
  EXPECT_EQ(a.udp->counts().sent_bytes, kDatagramBytesMax);
  EXPECT_EQ(b.udp->counts().received_bytes, kDatagramBytesMax);
}

TEST(SealedUdp, drops_and_counts_what_was_tampered_with_cut_or_never_sealed) {
  asio::io_context io;
  Node a(io, {kOld});
  udp::socket stranger(io, udp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  const udp::endpoint to(asio::ip::make_address("127.0.0.1"), a.udp->port());
  const std::string good = Sealer::create({kOld})->seal("hello");
  std::vector<std::string> bad = {"",
                                  "x",
                                  std::string(4000, 'x'),
                                  good.substr(1),
                                  good + "x",
                                  Sealer::create({kForeign})->seal("hello")};
  for (std::size_t i = 0; i < good.size(); ++i) {
    bad.push_back(good);
    bad.back()[i] = static_cast<char>(bad.back()[i] ^ 1);
  }
  for (const std::string& datagram : bad) stranger.send_to(asio::buffer(datagram), to);
  ASSERT_TRUE(run_until(io, [&] { return a.udp->counts().not_opened == bad.size(); }));
  EXPECT_TRUE(a.heard.empty());
  stranger.send_to(asio::buffer(good), to);  // it still listens, and the good one was good
  ASSERT_TRUE(run_until(io, [&] { return a.heard.size() == 1; }));
  EXPECT_EQ(a.heard[0].second, "hello");
}

TEST(SealedUdp, a_key_is_changed_without_a_lost_datagram) {
  asio::io_context io;
  Node a(io, {kOld});
  Node b(io, {kOld});
  std::size_t sent = 0;
  const auto both_talk = [&] {
    a.udp->send(b.address(), "to b");
    b.udp->send(a.address(), "to a");
    ++sent;
    return run_until(io, [&] { return a.heard.size() == sent && b.heard.size() == sent; });
  };
  ASSERT_TRUE(both_talk());
  ASSERT_TRUE(a.udp->set_keys({kOld, kNew}).ok());  // everybody learns the new one …
  ASSERT_TRUE(both_talk());
  ASSERT_TRUE(b.udp->set_keys({kOld, kNew}).ok());
  ASSERT_TRUE(both_talk());
  ASSERT_TRUE(a.udp->set_keys({kNew, kOld}).ok());  // … then seals with it …
  ASSERT_TRUE(both_talk());
  ASSERT_TRUE(b.udp->set_keys({kNew, kOld}).ok());
  ASSERT_TRUE(both_talk());
  ASSERT_TRUE(a.udp->set_keys({kNew}).ok());  // … then the old one goes
  ASSERT_TRUE(both_talk());
  EXPECT_FALSE(a.udp->set_keys({}).ok());
  EXPECT_FALSE(a.udp->set_keys({"short"}).ok());
  ASSERT_TRUE(both_talk());
  Node late(io, {kOld});
  late.udp->send(a.address(), "too late");
  ASSERT_TRUE(run_until(io, [&] { return a.udp->counts().not_opened == 1; }));
}

TEST(SealedUdp, finds_a_name_and_counts_what_it_cannot_send) {
  asio::io_context io;
  Node a(io, {kOld});
  Node b(io, {kOld});
  const std::string by_name = "localhost:" + std::to_string(b.udp->port());
  a.udp->send(by_name, "first");
  ASSERT_TRUE(run_until(io, [&] { return b.heard.size() == 1; }));
  a.udp->send(by_name, "remembered");
  ASSERT_TRUE(run_until(io, [&] { return b.heard.size() == 2; }));
  a.udp->send("no port", "x");
  a.udp->send("[::1]:9", "x");  // of the other family
  a.udp->send("name-that-is-not.invalid:9", "x");
  EXPECT_TRUE(run_until(io, [&] { return a.udp->counts().not_sent == 3; }));
}

TEST(SealedUdp, takes_both_families_on_one_socket) {
  asio::io_context io;
  auto probe = SealedUdp::create(io, {kOld}, [](const std::string&, std::string_view) {});
  if (!(*probe)->listen("[::1]:0").ok()) GTEST_SKIP() << "this machine has no IPv6";
  Node both(io, {kOld}, "[::]:0");
  Node four(io, {kOld});
  four.udp->send(both.address(), "by four");
  ASSERT_TRUE(run_until(io, [&] { return both.heard.size() == 1; }));
  EXPECT_EQ(both.heard[0].first, four.address());
  both.udp->send(four.address(), "back");
  EXPECT_TRUE(run_until(io, [&] { return four.heard.size() == 1; }));
  (*probe)->send("[::1]:" + std::to_string(both.udp->port()), "by six");
  EXPECT_TRUE(run_until(io, [&] { return both.heard.size() == 2; }));
}

TEST(SealedUdp, a_port_that_is_taken_is_said_to_be) {
  asio::io_context io;
  Node a(io, {kOld});
  auto second = SealedUdp::create(io, {kOld}, [](const std::string&, std::string_view) {});
  const core::Status status = (*second)->listen(a.address());
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().what.find("peer_listen"), std::string::npos);
  EXPECT_FALSE((*second)->listen("some-name:1").ok());
  EXPECT_FALSE(SealedUdp::create(io, {"short"}, nullptr).ok());
}

TEST(Sealer, never_uses_a_nonce_twice_in_practice) {
  const Sealer sealer = *Sealer::create({kOld});
  std::set<std::string> nonces;
  for (int i = 0; i < 10'000; ++i) nonces.insert(sealer.seal("same").substr(5, 12));
  EXPECT_EQ(nonces.size(), 10'000u);
}

RC_GTEST_PROP(SealerProperty, what_is_sealed_opens_and_one_flipped_bit_closes_it, ()) {
  const Sealer sealer = *Sealer::create({kOld, kNew});
  const auto text = *rc::gen::container<std::string>(
      *rc::gen::inRange<std::size_t>(0, core::kPacketBytesMax + 1), rc::gen::arbitrary<char>());
  std::string datagram = sealer.seal(text);
  RC_ASSERT(datagram.size() == text.size() + kSealOverheadBytes);
  RC_ASSERT(*sealer.open(datagram) == text);
  const auto at = *rc::gen::inRange<std::size_t>(0, datagram.size());
  datagram[at] = static_cast<char>(datagram[at] ^ (1 << *rc::gen::inRange(0, 8)));
  RC_ASSERT(!sealer.open(datagram).ok());
}

}  // namespace
}  // namespace syncline::net
