// The fixture of the exchange's tests: three nodes of one fleet, linked over TLS on this machine.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "transports/p2p/exchange_test_support.hpp"

namespace syncline::transports::p2p {

// `me` fetches, `one` and `two` serve.
struct Exchanging : ::testing::Test {
  Exchanging();
  void SetUp() override { start(); }
  void TearDown() override;
  void start();
  void link(Peer& other);
  bool run_until(const std::function<bool()>& done, int seconds = 20);
  void expect_whole(const std::shared_ptr<Followed>& fetch, const std::string& bytes);

  struct Fleet;  // the authority, and the loop of all links
  std::shared_ptr<Fleet> fleet;
  ExchangeLimits limits;
  std::unique_ptr<Peer> me;
  std::unique_ptr<Peer> one;
  std::unique_ptr<Peer> two;
};

}  // namespace syncline::transports::p2p
