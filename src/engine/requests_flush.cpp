// `flush`: is all that was finished here before the call on enough other disks?
#include "core/text.hpp"
#include "engine/requests.hpp"

namespace syncline::engine {

using core::NodeId;

void Requests::flush(const FlushRequested& request, core::Instant now, Actions& out) {
  Flush flush{request, now, {}, {}};
  if (flush.request.acks <= 0) flush.request.acks = config_.durability.acks;
  for (const auto& collection : config_.collections) {
    if (!is_meant(flush, collection) || !collection.has_sources()) continue;
    const std::uint64_t look = next_look_++;
    flush.looks.insert(look);
    door_.look(collection.name, look, out);
  }
  flushes_.emplace(request.request, std::move(flush));
  is_new_ = true;
}

bool Requests::is_meant(const Flush& flush, const core::CollectionConfig& collection) const {
  return flush.request.only.empty() || flush.request.only.count(collection.name) > 0;
}

// What is here once all sources were read is what the call waits for: a program that goes on
// writing does not hold it up.
Requests::Cut Requests::cut() const {
  Cut cut;
  for (const auto& [log, writer] : records_.own_logs()) cut.last[log] = writer.local().last();
  for (const auto& [object, holders] : view_.objects()) {
    auto own = holders.find(self_);
    if (own != holders.end()) cut.objects.emplace(object, own->second.root);
  }
  return cut;
}

facade::FlushReport Requests::report_of(const Flush& flush) const {
  facade::FlushReport report;
  report.acks = flush.request.acks;
  report.is_durable = flush.looks.empty();
  const Cut now_here = flush.cut ? Cut{} : cut();  // at the deadline, sources not read to the end
  const Cut& wanted = flush.cut ? *flush.cut : now_here;
  for (const auto& collection : config_.collections) {
    if (!is_meant(flush, collection)) continue;
    facade::CollectionStatus status;
    status.name = collection.name.text;
    status.kind = core::to_string(collection.kind);
    for (const auto& [log, last] : wanted.last) {
      if (log.collection != collection.name) continue;
      const replication::WriterLog& writer = records_.own_logs().at(log);
      status.known += writer.local().intersect(core::SeqSet::up_to(last)).count();
      status.durable += writer.count_durable_at(report.acks, last, records_.domains_beside(self_));
    }
    for (const auto& [object, root] : wanted.objects) {
      if (object.first != collection.name) continue;
      std::set<NodeId> same;
      bool is_replaced = true;  // by a newer version: that one is not waited for
      for (const auto& [node, version] : view_.holders(object)) {
        if (version.root != root) continue;
        if (node == self_) {
          is_replaced = false;
        } else {
          same.insert(node);
        }
      }
      ++status.known;
      if (is_replaced || view_.count_domains(same, self_) >= report.acks) ++status.durable;
    }
    status.pending = status.known - status.durable;
    report.durable += status.durable;
    if (status.pending > 0) {
      report.is_durable = false;
      status.why = std::to_string(status.pending) + " not yet held by " +
                   core::say_count(static_cast<std::uint64_t>(report.acks), "other failure domain");
      report.pending.push_back(std::move(status));
    }
  }
  if (!flush.looks.empty()) {
    facade::CollectionStatus status;
    status.name = "sources";
    status.why = "not all sources were read in time; `syncline status` says why";
    report.pending.push_back(std::move(status));
  }
  return report;
}

bool Requests::advance(Flush& flush, core::Instant now, Actions& out) {
  if (flush.looks.empty() && !flush.cut) flush.cut = cut();
  if (!flush.cut && now < flush.request.deadline) return false;
  facade::FlushReport report = report_of(flush);
  if (!report.is_durable && now < flush.request.deadline) return false;
  report.duration_s = core::to_seconds(now - flush.started_at);
  out.push_back(AnswerFlush{flush.request.request, std::move(report)});
  return true;
}

}  // namespace syncline::engine
