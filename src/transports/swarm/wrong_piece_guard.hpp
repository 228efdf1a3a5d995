#pragma once

#include <memory>

namespace libtorrent {
struct torrent_plugin;
}

namespace syncline::transports::swarm {

/// For one torrent, in libtorrent's own thread: from the first wrong piece on no peer is asked for
/// hashes any more, until the torrent is paused (which the alert of it leads to, a little later).
///
/// After a wrong piece libtorrent asks its peers for the hashes of that piece's blocks. Whoever has
/// the hashes of pieces only, as our seeds do, rejects that, and libtorrent 2.0.8 takes every
/// rejection for one of piece hashes: hash_picker::hashes_rejected writes beyond the end of a
/// vector where the number of the block is 512 or more.
std::shared_ptr<libtorrent::torrent_plugin> wrong_piece_guard();

}  // namespace syncline::transports::swarm
