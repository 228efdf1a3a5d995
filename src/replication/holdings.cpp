#include "replication/holdings.hpp"

#include <algorithm>

namespace syncline::replication {

using core::LogId;
using core::SeqSet;

namespace {
void erase_all(SeqSet& from, const SeqSet& gone) {
  for (const core::SeqRange& r : gone.ranges()) from.erase(r.first, r.last);
}
}  // namespace

SeqSet first_of(const SeqSet& set, std::size_t count) {
  SeqSet out;
  for (const core::SeqRange& r : set.ranges()) {
    if (count == 0) break;
    const std::uint64_t take = std::min<std::uint64_t>(count, r.last - r.first + 1);
    out.insert(r.first, r.first + take - 1);
    count -= take;
  }
  return out;
}

void Holdings::restore(const LogId& log, SeqSet held, SeqSet merged, SeqSet trimmed) {
  Holding& holding = logs_[log];
  holding.held = std::move(held);
  holding.merged = std::move(merged);
  holding.trimmed = std::move(trimmed);
}

SeqSet Holdings::begin_append(const LogId& log, const SeqSet& arriving) {
  Holding& holding = logs_[log];
  SeqSet news = arriving.minus(holding.held).minus(holding.appending);
  holding.appending.insert(news);
  return news;
}

void Holdings::appended(const LogId& log, const SeqSet& seqs) {
  Holding& holding = logs_[log];
  holding.held.insert(seqs);
  erase_all(holding.appending, seqs);
}

void Holdings::append_failed(const LogId& log, const SeqSet& seqs) {
  erase_all(logs_[log].appending, seqs);
}

SeqSet Holdings::begin_merge(const LogId& log, std::size_t records_max) {
  Holding& holding = logs_[log];
  if (!holding.merging.empty()) return {};  // one merge of a log at a time keeps its order
  SeqSet next = first_of(holding.held.minus(holding.merged), records_max);
  holding.merging = next;
  return next;
}

void Holdings::merged(const LogId& log, const SeqSet& seqs) {
  Holding& holding = logs_[log];
  holding.merged.insert(seqs);
  holding.merging = SeqSet();  // what was left out may be tried again
}

void Holdings::merge_failed(const LogId& log, const SeqSet& seqs) {
  erase_all(logs_[log].merging, seqs);
}

void Holdings::trimmed(const LogId& log, const SeqSet& seqs) {
  logs_[log].trimmed.insert(seqs);
}

void Holdings::lost(const LogId& log, const SeqSet& seqs) {
  Holding& holding = logs_[log];
  erase_all(holding.held, seqs);
  erase_all(holding.merged, seqs);
  erase_all(holding.merging, seqs);
  erase_all(holding.trimmed, seqs);
}

const Holding* Holdings::find(const LogId& log) const {
  auto it = logs_.find(log);
  return it == logs_.end() ? nullptr : &it->second;
}

const SeqSet& Holdings::held(const LogId& log) const {
  static const SeqSet kNone;
  const Holding* holding = find(log);
  return holding ? holding->held : kNone;
}

}  // namespace syncline::replication
