#include "wire/frame.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/sha256.hpp"

namespace syncline::wire {
namespace {

const core::LogId kLog{core::CollectionName("games"), core::NodeId("spot-1"), {3}};

core::AppendRecords records(std::size_t count, std::size_t bytes) {
  auto batch = std::make_shared<core::RecordBatch>();
  batch->log = kLog;
  const std::string schema = to_hex(core::sha256("games(id)")).substr(0, 16);
  batch->schemas[schema] = "games(id)";
  for (std::size_t i = 1; i <= count; ++i) {
    core::Record record;
    record.seq = {i * 2};
    record.committed_at = {-5};
    record.hlc = 7;
    record.unit.key = "k\xff" + std::to_string(i);  // no UTF-8
    record.unit.config_key = core::ConfigKey("hex8_2p");
    record.unit.schema = schema;
    record.unit.hash.bytes[3] = static_cast<std::uint8_t>(i);
    record.unit.bytes = std::string(bytes, static_cast<char>('a' + i % 20));
    batch->records.push_back(record);
  }
  return {batch};
}

core::Result<WireMessage> through_the_wire(WireMessage message) {
  auto frame = encode_frame(std::move(message));
  EXPECT_TRUE(frame.ok());
  auto sizes = decode_prefix(frame->head.substr(0, kFramePrefixBytes));
  EXPECT_TRUE(sizes.ok());
  EXPECT_EQ(sizes->payload_bytes, frame->payload.size());
  return decode_frame(std::string_view(frame->head).substr(kFramePrefixBytes), frame->payload);
}

std::vector<WireMessage> one_of_each() {
  core::DeltaMessage delta;
  delta.delta.parts.push_back(
      {core::NodeId("a"), 5, 1, 4, {{2, "k", "v", false}, {4, "l", "", true}}});
  core::DigestMessage digest;
  digest.digest.marks[core::NodeId("a")] = {1, 2};
  core::Root root;
  root.bytes[0] = 9;
  return {core::Message(core::Hello{1, 1, "lab", 7, "h:1"}),
          core::Message(core::AckRecords{kLog, *core::parse_seq_set("1-5,9")}),
          core::Message(core::RefuseRecords{kLog, "full", 10}),
          core::Message(core::RequestRecords{kLog, *core::parse_seq_set("3")}),
          core::Message(digest),
          core::Message(delta),
          core::Message(core::NudgeMessage{core::CollectionName("models"), 1500, "ssh", 12500, 7}),
          core::Message(core::FleetKey{7, std::string(32, 'k')}),
          core::Message(core::Goodbye{"bye"}),
          core::Message(core::Packet{core::NodeId("a"), core::PacketAck{7}, {}}),
          core::Message(core::PushPull{
              true, {{core::NodeId("b"), core::MemberState::kDead, 4, core::NodeId("a"), 9, {}}}}),
          ObjectRequest{1, root, 1 << 20, 1 << 18, true},
          ObjectData{1, 5, std::string(1000, 'x')},
          ObjectData{1, 5, std::string(10, 'z'), 1000},
          LayerRequest{2, root},
          LayerRequest{2, root, 0},
          LayerReply{2, std::string(64, 'h')},
          LayerReply{2, std::string(64, 'h'), 7},
          ObjectRefused{3, 4, "gone"},
          ObjectRefused{3, 4, "later", true},
          CancelJob{9},
          SeedRequest{root},
          ObjectPieces{root, {0, 7, 70'000}, true},
          ObjectPieces{root, {}, false, {3, 9}},
          BundleRequest{4, {{root, 5}, {root, 4096}}, true},
          BundleData{4, {1}, "12345"},
          BundleData{4, {}, "packed", 4101},
          BundleData{4, {0, 1}, ""},
          Ping{3, true},
          JoinRequest{"r"},
          JoinAnswer{true, "a", ""}};
}

TEST(Frame, every_message_comes_back_as_it_was_sent) {
  for (const WireMessage& message : one_of_each()) {
    const auto back = through_the_wire(message);
    ASSERT_TRUE(back.ok()) << message.index();
    ASSERT_EQ(back->index(), message.index());
    // Equal messages make equal bytes.
    EXPECT_EQ(encode_frame(*back)->head, encode_frame(message)->head);
    EXPECT_EQ(encode_frame(*back)->payload, encode_frame(message)->payload);
  }
}

TEST(Frame, records_come_back_and_are_compressed_where_it_pays) {
  for (std::size_t bytes : {10u, 5000u}) {
    const auto sent = records(10, bytes);
    const auto back = through_the_wire(core::Message(sent));
    ASSERT_TRUE(back.ok());
    const auto& got = std::get<core::AppendRecords>(std::get<core::Message>(*back));
    EXPECT_EQ(*got.batch, *sent.batch);
  }
  EXPECT_LT(encode_frame(core::Message(records(10, 5000)))->payload.size(), 5000u);
  EXPECT_EQ(encode_frame(core::Message(records(1, 10)))->payload.size(), 10u);
}

TEST(Frame, a_size_beyond_the_bound_is_refused_before_anything_is_allocated) {
  EXPECT_FALSE(decode_prefix(std::string("\xff\xff\xff\xff\0\0\0\0", 8)).ok());
  EXPECT_FALSE(decode_prefix(std::string("\0\0\0\0\xff\xff\xff\x7f", 8)).ok());
  EXPECT_TRUE(decode_prefix(std::string("\0\0\0\0\0\0\0\0", 8)).ok());
}

TEST(Frame, packed_bytes_of_an_object_that_claim_more_than_a_piece_are_refused) {
  const auto fits = encode_frame(ObjectData{1, 0, std::string(10, 'z'), 1u << 20});
  const auto too_many = encode_frame(ObjectData{1, 0, std::string(10, 'z'), (1u << 20) + 1});
  const auto header = [](const Frame& frame) { return frame.head.substr(kFramePrefixBytes); };
  EXPECT_TRUE(decode_frame(header(*fits), fits->payload).ok());
  EXPECT_FALSE(decode_frame(header(*too_many), too_many->payload).ok());
}

TEST(Frame, a_bundle_of_too_many_too_large_or_empty_objects_is_refused) {
  const auto is_read = [](WireMessage message) {
    const auto frame = encode_frame(std::move(message));
    return decode_frame(std::string_view(frame->head).substr(kFramePrefixBytes), frame->payload)
        .ok();
  };
  const auto request = [](std::size_t count, std::uint32_t size) {
    return BundleRequest{1, std::vector<BundleRequest::Object>(count, {{}, size}), true};
  };
  EXPECT_TRUE(is_read(request(kBundleObjectsMax, kBundleBytesMax / kBundleObjectsMax)));
  EXPECT_FALSE(is_read(request(kBundleObjectsMax + 1, 1)));
  EXPECT_FALSE(is_read(request(2, kBundleBytesMax / 2 + 1)));
  EXPECT_FALSE(is_read(request(1, 0)));
  EXPECT_FALSE(is_read(request(0, 1)));
  EXPECT_TRUE(is_read(BundleData{1, {0, 2}, std::string(kBundleBytesMax, 'x')}));
  EXPECT_FALSE(is_read(BundleData{1, {}, std::string(kBundleBytesMax + 1, 'x')}));
  EXPECT_FALSE(is_read(BundleData{1, {}, "z", kBundleBytesMax + 1}));
  EXPECT_FALSE(is_read(BundleData{1, {2, 2}, "x"}));
  EXPECT_FALSE(is_read(BundleData{1, std::vector<std::uint32_t>(kBundleObjectsMax + 1), ""}));
}

TEST(Frame, a_header_cut_anywhere_or_with_the_wrong_payload_is_refused_or_another_message) {
  const auto frame = encode_frame(core::Message(records(3, 2000)));
  const std::string_view header = std::string_view(frame->head).substr(kFramePrefixBytes);
  EXPECT_FALSE(decode_frame(header, frame->payload.substr(1)).ok());
  EXPECT_FALSE(decode_frame(header, frame->payload + "x").ok());
  EXPECT_FALSE(decode_frame(header, "").ok());
  EXPECT_FALSE(decode_frame("", "").ok());
}

RC_GTEST_PROP(FrameProperty, no_bytes_crash_the_parser, ()) {
  const auto messages = one_of_each();
  auto frame = *encode_frame(messages[*rc::gen::inRange<std::size_t>(0, messages.size())]);
  std::string header = frame.head.substr(kFramePrefixBytes);
  const int edits = *rc::gen::inRange(1, 6);
  for (int i = 0; i < edits && !header.empty(); ++i) {
    header[*rc::gen::inRange<std::size_t>(0, header.size())] = *rc::gen::arbitrary<char>();
  }
  const auto back = decode_frame(header, frame.payload);
  if (back.ok()) RC_ASSERT(encode_frame(*back).ok());
}

}  // namespace
}  // namespace syncline::wire
