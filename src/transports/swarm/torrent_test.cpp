#include "transports/swarm/torrent.hpp"

#include <gtest/gtest.h>

#include <libtorrent/hasher.hpp>
#include <libtorrent/torrent_info.hpp>

#include "transports/test_destination.hpp"

namespace syncline::transports::swarm {
namespace {

TorrentOf torrent_of(const TestObject& object) {
  return {object.object.root, object.object.size_bytes, "CA in PEM"};
}

std::string bytes_of(const core::Digest256& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

TEST(Torrent, is_one_private_v2_file_whose_pieces_root_is_the_objects_root) {
  const TestObject object = test_object(test_bytes((3u << 20) + 5));
  const auto file = torrent_file(torrent_of(object), object.layer);
  ASSERT_TRUE(file.ok());
  const lt::torrent_info info(*file, lt::from_span);
  EXPECT_TRUE(info.info_hashes().has_v2());
  EXPECT_FALSE(info.info_hashes().has_v1());
  EXPECT_TRUE(info.priv());
  EXPECT_EQ(info.num_pieces(), 4);
  EXPECT_EQ(info.files().file_size(lt::file_index_t(0)), (3 << 20) + 5);
  EXPECT_EQ(info.files().root(lt::file_index_t(0)).to_string(), bytes_of(object.object.root));
  EXPECT_EQ(info.ssl_cert(), "CA in PEM");
  EXPECT_EQ(info.name(), kTorrentName);
}

TEST(Torrent, is_the_same_wherever_it_is_made) {
  const TestObject object = test_object(test_bytes(2u << 20));
  const auto file = torrent_file(torrent_of(object), object.layer);
  ASSERT_TRUE(file.ok());
  const lt::torrent_info from_file(*file, lt::from_span);
  const std::string info = info_dictionary(torrent_of(object));
  EXPECT_EQ(from_file.info_hashes().v2, lt::hasher256(info).final());
}

TEST(Torrent, an_object_of_one_piece_needs_no_layer) {
  for (const std::size_t size : {1u, 16u << 10, (16u << 10) + 1, 1u << 20}) {
    const TestObject object = test_object(test_bytes(size));
    EXPECT_TRUE(torrent_file(torrent_of(object), {}).ok()) << size;
  }
}

TEST(Torrent, wrong_piece_roots_are_refused) {
  const TestObject object = test_object(test_bytes(3u << 20));
  auto layer = object.layer;
  layer[1].bytes[0] ^= 1;
  EXPECT_EQ(torrent_file(torrent_of(object), layer).error().kind, core::ErrorKind::kInvalid);
  layer.pop_back();
  EXPECT_EQ(torrent_file(torrent_of(object), layer).error().kind, core::ErrorKind::kInvalid);
}

}  // namespace
}  // namespace syncline::transports::swarm
