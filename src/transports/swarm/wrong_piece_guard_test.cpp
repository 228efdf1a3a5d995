// Over real sessions of libtorrent on loopback: what it asks its peers for after a wrong piece.
#include "transports/swarm/wrong_piece_guard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_info.hpp>
#include <thread>

#include "core/test_bytes.hpp"

namespace syncline::transports::swarm {
namespace {

using Clock = std::chrono::steady_clock;

// Fewer than 512 blocks: what libtorrent does wrong beyond them does no harm here.
constexpr std::size_t kBytes = 4u << 20;
constexpr auto kPatience = std::chrono::seconds(60);

lt::settings_pack quiet() {
  lt::settings_pack pack;
  pack.set_str(lt::settings_pack::listen_interfaces, "127.0.0.1:0");
  pack.set_bool(lt::settings_pack::enable_dht, false);
  pack.set_bool(lt::settings_pack::enable_lsd, false);
  pack.set_bool(lt::settings_pack::allow_multiple_connections_per_ip, true);
  pack.set_int(lt::settings_pack::alert_mask,
               static_cast<int>(static_cast<std::uint32_t>(lt::alert_category::peer_log |
                                                           lt::alert_category::status)));
  return pack;
}

class WrongPieceGuardTest : public testing::Test {
 protected:
  WrongPieceGuardTest()
      : folder_(testing::TempDir() + "wrong_piece_guard." + std::to_string(::getpid())) {}
  ~WrongPieceGuardTest() override { std::filesystem::remove_all(folder_); }

  std::string place(const std::string& who, const std::string& content) {
    const std::string folder = folder_ + "/" + who;
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/object", std::ios::binary) << content;
    return folder;
  }

  // Of its pieces' hashes, as a seed of ours has them; none of its blocks.
  std::vector<char> torrent_of(const std::string& folder) {
    lt::file_storage files;
    lt::add_files(files, folder + "/object");
    lt::create_torrent made(files, 256 << 10, lt::create_torrent::v2_only);
    lt::set_piece_hashes(made, folder);
    return made.generate_buf();
  }

  // What a session says it sent, "HASH_REQUEST" and what follows, until a second after the wrong
  // piece.
  std::vector<std::string> asked_after_a_wrong_piece(bool is_guarded, bool is_liar_first) {
    const std::string right = core::test_bytes(kBytes);
    std::string wrong = right;
    for (std::size_t i = 0; i < wrong.size(); i += 16u << 10) wrong[i] ^= 1;
    const std::vector<char> torrent = torrent_of(place("right", right));
    lt::session seeds[2] = {lt::session(lt::session_params(quiet())),
                            lt::session(lt::session_params(quiet()))};
    lt::session session((lt::session_params(quiet())));
    lt::add_torrent_params params;
    params.ti = std::make_shared<lt::torrent_info>(torrent, lt::from_span);
    params.save_path = place("here", "");
    if (is_guarded) {
      params.extensions.emplace_back([](const auto&, auto) { return wrong_piece_guard(); });
    }
    const lt::torrent_handle handle = session.add_torrent(params);
    params.extensions.clear();
    params.have_pieces.resize(params.ti->num_pieces(), true);
    params.flags |= lt::torrent_flags::no_verify_files;
    for (const bool is_liar : {is_liar_first, !is_liar_first}) {
      lt::session& seed = seeds[is_liar ? 1 : 0];
      params.save_path = place(is_liar ? "liar" : "right", is_liar ? wrong : right);
      const lt::torrent_handle seeded = seed.add_torrent(params);
      if (!is_liar)
        seeded.set_upload_limit(static_cast<int>(kBytes / 16));  // whole pieces are lies
      handle.connect_peer({lt::make_address("127.0.0.1"), seed.listen_port()});
      if (!is_liar)
        std::this_thread::sleep_for(std::chrono::milliseconds(300));  // hands are shaken
    }
    std::vector<std::string> asked;
    auto until = Clock::now() + kPatience;
    bool is_wrong = false;
    while (Clock::now() < until) {
      session.wait_for_alert(std::chrono::milliseconds(50));
      std::vector<lt::alert*> alerts;
      session.pop_alerts(&alerts);
      for (const lt::alert* alert : alerts) {
        if (lt::alert_cast<lt::hash_failed_alert>(alert) != nullptr && !is_wrong) {
          is_wrong = true;
          until = Clock::now() + std::chrono::seconds(1);
        }
        const auto* log = lt::alert_cast<lt::peer_log_alert>(alert);
        if (log == nullptr || log->direction != lt::peer_log_alert::outgoing_message) continue;
        if (log->event_type == std::string("HASH_REQUEST")) asked.emplace_back(log->log_message());
      }
    }
    EXPECT_TRUE(is_wrong) << "no wrong piece came";
    return asked;
  }

  std::string folder_;
};

std::size_t for_blocks(const std::vector<std::string>& asked) {
  return std::count_if(asked.begin(), asked.end(), [](const std::string& one) {
    return one.find("base: 0") != std::string::npos;
  });
}

TEST_F(WrongPieceGuardTest, without_it_the_hashes_of_blocks_are_asked_for_which_nobody_has) {
  EXPECT_GT(for_blocks(asked_after_a_wrong_piece(false, false)), 0u);
}

TEST_F(WrongPieceGuardTest, no_peer_is_asked_for_the_hashes_of_blocks) {
  EXPECT_EQ(for_blocks(asked_after_a_wrong_piece(true, false)), 0u);
}

TEST_F(WrongPieceGuardTest, nor_is_one_that_shakes_hands_only_then) {
  EXPECT_EQ(for_blocks(asked_after_a_wrong_piece(true, true)), 0u);
}

}  // namespace
}  // namespace syncline::transports::swarm
