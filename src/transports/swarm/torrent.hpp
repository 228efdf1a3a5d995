// The torrent of an object: BitTorrent v2 (BEP 52), one file, pieces of 1 MiB, private (BEP 27),
// and open only to peers whose certificate the fleet's CA signed (libtorrent's "SSL torrents").
//
// An object's root in the catalog is the file's pieces root, so everybody makes the same torrent
// out of root, size and the fleet's CA: nothing but the bytes and their hashes has to be fetched.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace syncline::transports::swarm {

// The torrent's name, which every node's certificate carries as an alternative name: libtorrent
// accepts a peer whose certificate is for the torrent's name.
inline constexpr const char* kTorrentName = "syncline-fleet";
inline constexpr std::uint64_t kTorrentPieceBytes = 1u << 20;

struct TorrentOf {
  core::Root root;
  std::uint64_t size_bytes = 0;  // > 0
  std::string authority_pem;     // of the fleet's CA
};

// The bencoded info dictionary; its SHA-256 is the torrent's info hash.
std::string info_dictionary(const TorrentOf& object);
// A whole .torrent, for stock clients and for seeding. `piece_layer`: roots of the object's pieces
// of core::kPieceBytes; those of the torrent's, which are larger, follow from them. kInvalid: they
// do not hash to the root.
core::Result<std::string> torrent_file(const TorrentOf& object,
                                       const std::vector<core::Digest256>& piece_layer);

}  // namespace syncline::transports::swarm
