#include "transports/swarm/wrong_piece_guard.hpp"

#include <algorithm>
#include <libtorrent/error_code.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/torrent_peer.hpp>
#include <vector>

namespace syncline::transports::swarm {
namespace {

// Of one peer. Who shakes hands after the wrong piece is told nothing at all.
struct Door : lt::peer_plugin {
  Door(lt::peer_connection_handle peer, std::shared_ptr<const bool> is_wrong)
      : peer_(std::move(peer)), is_wrong_(std::move(is_wrong)) {}
  bool on_handshake(lt::span<const char>) override {
    if (*is_wrong_) peer_.disconnect(lt::errors::torrent_paused, lt::operation_t::bittorrent);
    return true;
  }
  lt::peer_connection_handle peer_;
  std::shared_ptr<const bool> is_wrong_;
};

struct Guard : lt::torrent_plugin {
  std::shared_ptr<lt::peer_plugin> new_connection(const lt::peer_connection_handle& peer) override {
    peers_.erase(std::remove_if(peers_.begin(), peers_.end(),
                                [](const auto& one) { return one.native_handle() == nullptr; }),
                 peers_.end());
    peers_.push_back(peer);
    return std::make_shared<Door>(peer, is_wrong_);
  }

  // Is called within the very step in which libtorrent notes down what it will ask for. To
  // disconnect here would free what that step goes on to use; who does not speak version 2 is not
  // asked.
  void on_piece_failed(lt::piece_index_t) override {
    *is_wrong_ = true;
    for (const lt::peer_connection_handle& peer : peers_) {
      const auto connection = peer.native_handle();
      lt::torrent_peer* info = connection ? connection->peer_info_struct() : nullptr;
      if (info != nullptr) info->protocol_v2 = false;
    }
  }

  std::vector<lt::peer_connection_handle> peers_;
  const std::shared_ptr<bool> is_wrong_ = std::make_shared<bool>(false);
};

}  // namespace

std::shared_ptr<lt::torrent_plugin> wrong_piece_guard() {
  return std::make_shared<Guard>();
}

}  // namespace syncline::transports::swarm
