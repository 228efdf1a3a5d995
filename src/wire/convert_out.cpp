// Messages to headers.
#include "syncline.pb.h"
#include "wire/convert.hpp"
#include "wire/packet.hpp"
#include "wire/packing.hpp"

namespace syncline::wire {

namespace {

void put(pb::Log* out, const core::LogId& log) {
  out->set_collection(log.collection.text);
  out->set_origin(log.origin.text);
  out->set_epoch(log.epoch.value);
}

void put(std::string* out, const core::Digest256& digest) {
  out->assign(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
}

// One overload per kind of message.
struct Writer {
  pb::Header& header;
  std::string& payload;

  void operator()(core::Hello& m) const {
    auto* out = header.mutable_hello();
    out->set_protocol_min(m.protocol_min);
    out->set_protocol_max(m.protocol_max);
    out->set_fleet(m.fleet);
    out->set_incarnation(m.incarnation);
    out->set_advertise(m.advertise);
  }
  void operator()(core::AppendRecords& m) const {
    auto* out = header.mutable_append_records();
    put(out->mutable_log(), m.batch->log);
    std::size_t bytes = 0;
    for (const core::Record& record : m.batch->records) bytes += record.unit.bytes.size();
    payload.reserve(bytes);
    for (const core::Record& record : m.batch->records) {
      auto* head = out->add_records();
      head->set_seq(record.seq.value);
      head->set_committed_at_ms(record.committed_at.ms);
      head->set_hlc(record.hlc);
      head->set_unit_key(record.unit.key);
      head->set_config_key(record.unit.config_key.text);
      head->set_schema(record.unit.schema);
      put(head->mutable_hash(), record.unit.hash);
      head->set_bytes(static_cast<std::uint32_t>(record.unit.bytes.size()));
      payload += record.unit.bytes;
    }
    for (const auto& [id, encoded] : m.batch->schemas) {
      auto* schema = out->add_schemas();
      schema->set_id(id);
      schema->set_bytes(encoded);
    }
    const std::size_t raw = payload.size();
    if (compress(payload)) out->set_raw_bytes(raw);
  }
  void operator()(core::AckRecords& m) const {
    put(header.mutable_ack_records()->mutable_log(), m.log);
    header.mutable_ack_records()->set_held(to_string(m.held));
  }
  void operator()(core::RefuseRecords& m) const {
    auto* out = header.mutable_refuse_records();
    put(out->mutable_log(), m.log);
    out->set_reason(m.reason);
    out->set_retry_after_ms(m.retry_after_ms);
  }
  void operator()(core::RequestRecords& m) const {
    put(header.mutable_request_records()->mutable_log(), m.log);
    header.mutable_request_records()->set_wanted(to_string(m.wanted));
  }
  void operator()(core::DigestMessage& m) const {
    auto* out = header.mutable_digest();
    out->set_wants_delta(m.wants_delta);
    for (const auto& [owner, mark] : m.digest.marks) {
      auto* one = out->add_marks();
      one->set_owner(owner.text);
      one->set_incarnation(mark.incarnation);
      one->set_version(mark.version);
    }
  }
  void operator()(core::DeltaMessage& m) const {
    for (core::CatalogDelta::Part& part : m.delta.parts) {
      auto* out = header.mutable_delta()->add_parts();
      out->set_owner(part.owner.text);
      out->set_incarnation(part.incarnation);
      out->set_after(part.after);
      out->set_up_to(part.up_to);
      for (core::Fact& fact : part.facts) {
        auto* one = out->add_facts();
        one->set_version(fact.version);
        one->set_key(std::move(fact.key));
        one->set_value(std::move(fact.value));
        one->set_is_removed(fact.is_removed);
      }
    }
    header.mutable_delta();  // an empty delta is a message too
  }
  void operator()(core::NudgeMessage& m) const {
    header.mutable_nudge()->set_collection(m.collection.text);
    header.mutable_nudge()->set_priority_permille(m.priority_permille);
    header.mutable_nudge()->set_transport(m.transport);
    header.mutable_nudge()->set_leader_epoch(m.leader_epoch);
    header.mutable_nudge()->set_bandwidth_kbps(m.bandwidth_kbps);
  }
  void operator()(core::FleetKey& m) const {
    header.mutable_fleet_key()->set_epoch(m.epoch);
    header.mutable_fleet_key()->set_key(m.bytes);
  }
  void operator()(core::Goodbye& m) const { header.mutable_goodbye()->set_reason(m.reason); }
  void operator()(core::Packet& m) const {
    header.mutable_member_packet()->set_packet(encode_packet(m));
  }
  void operator()(core::PushPull& m) const {
    header.mutable_member_state();
    payload = encode_push_pull(m);
  }
  void operator()(core::Message& m) const { std::visit(*this, m); }

  void operator()(ObjectRequest& m) const {
    auto* out = header.mutable_object_request();
    out->set_job(m.job);
    put(out->mutable_root(), m.root);
    out->set_offset(m.offset);
    out->set_length(m.length);
    out->set_accepts_zstd(m.accepts_zstd);
  }
  void operator()(ObjectData& m) const {
    header.mutable_object_data()->set_job(m.job);
    header.mutable_object_data()->set_offset(m.offset);
    header.mutable_object_data()->set_raw_bytes(m.raw_bytes);
    payload = std::move(m.bytes);
  }
  void operator()(LayerRequest& m) const {
    header.mutable_layer_request()->set_job(m.job);
    put(header.mutable_layer_request()->mutable_root(), m.root);
    if (m.blocks_of_piece) {
      header.mutable_layer_request()->set_blocks_of_piece(*m.blocks_of_piece);
    }
  }
  void operator()(LayerReply& m) const {
    header.mutable_layer_reply()->set_job(m.job);
    if (m.blocks_of_piece) header.mutable_layer_reply()->set_blocks_of_piece(*m.blocks_of_piece);
    payload = std::move(m.hashes);
  }
  void operator()(ObjectRefused& m) const {
    auto* out = header.mutable_object_refused();
    out->set_job(m.job);
    out->set_offset(m.offset);
    out->set_reason(m.reason);
    out->set_is_busy(m.is_busy);
  }
  void operator()(CancelJob& m) const { header.mutable_cancel_job()->set_job(m.job); }
  void operator()(SeedRequest& m) const {
    put(header.mutable_seed_request()->mutable_root(), m.root);
  }
  void operator()(ObjectPieces& m) const {
    auto* out = header.mutable_object_pieces();
    put(out->mutable_root(), m.root);
    out->mutable_pieces()->Add(m.pieces.begin(), m.pieces.end());
    out->set_asks(m.asks);
    out->mutable_taking()->Add(m.taking.begin(), m.taking.end());
  }
  void operator()(BundleRequest& m) const {
    auto* out = header.mutable_bundle_request();
    out->set_job(m.job);
    std::string* roots = out->mutable_roots();
    roots->reserve(m.objects.size() * sizeof(core::Root::bytes));
    for (const BundleRequest::Object& object : m.objects) {
      roots->append(reinterpret_cast<const char*>(object.root.bytes.data()),
                    object.root.bytes.size());
      out->add_sizes(object.size_bytes);
    }
    out->set_accepts_zstd(m.accepts_zstd);
  }
  void operator()(BundleData& m) const {
    auto* out = header.mutable_bundle_data();
    out->set_job(m.job);
    out->mutable_missing()->Add(m.missing.begin(), m.missing.end());
    out->set_raw_bytes(m.raw_bytes);
    payload = std::move(m.bytes);
  }
  void operator()(Ping& m) const {
    header.mutable_ping()->set_number(m.number);
    header.mutable_ping()->set_is_answer(m.is_answer);
  }
  void operator()(JoinRequest& m) const { header.mutable_join_request()->set_request(m.request); }
  void operator()(JoinAnswer& m) const {
    auto* out = header.mutable_join_answer();
    out->set_is_accepted(m.is_accepted);
    out->set_answer(m.answer);
    out->set_reason(m.reason);
  }
};

}  // namespace

std::string encode_header(WireMessage message, std::string& payload) {
  pb::Header header;
  std::visit(Writer{header, payload}, message);
  return header.SerializeAsString();
}

}  // namespace syncline::wire
