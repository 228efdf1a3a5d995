// Headers to messages: every field of a peer is checked here, once.
#include <algorithm>

#include "core/sha256.hpp"
#include "core/unit.hpp"
#include "syncline.pb.h"
#include "wire/convert.hpp"
#include "wire/packet.hpp"
#include "wire/packing.hpp"

namespace syncline::wire {

using core::Error;
using core::ErrorKind;

namespace {

constexpr std::size_t kNameBytesMax = 256;
constexpr std::size_t kRangesMax = 1u << 16;
constexpr std::uint32_t kRequestBytesMax = 1u << 20;

const Error kMalformed{ErrorKind::kCorrupt, "a peer sent a message that no Syncline sends", ""};

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= kNameBytesMax;
}

bool get(const pb::Log& in, core::LogId& log) {
  if (!is_name(in.collection()) || !is_name(in.origin()) || in.epoch() == 0) return false;
  log = {core::CollectionName(in.collection()), core::NodeId(in.origin()), {in.epoch()}};
  return true;
}

bool get(std::string_view in, core::Digest256& digest) {
  if (in.size() != digest.bytes.size()) return false;
  std::copy(in.begin(), in.end(), reinterpret_cast<char*>(digest.bytes.data()));
  return true;
}

core::Result<WireMessage> read(const pb::AppendRecords& in, std::string payload) {
  auto batch = std::make_shared<core::RecordBatch>();
  if (!get(in.log(), batch->log)) return kMalformed;
  if (in.raw_bytes() > 0 && !decompress(payload, in.raw_bytes())) return kMalformed;
  for (const pb::Schema& schema : in.schemas()) {
    if (schema.id() != to_hex(core::sha256(schema.bytes())).substr(0, 16)) return kMalformed;
    batch->schemas.emplace(schema.id(), schema.bytes());
  }
  const core::UnitLimits limits;
  std::size_t at = 0;
  std::uint64_t last = 0;
  for (const pb::RecordHead& head : in.records()) {
    core::Record record;
    const bool is_good = head.seq() > last && head.seq() < (std::uint64_t{1} << 62) &&
                         head.bytes() <= payload.size() - at && head.bytes() <= limits.bytes_max &&
                         get(head.hash(), record.unit.hash) &&
                         (head.bytes() == 0 || batch->schemas.count(head.schema()) > 0);
    if (!is_good) return kMalformed;
    last = head.seq();
    record.seq = {head.seq()};
    record.committed_at = {head.committed_at_ms()};
    record.hlc = head.hlc();
    record.unit.key = head.unit_key();
    record.unit.config_key = core::ConfigKey(head.config_key());
    record.unit.schema = head.schema();
    record.unit.bytes = payload.substr(at, head.bytes());
    at += head.bytes();
    batch->records.push_back(std::move(record));
  }
  if (at != payload.size()) return kMalformed;
  return WireMessage(core::Message(core::AppendRecords{std::move(batch)}));
}

core::Result<WireMessage> read(const pb::Digest& in) {
  core::DigestMessage message;
  message.wants_delta = in.wants_delta();
  for (const pb::Mark& mark : in.marks()) {
    if (!is_name(mark.owner())) return kMalformed;
    message.digest.marks[core::NodeId(mark.owner())] = {mark.incarnation(), mark.version()};
  }
  return WireMessage(core::Message(std::move(message)));
}

core::Result<WireMessage> read(pb::Delta& in) {
  core::DeltaMessage message;
  for (pb::DeltaPart& part : *in.mutable_parts()) {
    if (!is_name(part.owner())) return kMalformed;
    core::CatalogDelta::Part out{
        core::NodeId(part.owner()), part.incarnation(), part.after(), part.up_to(), {}};
    out.facts.reserve(static_cast<std::size_t>(part.facts_size()));
    for (pb::Fact& fact : *part.mutable_facts()) {
      out.facts.push_back({fact.version(), std::move(*fact.mutable_key()),
                           std::move(*fact.mutable_value()), fact.is_removed()});
    }
    message.delta.parts.push_back(std::move(out));
  }
  return WireMessage(core::Message(std::move(message)));
}

core::Result<WireMessage> read_records(const pb::Header& header) {
  core::LogId log;
  switch (header.kind_case()) {
    case pb::Header::kAckRecords: {
      auto held = core::parse_seq_set(header.ack_records().held(), kRangesMax);
      if (!get(header.ack_records().log(), log) || !held) return kMalformed;
      return WireMessage(core::Message(core::AckRecords{log, std::move(*held)}));
    }
    case pb::Header::kRefuseRecords: {
      const pb::RefuseRecords& in = header.refuse_records();
      if (!get(in.log(), log)) return kMalformed;
      return WireMessage(core::Message(
          core::RefuseRecords{log, in.reason().substr(0, 1024), in.retry_after_ms()}));
    }
    case pb::Header::kRequestRecords: {
      auto wanted = core::parse_seq_set(header.request_records().wanted(), kRangesMax);
      if (!get(header.request_records().log(), log) || !wanted) return kMalformed;
      return WireMessage(core::Message(core::RequestRecords{log, std::move(*wanted)}));
    }
    default:
      return kMalformed;
  }
}

core::Result<WireMessage> read(const pb::BundleRequest& in) {
  BundleRequest request{in.job(), {}, in.accepts_zstd()};
  const auto count = static_cast<std::size_t>(in.sizes_size());
  constexpr std::size_t kRootBytes = sizeof(core::Root::bytes);
  const std::string_view roots = in.roots();
  const bool is_bounded =
      count > 0 && count <= kBundleObjectsMax && roots.size() == count * kRootBytes;
  if (!is_bounded) return kMalformed;
  std::uint64_t bytes = 0;
  request.objects.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    BundleRequest::Object& object = request.objects[i];
    object.size_bytes = in.sizes(static_cast<int>(i));
    bytes += object.size_bytes;
    const bool is_good = get(roots.substr(i * kRootBytes, kRootBytes), object.root) &&
                         object.size_bytes > 0 && bytes <= kBundleBytesMax;
    if (!is_good) return kMalformed;
  }
  return WireMessage(std::move(request));
}

