#include "net/links.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <filesystem>
#include <thread>

#include "identity/fleet.hpp"
#include "identity/x509.hpp"

namespace syncline::net {
namespace {

using core::NodeId;
constexpr std::int64_t kNow = 1'790'000'000;

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/syncline-net-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

// A fleet on paper: certificates of one CA.
struct Paper {
  identity::KeyPair authority = *identity::make_authority({"lab fleet", "lab"});
  TlsIdentity node(const std::string& name) const {
    const auto own = *identity::make_request({name, "lab"});
    return {authority.certificate_pem,
            *identity::sign_request(authority, own.request_pem, {name, "lab"}), own.key_pem};
  }
};

// One node's links, and what they told.
struct Node {
  asio::io_context& io;
  NodeId id;
  std::map<NodeId, std::string> up;
  std::vector<std::string> down;
  std::vector<std::string> failed;
  std::vector<wire::WireMessage> messages;
  LinkCallbacks callbacks;
  std::unique_ptr<Links> links;

  Node(asio::io_context& i, const std::string& name, const TlsIdentity& tls, LinkLimits limits = {},
       LinkCallbacks extra = {})
      : io(i), id(name), callbacks(std::move(extra)) {
    callbacks.on_up = [this](const NodeId& p, const core::Hello&, const std::string& a) {
      up[p] = a;
    };
    callbacks.on_down = [this](const NodeId& p, const std::string& why) {
      up.erase(p);
      down.push_back(why);
    };
    callbacks.on_message = [this](const NodeId&, wire::WireMessage m) {
      messages.push_back(std::move(m));
    };
    callbacks.on_dial_failed = [this](const std::string&, const std::string& why) {
      failed.push_back(why);
    };
    core::Hello hello;
    hello.fleet = "lab";
    links = std::move(Links::create(io, tls, hello, id, limits, callbacks)).value();
    EXPECT_TRUE(links->listen("127.0.0.1:0").ok());
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(links->port()); }
};

template <typename Done>
bool run_until(asio::io_context& io, Done done, int ms = 5000) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (!done() && std::chrono::steady_clock::now() < deadline) {
    io.restart();
    io.run_for(std::chrono::milliseconds(5));
  }
  return done();
}

TEST(Links, two_nodes_of_one_fleet_find_each_other_and_talk) {
  asio::io_context io;
  const Paper paper;
  Node a(io, "a", paper.node("a"));
  Node b(io, "b", paper.node("b"));
  a.links->dial(b.address(), NodeId("b"));
  ASSERT_TRUE(run_until(io, [&] { return a.up.count(NodeId("b")) && b.up.count(NodeId("a")); }));
  EXPECT_EQ(a.up[NodeId("b")], b.address());
  EXPECT_TRUE(b.links->send(NodeId("a"), core::Message(core::Goodbye{"hello"})));
  ASSERT_TRUE(run_until(io, [&] { return a.messages.size() == 1; }));
  EXPECT_FALSE(b.links->send(NodeId("nobody"), core::Message(core::Goodbye{""})));
}

TEST(Links, frames_of_every_size_arrive_in_order_and_as_they_were_sent) {
  asio::io_context io;
  const Paper paper;
  Node a(io, "a", paper.node("a"));
  Node b(io, "b", paper.node("b"));
  a.links->dial(b.address(), NodeId("b"));
  ASSERT_TRUE(run_until(io, [&] { return a.up.count(NodeId("b")) && b.up.count(NodeId("a")); }));
  std::vector<std::size_t> sizes;
  for (std::size_t size = 1; size < 200; ++size) sizes.push_back(size);
  for (const std::size_t size :
       {4'096u, 16'384u, 65'535u, 65'536u, 70'000u, 262'144u, 1'000'000u}) {
    sizes.insert(sizes.end(), {size, 10u, size});  // small ones between large ones
  }
  const auto content = [](std::size_t number, std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(number * 131 + i * 7);
    return bytes;
  };
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    a.links->send(NodeId("b"), wire::ObjectData{i, 0, content(i, sizes[i]), 0});
  }
  ASSERT_TRUE(run_until(
      io, [&] { return b.messages.size() == sizes.size(); }, 20'000));
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto* data = std::get_if<wire::ObjectData>(&b.messages[i]);
    ASSERT_NE(data, nullptr);
    EXPECT_EQ(data->job, i);
    EXPECT_TRUE(data->bytes == content(i, sizes[i])) << sizes[i] << " bytes";
  }
}

TEST(Links, both_dialling_at_once_end_with_one_link_on_both_sides) {
  asio::io_context io;
  const Paper paper;
  Node a(io, "a", paper.node("a"));
  Node b(io, "b", paper.node("b"));
  for (int round = 0; round < 5; ++round) {
    a.links->dial(b.address(), {});
    b.links->dial(a.address(), {});
  }
  run_until(
      io, [] { return false; }, 500);
  ASSERT_EQ(a.up.size(), 1u);
  ASSERT_EQ(b.up.size(), 1u);
  a.messages.clear();
  b.links->send(NodeId("a"), core::Message(core::Goodbye{"still there"}));
  EXPECT_TRUE(run_until(io, [&] { return a.messages.size() == 1; }));
}

TEST(Links, a_certificate_of_another_fleet_gets_nothing) {
  asio::io_context io;
  const Paper ours;
  const Paper theirs;
  Node a(io, "a", ours.node("a"));
  Node stranger(io, "s", theirs.node("s"));
  stranger.links->dial(a.address(), {});
  ASSERT_TRUE(run_until(io, [&] { return !stranger.failed.empty(); }));
  EXPECT_TRUE(a.up.empty());
  EXPECT_TRUE(stranger.up.empty());
}

TEST(Links, a_peer_without_certificate_gets_no_byte_of_application_data) {
  asio::io_context io;
  const Paper paper;
  Node a(io, "a", paper.node("a"));
  std::string printed;
  bool is_done = false;
  std::thread client([&] {
    const std::string command =
        "echo hi | timeout 3 openssl s_client -quiet -connect " + a.address() + " 2>/dev/null";
    FILE* out = ::popen(command.c_str(), "r");
    char buffer[256];
    std::size_t got = 0;
    while ((got = ::fread(buffer, 1, sizeof(buffer), out)) > 0) printed.append(buffer, got);
    ::pclose(out);
    asio::post(io, [&] { is_done = true; });
  });
  run_until(
      io, [&] { return is_done; }, 8000);
  client.join();
  EXPECT_EQ(printed, "");
  EXPECT_TRUE(a.up.empty());
}

TEST(Links, a_connection_that_says_nothing_is_dropped_in_time) {
  asio::io_context io;
  const Paper paper;
  LinkLimits limits;
  limits.hello_timeout = core::milliseconds(100);
  Node a(io, "a", paper.node("a"), limits);
  asio::ip::tcp::socket silent(io);
  silent.connect({asio::ip::make_address("127.0.0.1"), a.links->port()});
  bool is_closed = false;
  char byte = 0;
  silent.async_read_some(asio::buffer(&byte, 1), [&](const std::error_code& error, std::size_t) {
    is_closed = bool(error);
  });
  EXPECT_TRUE(run_until(
      io, [&] { return is_closed; }, 2000));
}

TEST(Links, control_goes_before_data) {
  asio::io_context io;
  const Paper paper;
  int sent = 0;
  LinkCallbacks with_data;
  with_data.next_data = [&](const NodeId&) -> std::optional<wire::WireMessage> {
    if (sent == 200) return std::nullopt;
    ++sent;
    return wire::ObjectData{1, 0, std::string(kDataFrameBytes, 'd')};
  };
  Node a(io, "a", paper.node("a"), {}, with_data);
  Node b(io, "b", paper.node("b"));
  a.links->dial(b.address(), {});
  ASSERT_TRUE(run_until(io, [&] { return a.up.size() == 1 && b.up.size() == 1; }));
  a.links->data_ready(NodeId("b"));
  ASSERT_TRUE(run_until(io, [&] { return b.messages.size() > 10; }));
  const std::size_t before = b.messages.size();
  a.links->send(NodeId("b"), core::Message(core::Goodbye{"now"}));
  std::size_t at = 0;
  ASSERT_TRUE(run_until(io, [&] {
    for (std::size_t i = before; i < b.messages.size(); ++i) {
      if (std::holds_alternative<core::Message>(b.messages[i])) at = i;
    }
    return at > 0;
  }));
  EXPECT_LE(at - before, 40u) << "waited behind the kernel's buffers at most";
  EXPECT_LT(at, 200u);
}

TEST(Links, a_joiner_gets_in_with_an_open_invite_and_only_to_join) {
  const Folder home;
  const Folder guest;
  const auto made = identity::init_fleet(home.path, "lab", NodeId("home"));
  ASSERT_TRUE(made.ok());
  asio::io_context io;
  LinkCallbacks joins;
  joins.is_invited = [&](const core::Digest256& key) {
    return identity::is_invited(home.path, key, kNow);
  };
  joins.on_join = [&](const core::Digest256& key, const std::string& request) {
    return identity::answer_join(home.path, key, request, kNow,
                                 [](const NodeId&) { return false; });
  };
  Node a(io, "home", {made->ca_pem, made->certificate_pem, made->key_pem}, {}, joins);
  const auto token = identity::create_invite(home.path, {{}, {a.address()}, kNow, 600});
  ASSERT_TRUE(token.ok());
  auto join = [&](const std::string& dir) {
    return identity::join_fleet(dir, *token, NodeId("gpu-1"), kNow,
                                [&](const std::string& address, const identity::KeyPair& c,
                                    const core::Digest256& ca, const std::string& request) {
                                  core::Result<std::string> answer = core::Error{};
                                  bool is_done = false;
                                  std::thread caller([&] {
                                    answer = join_call(address, c.certificate_pem, c.key_pem, ca,
                                                       request, core::seconds(5));
                                    asio::post(io, [&] { is_done = true; });
                                  });
                                  run_until(
                                      io, [&] { return is_done; }, 8000);
                                  caller.join();
                                  return answer;
                                });
  };
  const auto joined = join(guest.path);
  ASSERT_TRUE(joined.ok()) << to_string(joined.error());
  const Folder second;
  EXPECT_FALSE(join(second.path).ok()) << "a token works once";
  Node b(io, "gpu-1",
         {joined->identity.ca_pem, joined->identity.certificate_pem, joined->identity.key_pem});
  b.links->dial(a.address(), {});
  EXPECT_TRUE(run_until(io, [&] { return a.up.count(NodeId("gpu-1")) == 1; }));
}

}  // namespace
}  // namespace syncline::net
