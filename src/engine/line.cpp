#include "engine/line.hpp"

#include "engine/objects.hpp"

namespace syncline::engine {

using core::CollectionName;
using core::Instant;

namespace {

scheduling::Caps caps_for(const core::Config& config) {
  scheduling::Caps caps = scheduling::caps_of(config.transport);
  caps.express_jobs_max = config.transport.small_jobs_max;
  caps.express_bytes_max = kSmallObjectBytes;
  caps.jobs_per_node_max = 0;  // one fetch has many sources
  return caps;
}

}  // namespace

core::Result<std::vector<scheduling::Schedule>> schedules_of(const core::Config& config) {
  std::vector<std::string> names;
  for (const core::CollectionConfig& collection : config.collections) {
    names.push_back(collection.name.text);
  }
  std::vector<scheduling::Schedule> out;
  for (const std::string& text : config.transport.schedules) {
    SYNCLINE_ASSIGN(scheduling::Schedule one, scheduling::parse_schedule(text, names));
    out.push_back(std::move(one));
  }
  return out;
}

Line::Line(const core::Config& config) : scheduler_(config.node.id, caps_for(config)) {
  const core::TransportLimits& limits = config.transport;
  auto schedules = schedules_of(config);  // checked when the configuration was read
  has_limits_ = limits.bandwidth_total_mbps > 0 || !limits.bandwidth_by_provider_mbps.empty() ||
                !limits.schedules.empty();
  if (schedules.ok() && !schedules->empty()) {
    step(scheduling::SchedulesChanged{*std::move(schedules)}, {});
  }
}

void Line::step(const scheduling::Event& event, Instant now) {
  scheduling::Actions actions;
  scheduler_.step(event, now, actions);
  for (scheduling::Action& action : actions) {
    const auto of = [this](scheduling::JobId job) { return objects_.find(job); };
    if (const auto* start = std::get_if<scheduling::Start>(&action)) {
      const auto object = of(start->job.id);
      if (object == objects_.end()) continue;
      entries_.at(object->second).has_place = true;
      started_.push_back(object->second);
    } else if (auto* stop = std::get_if<scheduling::Stop>(&action)) {
      const auto object = of(stop->job);
      if (object == objects_.end()) continue;
      entries_.at(object->second).has_place = false;
      stopped_.push_back({object->second, std::move(stop->why)});
    } else if (auto* refuse = std::get_if<scheduling::Refuse>(&action)) {
      const auto object = of(refuse->job);
      if (object == objects_.end()) continue;
      refused_.push_back({object->second, std::move(refuse->why)});
    } else if (const auto* grant = std::get_if<scheduling::Grant>(&action)) {
      const auto object = of(grant->job);
      if (object != objects_.end()) grants_.emplace_back(object->second, grant->bytes);
    } else if (const auto* pace = std::get_if<scheduling::Pace>(&action)) {
      const auto object = of(pace->job);
      if (object != objects_.end()) paces_.emplace_back(object->second, pace->mbps);
    }
  }
}

void Line::submit(const ObjectId& object, scheduling::Job job, Instant now) {
  const auto [entry, is_new] = entries_.try_emplace(object);
  if (!is_new) return;
  job.id = next_job_++;
  entry->second.job = job.id;
  entry->second.has_own_limit = job.bandwidth_mbps > 0;
  objects_.emplace(job.id, object);
  step(scheduling::Submitted{std::move(job)}, now);
}

void Line::leave(const ObjectId& object, Instant now) {
  const auto entry = entries_.find(object);
  if (entry == entries_.end()) return;
  const Entry left = entry->second;
  objects_.erase(left.job);
  entries_.erase(entry);
  if (left.has_place) {
    step(scheduling::Ended{left.job}, now);
  } else {
    step(scheduling::Cancelled{left.job}, now);
  }
}

bool Line::has_place(const ObjectId& object) const {
  const auto entry = entries_.find(object);
  return entry != entries_.end() && entry->second.has_place;
}

bool Line::is_metered(const ObjectId& object) const {
  const auto entry = entries_.find(object);
  return has_limits_ || (entry != entries_.end() && entry->second.has_own_limit);
}

void Line::asks(const ObjectId& object, std::uint64_t bytes, Instant now) {
  const auto entry = entries_.find(object);
  if (entry != entries_.end()) step(scheduling::Asked{entry->second.job, bytes}, now);
}

double Line::set_paced(const ObjectId& object, bool is_paced, Instant now) {
  const auto entry = entries_.find(object);
  if (entry == entries_.end() || !is_metered(object)) return 0;
  step(scheduling::PaceWanted{entry->second.job, is_paced}, now);
  return scheduler_.pace_of(entry->second.job);
}

void Line::pause(const CollectionName& collection, bool is_paused, Instant now) {
  if (is_paused) {
    paused_.insert(collection);
    step(scheduling::Paused{collection}, now);
  } else {
    paused_.erase(collection);
    step(scheduling::Resumed{collection}, now);
  }
}

void Line::clock_told(const scheduling::LocalTime& local, Instant now) {
  step(scheduling::WallTold{local}, now);
}

void Line::tick(Instant now) {
  const auto wake = scheduler_.next_wake();
  if (wake && *wake <= now) step(scheduling::Tick{}, now);
}

std::string Line::why_waiting(const ObjectId& object, Instant now) const {
  const auto entry = entries_.find(object);
  return entry == entries_.end() ? "" : scheduler_.why_waiting(entry->second.job, now);
}

}  // namespace syncline::engine
