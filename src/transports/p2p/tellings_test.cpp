#include "transports/p2p/tellings.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "wire/frame.hpp"

namespace syncline::transports::p2p {
namespace {

TEST(Tellings, of_nothing_are_one_message_that_asks) {
  const auto messages = tellings({}, {}, true);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_TRUE(messages[0].asks);
  EXPECT_TRUE(messages[0].pieces.empty());
}

TEST(Tellings, of_an_object_of_terabytes_fit_into_frames_and_name_each_piece_once) {
  std::vector<std::uint32_t> pieces(3'000'000);
  std::iota(pieces.begin(), pieces.end(), 4'000'000'000u);  // the longest numbers
  std::vector<std::uint32_t> told;
  int asking = 0;
  for (const wire::ObjectPieces& message : tellings({}, pieces, true)) {
    EXPECT_TRUE(wire::encode_frame(message).ok());
    told.insert(told.end(), message.pieces.begin(), message.pieces.end());
    asking += message.asks ? 1 : 0;
  }
  EXPECT_EQ(told, pieces);
  EXPECT_EQ(asking, 1);
  EXPECT_FALSE(wire::encode_frame(wire::ObjectPieces{{}, pieces, true}).ok()) << "at once: no";
}

}  // namespace
}  // namespace syncline::transports::p2p
