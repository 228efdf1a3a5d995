// For tests only: an Api with answers that a test sets, and a record of what was asked.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "http/api.hpp"

namespace syncline::http {

class FakeApi : public Api {
 public:
  core::Result<facade::SyncResponse> sync(const facade::SyncRequest& request) override {
    const std::lock_guard lock(mutex_);
    asked = request;
    return sync_answer;
  }
  facade::StatusReport status() override {
    const std::lock_guard lock(mutex_);
    return status_answer;
  }
  std::vector<facade::PeerStatus> nodes() override { return status_answer.peers; }
  std::vector<facade::FreshnessRow> freshness() override { return freshness_answer; }
  facade::StatsReport stats() override { return stats_answer; }
  core::Result<facade::RouteReport> route(const facade::SyncRequest& request) override {
    const std::lock_guard lock(mutex_);
    asked = request;
    return route_answer;
  }
  std::vector<facade::TransferRow> transfers() override { return transfers_answer; }
  std::vector<facade::EventRow> events_after(std::uint64_t id, core::Duration wait_max) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, wait_max, [&] { return !events_.empty() && events_.back().id > id; });
    std::vector<facade::EventRow> out;
    for (const auto& event : events_) {
      if (event.id > id) out.push_back(event);
    }
    return out;
  }
  core::Result<facade::FlushReport> flush(int acks, core::Duration deadline) override {
    flush_acks = acks;
    flush_deadline = deadline;
    return flush_answer;
  }
  core::Result<facade::VerifyReport> verify(const std::string& collection) override {
    const auto found = verify_answers.find(collection);
    if (found != verify_answers.end()) return found->second;
    return core::Error{core::ErrorKind::kMissing, "no such collection is declared", collection};
  }
  core::Status notify(const std::string& event,
                      const std::map<std::string, std::string>& details) override {
    notified[event] = details;
    return {};
  }
  core::Status rotate_key() override {
    ++keys_made;
    return {};
  }
  core::Status pause(const std::string& collection, bool is_paused) override {
    paused[collection] = is_paused;
    return {};
  }
  core::Status remove_node(const std::string& id) override {
    if (id == "unknown") return core::Error{core::ErrorKind::kMissing, "no such node", id};
    removed.push_back(id);
    return {};
  }
  core::Result<std::vector<facade::DeadLetterRow>> dead_letters() override {
    return dead_letters_answer;
  }
  core::Result<DeadLetterAnswer> handle_dead_letters(const DeadLetterRequest& request) override {
    dead_letters_asked = request;
    return DeadLetterAnswer{1, 2};
  }
  std::string config_toml() override { return "[node]\nid = \"a\"\n"; }
  std::string metrics_text() override { return "syncline_units_pending 0\n"; }
  bool is_ready() override { return is_ready_answer; }
  core::Result<OpenedObject> open_object(const core::Root& root) override {
    const auto found = objects.find(core::to_hex(root));
    if (found == objects.end()) {
      return core::Error{core::ErrorKind::kMissing, "this node does not hold the object", ""};
    }
    const std::string& content = found->second;
    OpenedObject out;
    out.size_bytes = content.size();
    out.read_at = [&content](std::uint64_t at, std::span<char> into) -> core::Result<std::size_t> {
      return content.copy(into.data(), into.size(), at);
    };
    return out;
  }
  core::Result<std::string> export_file(const std::string& form, const std::string& collection,
                                        const std::string& path) override {
    if (path == "none") return core::Error{core::ErrorKind::kMissing, "no such file", path};
    return form + " of " + collection + "/" + path;
  }

  void add_event(facade::EventRow event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    changed_.notify_all();
  }

  // Answers and records; set before the server starts, or between requests.
  core::Result<facade::SyncResponse> sync_answer = facade::SyncResponse{};
  facade::SyncRequest asked;
  std::vector<std::string> removed;
  std::vector<facade::DeadLetterRow> dead_letters_answer;
  DeadLetterRequest dead_letters_asked;
  facade::StatusReport status_answer;
  facade::StatsReport stats_answer;
  core::Result<facade::RouteReport> route_answer = facade::RouteReport{};
  core::Result<facade::FlushReport> flush_answer = facade::FlushReport{};
  std::vector<facade::FreshnessRow> freshness_answer;
  std::vector<facade::TransferRow> transfers_answer;
  std::map<std::string, facade::VerifyReport> verify_answers;
  std::map<std::string, std::map<std::string, std::string>> notified;
  std::map<std::string, bool> paused;
  int keys_made = 0;
  std::map<std::string, std::string> objects;  // root as hex -> content
  int flush_acks = -1;
  core::Duration flush_deadline{0};
  bool is_ready_answer = true;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<facade::EventRow> events_;
};

}  // namespace syncline::http
