#include "scheduling/throttle.hpp"

#include <algorithm>
#include <set>

#include "core/check.hpp"
#include "core/text.hpp"

namespace syncline::scheduling {

namespace {

// A portion is 10 ms of the slowest bucket: small enough that nobody waits long for their turn,
// large enough that the bookkeeping does not matter. Both ends are bounded.
constexpr double kPortionSeconds = 0.01;
constexpr double kPortionMin = 2048;
constexpr double kPortionMax = 256 * 1024;
// Who asks is never starved by those who are paced.
constexpr double kLeftMin = 1024;

}  // namespace

void Throttle::use_bucket(Running& running, const std::string& name, double mbps,
                          core::Instant now) {
  if (!(mbps > 0)) return;
  const double rate = mbps * kBytesPerMb;
  buckets_.try_emplace(name, Bucket{rate, TokenBucket(rate, now)});
  running.buckets.push_back(name);
}

// A bucket's name says its rate, so a new rate is a new bucket; it is what waiting_for tells.
void Throttle::attach(Running& running, core::Instant now) {
  const Job& job = running.job;
  running.buckets.clear();
  const auto limit = [](const std::string& whose, double mbps) {
    return "the limit of " + core::say_number(mbps, 2) + " MB/s " + whose;
  };
  if (caps_.total_mbps > 0) {
    use_bucket(running, limit("in total", caps_.total_mbps), caps_.total_mbps, now);
  }
  for (const auto& [glob, mbps] : caps_.by_node_mbps) {
    for (const core::NodeId& node : std::set<core::NodeId>{job.source, job.target}) {
      if (node.empty() || !core::glob_matches(glob, node.text)) continue;
      use_bucket(running, limit("for node " + node.text, mbps), mbps, now);
    }
  }
  for (const auto& [glob, mbps] : caps_.by_provider_mbps) {
    const bool is_meant =
        (!job.source_provider.empty() && core::glob_matches(glob, job.source_provider)) ||
        (!job.target_provider.empty() && core::glob_matches(glob, job.target_provider));
    if (is_meant) use_bucket(running, limit("for provider " + glob, mbps), mbps, now);
  }
  const auto collection = caps_.by_collection_mbps.find(job.collection);
  if (collection != caps_.by_collection_mbps.end()) {
    use_bucket(running, limit("for " + job.collection.text, collection->second), collection->second,
               now);
  }
  if (job.bandwidth_mbps > 0) {
    use_bucket(running,
               limit("of its own (job " + std::to_string(job.id) + ")", job.bandwidth_mbps),
               job.bandwidth_mbps, now);
  }
}

void Throttle::set_caps(Caps caps, core::Instant now) {
  caps_ = std::move(caps);
  for (auto& [id, running] : running_) attach(running, now);
  forget_unused_buckets();
  repace(now);
}

void Throttle::add(const Job& job, core::Instant now) {
  Running running;
  running.job = job;
  running.share = core::share_of(job.priority);
  running.tag = virtual_now_;
  attach(running, now);
  wanting_.erase(job.id);
  running_.insert_or_assign(job.id, std::move(running));
  repace(now);
}

void Throttle::remove(JobId job, core::Instant now) {
  wanting_.erase(job);
  const auto found = running_.find(job);
  if (found == running_.end()) return;
  if (found->second.is_paced) --paced_;
  running_.erase(found);
  forget_unused_buckets();
  repace(now);
}

void Throttle::set_paced(JobId job, bool is_paced, core::Instant now) {
  const auto found = running_.find(job);
  if (found == running_.end() || found->second.is_paced == is_paced) return;
  Running& running = found->second;
  running.is_paced = is_paced;
  if (is_paced) {
    ++paced_;
  } else {
    --paced_;
  }
  running.pace.reset();
  running.wanted = 0;
  wanting_.erase(job);
  repace(now);
}

double Throttle::pace_of(JobId job) const {
  const auto found = running_.find(job);
  return found == running_.end() ? 0 : found->second.pace.value_or(0);
}

void Throttle::repace(core::Instant now) {
  if (paced_ == 0 && buckets_.empty()) return;
  std::map<std::string, double> shares;  // of all who fall under it
  for (const auto& [id, running] : running_) {
    for (const std::string& name : running.buckets) shares[name] += running.share;
  }
  std::map<std::string, double> taken;  // by the paced, bytes/s
  for (auto& [id, running] : running_) {
    if (!running.is_paced) continue;
    double rate = 0;
    for (const std::string& name : running.buckets) {
      const double part = buckets_.at(name).bytes_per_s * running.share / shares[name];
      rate = rate > 0 ? std::min(rate, part) : part;
    }
    for (const std::string& name : running.buckets) taken[name] += rate;
    const double mbps = rate / kBytesPerMb;
    if (running.pace == mbps) continue;
    running.pace = mbps;
    paces_.push_back({id, mbps});
  }
  for (auto& [name, bucket] : buckets_) {
    const auto by_paced = taken.find(name);
    const double left = bucket.bytes_per_s - (by_paced == taken.end() ? 0 : by_paced->second);
    bucket.tokens.set_rate(std::max(left, kLeftMin), now);
  }
}

void Throttle::forget_unused_buckets() {
  if (buckets_.empty()) return;
  std::set<std::string> used;
  for (const auto& [id, running] : running_) {
    used.insert(running.buckets.begin(), running.buckets.end());
  }
  // A bucket that is forgotten comes back full: that is one burst, at most once per transfer.
  for (auto it = buckets_.begin(); it != buckets_.end();) {
    it = used.count(it->first) > 0 ? std::next(it) : buckets_.erase(it);
  }
}

void Throttle::ask(JobId job, std::uint64_t bytes) {
  const auto found = running_.find(job);
  if (found == running_.end() || bytes == 0) return;
  Running& running = found->second;
  // Whoever wanted nothing for a while has no claim to what the others had meanwhile.
  if (running.wanted == 0) running.tag = std::max(running.tag, virtual_now_);
  running.wanted += bytes;
  wanting_.insert(job);
}

double Throttle::portion(const Running& running) const {
  double bytes = kPortionMax;
  for (const std::string& name : running.buckets) {
    bytes = std::min(bytes, buckets_.at(name).tokens.rate() * kPortionSeconds);
  }
  return std::min(std::max(bytes, kPortionMin), static_cast<double>(running.wanted));
}

bool Throttle::can_have(const Running& running, core::Instant now) const {
  if (running.wanted == 0) return false;
  const double bytes = portion(running);
  return std::all_of(running.buckets.begin(), running.buckets.end(), [&](const std::string& name) {
    return buckets_.at(name).tokens.available(now) >=
           std::min(bytes, buckets_.at(name).tokens.burst());
  });
}

std::vector<Grant> Throttle::grants(core::Instant now) {
  std::vector<Grant> granted;
  std::map<JobId, std::size_t> position;
  for (;;) {
    Running* next = nullptr;
    for (const JobId id : wanting_) {
      Running& running = running_.at(id);
      if (!can_have(running, now)) continue;
      if (next == nullptr || running.tag < next->tag) next = &running;
    }
    if (next == nullptr) return granted;
    const bool is_free = next->buckets.empty();
    const auto bytes = is_free ? next->wanted : static_cast<std::uint64_t>(portion(*next));
    virtual_now_ = std::max(virtual_now_, next->tag);
    for (const std::string& name : next->buckets) {
      buckets_.at(name).tokens.take(static_cast<double>(bytes), now);
    }
    next->wanted -= bytes;
    if (next->wanted == 0) wanting_.erase(next->job.id);
    // Bytes that cost nobody anything are not held against a transfer.
    if (!is_free) next->tag += static_cast<double>(bytes) / next->share;
    const auto [at, is_new] = position.try_emplace(next->job.id, granted.size());
    if (is_new) granted.push_back({next->job.id, 0});
    granted[at->second].bytes += bytes;
  }
}

std::optional<core::Instant> Throttle::next_wake(core::Instant now) const {
  std::optional<core::Instant> wake;
  for (const JobId id : wanting_) {
    const Running& running = running_.at(id);
    core::Instant ready = now;
    for (const std::string& name : running.buckets) {
      ready = std::max(ready, buckets_.at(name).tokens.ready_at(portion(running), now));
    }
    if (!wake || ready < *wake) wake = ready;
  }
  return wake;
}

std::string Throttle::waiting_for(JobId job, core::Instant now) const {
  const auto found = running_.find(job);
  if (found == running_.end() || found->second.wanted == 0) return {};
  std::string slowest;
  core::Instant ready = now;
  for (const std::string& name : found->second.buckets) {
    const core::Instant at = buckets_.at(name).tokens.ready_at(portion(found->second), now);
    if (at <= ready) continue;
    ready = at;
    slowest = name;
  }
  return slowest;
}

}  // namespace syncline::scheduling
