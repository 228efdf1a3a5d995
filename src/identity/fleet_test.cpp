#include "identity/fleet.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "env/files.hpp"
#include "identity/x509.hpp"

namespace syncline::identity {
namespace {

constexpr std::int64_t kNow = 1'790'000'000;

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/syncline-identity-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

bool nobody(const core::NodeId&) {
  return false;
}

// Carries a join straight to the inviting node's state, as the peer port does over TLS.
JoinCall straight_to(const std::string& state_dir, std::int64_t now = kNow) {
  return [state_dir, now](const std::string&, const KeyPair& certificate, const core::Digest256&,
                          const std::string& request) -> core::Result<std::string> {
    const auto key = public_key_hash(certificate.certificate_pem);
    if (!is_invited(state_dir, *key, now)) {
      return core::Error{core::ErrorKind::kUnreachable, "the handshake was refused", ""};
    }
    return answer_join(state_dir, *key, request, now, nobody);
  };
}

std::string invite(const Folder& home) {
  const auto token = create_invite(home.path, {{"training"}, {"127.0.0.1:1"}, kNow, 600});
  EXPECT_TRUE(token.ok());
  return *token;
}

TEST(Fleet, keys_are_for_their_owner_only) {
  const Folder home;
  ASSERT_TRUE(init_fleet(home.path, "lab", core::NodeId("home")).ok());
  for (const char* name : {"ca-key.pem", "node-key.pem", "fleet-key"}) {
    EXPECT_EQ(*env::mode_of(home.path + "/identity/" + name), 0600u) << name;
  }
  ::chmod((home.path + "/identity/node-key.pem").c_str(), 0644);
  const auto open = load_identity(home.path);
  ASSERT_FALSE(open.ok());
  EXPECT_NE(open.error().what.find("chmod 600"), std::string::npos);
}

TEST(Fleet, a_second_init_changes_nothing) {
  const Folder home;
  const auto first = init_fleet(home.path, "lab", core::NodeId("home"));
  ASSERT_TRUE(first.ok());
  const auto second = init_fleet(home.path, "other", core::NodeId("x"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, core::ErrorKind::kConflict);
  EXPECT_EQ(load_identity(home.path)->certificate_pem, first->certificate_pem);
}

TEST(Fleet, openssl_accepts_the_certificates_it_makes) {
  const Folder home;
  const Folder guest;
  ASSERT_TRUE(init_fleet(home.path, "lab", core::NodeId("home")).ok());
  ASSERT_TRUE(
      join_fleet(guest.path, invite(home), core::NodeId("gpu-1"), kNow, straight_to(home.path))
          .ok());
  for (const Folder* folder : {&home, &guest}) {
    const std::string dir = folder->path + "/identity/";
    for (const char* purpose : {"sslserver", "sslclient"}) {
      const std::string command = "openssl verify -x509_strict -purpose " + std::string(purpose) +
                                  " -CAfile " + dir + "ca.pem " + dir + "node.pem >/dev/null";
      EXPECT_EQ(std::system(command.c_str()), 0) << command;
    }
  }
}

TEST(Fleet, a_joiner_gets_certificate_roles_and_the_fleets_key) {
  const Folder home;
  const Folder guest;
  const auto made = init_fleet(home.path, "lab", core::NodeId("home"));
  const auto joined =
      join_fleet(guest.path, invite(home), core::NodeId("gpu-1"), kNow, straight_to(home.path));
  ASSERT_TRUE(joined.ok()) << to_string(joined.error());
  EXPECT_EQ(joined->roles, std::vector<std::string>{"training"});
  const auto loaded = load_identity(guest.path);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->node, core::NodeId("gpu-1"));
  EXPECT_EQ(loaded->fleet_key, made->fleet_key);
  EXPECT_FALSE(loaded->is_authority);
  EXPECT_EQ(create_invite(guest.path, {}).error().kind, core::ErrorKind::kMissing);
}

TEST(Fleet, a_token_works_once) {
  const Folder home;
  const Folder first;
  const Folder second;
  ASSERT_TRUE(init_fleet(home.path, "lab", core::NodeId("home")).ok());
  const std::string token = invite(home);
  ASSERT_TRUE(join_fleet(first.path, token, core::NodeId("a"), kNow, straight_to(home.path)).ok());
  EXPECT_FALSE(
      join_fleet(second.path, token, core::NodeId("b"), kNow, straight_to(home.path)).ok());
  EXPECT_FALSE(env::exists(second.path + "/identity/node.pem"));
}

TEST(Fleet, an_expired_token_is_refused_on_both_sides) {
  const Folder home;
  const Folder guest;
  ASSERT_TRUE(init_fleet(home.path, "lab", core::NodeId("home")).ok());
  const std::string token = invite(home);
  const auto late =
      join_fleet(guest.path, token, core::NodeId("a"), kNow + 601, straight_to(home.path));
  ASSERT_FALSE(late.ok());
  EXPECT_NE(late.error().what.find("expired"), std::string::npos);
  EXPECT_FALSE(join_fleet(guest.path, token, core::NodeId("a"), kNow,  // a clock that lies
                          straight_to(home.path, kNow + 601))
                   .ok());
}

TEST(Fleet, a_name_that_is_taken_is_refused_and_the_token_stays_good) {
  const Folder home;
  const Folder guest;
  ASSERT_TRUE(init_fleet(home.path, "lab", core::NodeId("home")).ok());
  const std::string token = invite(home);
  const auto taken = join_fleet(
      guest.path, token, core::NodeId("home"), kNow,
      [&](const std::string&, const KeyPair& c, const core::Digest256&, const std::string& r) {
        return answer_join(home.path, *public_key_hash(c.certificate_pem), r, kNow,
                           [](const core::NodeId& id) { return id.text == "home"; });
      });
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().kind, core::ErrorKind::kConflict);
  EXPECT_TRUE(join_fleet(guest.path, token, core::NodeId("g"), kNow, straight_to(home.path)).ok());
}

}  // namespace
}  // namespace syncline::identity
