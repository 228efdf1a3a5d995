// What exchange_fixture.hpp declares.
#include "transports/p2p/exchange_fixture.hpp"

#include <asio/io_context.hpp>
#include <chrono>

#include "identity/x509.hpp"

namespace syncline::transports::p2p {

struct Exchanging::Fleet {
  identity::KeyPair authority = *identity::make_authority({"lab fleet", "lab"});
  asio::io_context io;

  net::TlsIdentity tls(const std::string& name) const {
    const auto own = *identity::make_request({name, "lab"});
    return {authority.certificate_pem,
            *identity::sign_request(authority, own.request_pem, {name, "lab"}), own.key_pem};
  }
};

Exchanging::Exchanging() : fleet(std::make_shared<Fleet>()) {}

void Exchanging::start() {
  me = std::make_unique<Peer>(fleet->io, "me", fleet->tls("me"), limits);
  one = std::make_unique<Peer>(fleet->io, "one", fleet->tls("one"), limits);
  two = std::make_unique<Peer>(fleet->io, "two", fleet->tls("two"), limits);
  link(*one);
  link(*two);
}

void Exchanging::link(Peer& other) {
  me->links->dial(other.address(), other.id);
  ASSERT_TRUE(run_until([&] { return me->up.count(other.id) && other.up.count(me->id); }));
}

bool Exchanging::run_until(const std::function<bool()>& done, int seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!done() && std::chrono::steady_clock::now() < deadline) {
    fleet->io.restart();
    fleet->io.run_for(std::chrono::milliseconds(2));
  }
  return done();
}

void Exchanging::TearDown() {
  for (Peer* peer : {me.get(), one.get(), two.get()}) {
    if (peer) peer->links->shutdown();
  }
  run_until([] { return true; });
}

void Exchanging::expect_whole(const std::shared_ptr<Followed>& fetch, const std::string& bytes) {
  ASSERT_TRUE(run_until([&] { return fetch->is_done(); }));
  ASSERT_TRUE(fetch->outcome.status.ok()) << core::to_string(fetch->outcome.status.error());
  EXPECT_TRUE(fetch->destination()->content() == bytes);
  EXPECT_EQ(fetch->done_count, 1);
}

}  // namespace syncline::transports::p2p
