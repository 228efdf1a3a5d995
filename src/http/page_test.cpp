// The page in a real browser: headless Chromium loads it from the real server, runs its script and
// prints the document that came of it.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "http/server_fixture.hpp"

namespace syncline::http {
namespace {

class PageTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    auto& status = api_.status_answer;
    status.node = "home";
    status.fleet = "chess";
    status.acks = 2;
    facade::CollectionStatus games;
    games.name = "games<b>";
    games.kind = "sqlite";
    games.known = 1204;
    games.durable = 1192;
    games.pending = 12;
    games.pending_bytes = 84'000;
    games.oldest_pending_age_s = 95;
    games.freshness_target_s = 60;
    games.is_over_target = true;
    games.why = "vault is unreachable";
    status.collections.push_back(games);
    facade::PeerStatus vault;
    vault.id = "vault";
    vault.state = "unreachable";
    vault.disk_used_percent = 83;
    status.peers.push_back(vault);
    facade::TransferRow transfer;
    transfer.object = "models/canonical_hex8_2p.pth";
    transfer.state = "running";
    transfer.bytes_total = 100;
    transfer.bytes_done = 62;
    api_.transfers_answer.push_back(transfer);
    facade::EventRow event;
    event.id = 1;
    event.type = "data_sync_failed";
    event.message = "twelve games are not at vault";
    api_.add_event(event);
  }

  // The document after its script has run for a while; empty if there is no browser.
  std::string document_at(const std::string& address) {
    const std::string command = "HOME='" + folder_ +
                                "' timeout 60 chromium --headless=new --no-sandbox --disable-gpu "
                                "--disable-dev-shm-usage --no-first-run --user-data-dir='" +
                                folder_ + "/browser' --virtual-time-budget=4000 --dump-dom '" +
                                address + "' 2>/dev/null";
    std::string out;
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 4096> piece{};
    while (const std::size_t got = fread(piece.data(), 1, piece.size(), pipe)) {
      out.append(piece.data(), got);
    }
    pclose(pipe);
    return out;
  }

  void expect_the_fleet_is_shown(const std::string& document) {
    const char* wanted[] = {"Not safe: games&lt;b&gt;",     "chess · home", "1,192 of 1,204",
                            "vault is unreachable",         "unreachable",  "83 %",
                            "canonical_hex8_2p.pth",        "width: 62%;",  "1 min 35 s",
                            "twelve games are not at vault"};
    for (const char* text : wanted) {
      EXPECT_NE(document.find(text), std::string::npos) << text << " is not in\n" << document;
    }
    EXPECT_EQ(document.find("<h3>games<b>"), std::string::npos);
  }
};

TEST_F(PageTest, shows_what_is_not_safe_and_why_to_a_real_browser) {
  if (std::system("command -v chromium >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no chromium on this machine; packages.txt names it";
  }
  config_.node.http_listen = {"open:127.0.0.1:0"};
  start();
  expect_the_fleet_is_shown(document_at(server_->addresses().at(0)));
}

TEST_F(PageTest, takes_the_token_of_its_address_and_asks_for_one_without) {
  if (std::system("command -v chromium >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no chromium on this machine; packages.txt names it";
  }
  config_.node.http_listen = {"127.0.0.1:0"};
  start();
  const std::string address = server_->addresses().at(0);
  const std::string locked = document_at(address);
  EXPECT_NE(locked.find("A token is needed"), std::string::npos) << locked;
  EXPECT_EQ(locked.find("1,192"), std::string::npos);
  expect_the_fleet_is_shown(document_at(address + "/?token=" + token()));
}

}  // namespace
}  // namespace syncline::http
