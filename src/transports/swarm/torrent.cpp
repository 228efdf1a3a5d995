#include "transports/swarm/torrent.hpp"

#include <libtorrent/bencode.hpp>
#include <libtorrent/entry.hpp>

#include "core/merkle.hpp"

namespace syncline::transports::swarm {

namespace {

constexpr std::size_t kPiecesPerTorrentPiece = kTorrentPieceBytes / core::kPieceBytes;

std::string bytes_of(const core::Digest256& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

lt::entry info_entry(const TorrentOf& object) {
  lt::entry file;
  file["length"] = static_cast<std::int64_t>(object.size_bytes);
  file["pieces root"] = bytes_of(object.root);
  lt::entry info;
  info["file tree"][kTorrentName][""] = file;
  info["meta version"] = 2;
  info["name"] = kTorrentName;
  info["piece length"] = static_cast<std::int64_t>(kTorrentPieceBytes);
  info["private"] = 1;
  info["ssl-cert"] = object.authority_pem;
  return info;
}

std::string encoded(const lt::entry& entry) {
  std::string out;
  lt::bencode(std::back_inserter(out), entry);
  return out;
}

}  // namespace

std::string info_dictionary(const TorrentOf& object) {
  return encoded(info_entry(object));
}

core::Result<std::string> torrent_file(const TorrentOf& object,
                                       const std::vector<core::Digest256>& piece_layer) {
  lt::entry torrent;
  torrent["info"] = info_entry(object);
  lt::entry layers(lt::entry::dictionary_t);
  if (object.size_bytes > kTorrentPieceBytes) {
    const std::uint64_t pieces = (object.size_bytes + core::kPieceBytes - 1) / core::kPieceBytes;
    if (piece_layer.size() != pieces ||
        core::root_of_layer(piece_layer, core::kPieceBlocks) != object.root) {
      return core::Error{core::ErrorKind::kInvalid,
                         "these are not the roots of the object's pieces",
                         core::to_hex(object.root)};
    }
    std::string layer;
    for (const core::Digest256& root :
         core::coarser_layer(piece_layer, core::kPieceBlocks, kPiecesPerTorrentPiece)) {
      layer += bytes_of(root);
    }
    layers[bytes_of(object.root)] = layer;
  }
  torrent["piece layers"] = layers;
  return encoded(torrent);
}

}  // namespace syncline::transports::swarm