core::Result<WireMessage> read(const pb::BundleData& in, std::string payload) {
  const bool is_bounded = payload.size() <= kBundleBytesMax && in.raw_bytes() <= kBundleBytesMax &&
                          static_cast<std::size_t>(in.missing_size()) <= kBundleObjectsMax;
  if (!is_bounded) return kMalformed;
  BundleData data{
      in.job(), {in.missing().begin(), in.missing().end()}, std::move(payload), in.raw_bytes()};
  for (std::size_t i = 1; i < data.missing.size(); ++i) {
    if (data.missing[i] <= data.missing[i - 1]) return kMalformed;
  }
  return WireMessage(std::move(data));
}

core::Result<WireMessage> read_objects(const pb::Header& header, std::string payload) {
  core::Root root;
  switch (header.kind_case()) {
    case pb::Header::kObjectRequest: {
      const pb::ObjectRequest& in = header.object_request();
      if (!get(in.root(), root) || in.length() == 0 || in.length() > kRequestBytesMax) {
        return kMalformed;
      }
      return WireMessage(
          ObjectRequest{in.job(), root, in.offset(), in.length(), in.accepts_zstd()});
    }
    case pb::Header::kObjectData: {
      const pb::ObjectData& in = header.object_data();
      const bool is_bounded = !payload.empty() && payload.size() <= kRequestBytesMax &&
                              in.raw_bytes() <= kRequestBytesMax;
      if (!is_bounded) return kMalformed;
      return WireMessage(ObjectData{in.job(), in.offset(), std::move(payload), in.raw_bytes()});
    }
    case pb::Header::kLayerRequest: {
      const pb::LayerRequest& in = header.layer_request();
      if (!get(in.root(), root)) return kMalformed;
      LayerRequest request{in.job(), root};
      if (in.has_blocks_of_piece()) request.blocks_of_piece = in.blocks_of_piece();
      return WireMessage(request);
    }
    case pb::Header::kLayerReply: {
      const pb::LayerReply& in = header.layer_reply();
      if (payload.size() % 32 != 0) return kMalformed;
      LayerReply reply{in.job(), std::move(payload)};
      if (in.has_blocks_of_piece()) reply.blocks_of_piece = in.blocks_of_piece();
      return WireMessage(std::move(reply));
    }
    case pb::Header::kObjectRefused:
      return WireMessage(ObjectRefused{
          header.object_refused().job(), header.object_refused().offset(),
          header.object_refused().reason().substr(0, 1024), header.object_refused().is_busy()});
    case pb::Header::kCancelJob:
      return WireMessage(CancelJob{header.cancel_job().job()});
    case pb::Header::kSeedRequest:
      if (!get(header.seed_request().root(), root)) return kMalformed;
      return WireMessage(SeedRequest{root});
    case pb::Header::kObjectPieces: {
      const pb::ObjectPieces& in = header.object_pieces();
      if (!get(in.root(), root)) return kMalformed;
      return WireMessage(ObjectPieces{root,
                                      {in.pieces().begin(), in.pieces().end()},
                                      in.asks(),
                                      {in.taking().begin(), in.taking().end()}});
    }
    case pb::Header::kBundleRequest:
      return read(header.bundle_request());
    case pb::Header::kBundleData:
      return read(header.bundle_data(), std::move(payload));
    default:
      return kMalformed;
  }
}

}  // namespace

core::Result<WireMessage> decode_header(std::string_view bytes, std::string payload) {
  pb::Header header;
  if (!header.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return kMalformed;
  switch (header.kind_case()) {
    case pb::Header::kHello: {
      const pb::Hello& in = header.hello();
      if (in.fleet().size() > kNameBytesMax || in.advertise().size() > kNameBytesMax) {
        return kMalformed;
      }
      return WireMessage(core::Message(core::Hello{in.protocol_min(), in.protocol_max(), in.fleet(),
                                                   in.incarnation(), in.advertise()}));
    }
    case pb::Header::kAppendRecords:
      return read(header.append_records(), std::move(payload));
    case pb::Header::kDigest:
      return read(header.digest());
    case pb::Header::kDelta:
      return read(*header.mutable_delta());
    case pb::Header::kNudge:
      if (!is_name(header.nudge().collection())) return kMalformed;
      return WireMessage(core::Message(core::NudgeMessage{
          core::CollectionName(header.nudge().collection()), header.nudge().priority_permille(),
          header.nudge().transport().substr(0, 32), header.nudge().bandwidth_kbps(),
          header.nudge().leader_epoch()}));
    case pb::Header::kFleetKey:
      if (header.fleet_key().key().size() != core::kFleetKeyBytes) return kMalformed;
      return WireMessage(
          core::Message(core::FleetKey{header.fleet_key().epoch(), header.fleet_key().key()}));
    case pb::Header::kGoodbye:
      return WireMessage(core::Message(core::Goodbye{header.goodbye().reason().substr(0, 1024)}));
    case pb::Header::kMemberPacket: {
      SYNCLINE_ASSIGN(auto packet, decode_packet(header.member_packet().packet()));
      return WireMessage(core::Message(std::move(packet)));
    }
    case pb::Header::kMemberState: {
      SYNCLINE_ASSIGN(auto state, decode_push_pull(payload));
      return WireMessage(core::Message(std::move(state)));
    }
    case pb::Header::kPing:
      return WireMessage(Ping{header.ping().number(), header.ping().is_answer()});
    case pb::Header::kJoinRequest:
      return WireMessage(JoinRequest{std::move(*header.mutable_join_request()->mutable_request())});
    case pb::Header::kJoinAnswer: {
      pb::JoinAnswer* in = header.mutable_join_answer();
      return WireMessage(JoinAnswer{in->is_accepted(), std::move(*in->mutable_answer()),
                                    in->reason().substr(0, 1024)});
    }
    case pb::Header::kAckRecords:
    case pb::Header::kRefuseRecords:
    case pb::Header::kRequestRecords:
      return read_records(header);
    case pb::Header::KIND_NOT_SET:
      return kMalformed;
    default:
      return read_objects(header, std::move(payload));
  }
}

}  // namespace syncline::wire
