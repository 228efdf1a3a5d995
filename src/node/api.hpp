// The HTTP API, answered by the running engine. See http/api.hpp for the contract of each call.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "env/clock.hpp"
#include "facade/validate.hpp"
#include "http/api.hpp"
#include "net/links.hpp"
#include "node/agentless_targets.hpp"
#include "node/event_ring.hpp"
#include "node/loop.hpp"
#include "node/waiters.hpp"

namespace syncline::node {

// What the API needs of the rest of the daemon.
struct ApiPorts {
  std::function<void(const core::CollectionName&)> start_verify;  // -> verified() later
  // Units that this node knows of a config key pattern ("hex8_*"), by log.
  std::function<core::Result<std::map<core::LogId, core::SeqSet>>(
      const core::CollectionName&, const std::string& config_key_pattern)>
      records_with_config_key;
  std::function<std::vector<std::string>(const core::CollectionName&)> config_keys;
  std::function<core::Result<http::OpenedObject>(const core::Root&)> open_object;
  std::function<core::Result<std::string>(const std::string& form, const core::CollectionName&,
                                          const std::string& path)>
      export_file;
  std::function<std::map<core::NodeId, net::Traffic>()> traffic;  // on the loop
  std::function<core::Result<std::vector<facade::DeadLetterRow>>()> dead_letters;
  std::function<core::Result<http::DeadLetterAnswer>(
      bool is_retry, const core::CollectionName& collection,
      const std::set<std::pair<core::LogId, core::Seq>>& only)>
      handle_dead_letters;
  std::vector<std::string> transports;  // that can start here
  std::function<std::vector<facade::HookRow>()> hooks;
  std::function<std::vector<facade::AgentlessRow>()> agentless;  // on the loop
  // Looks at the agentless hosts of these collections (empty: of all); not on the loop.
  std::function<CollectOutcome(const std::set<core::CollectionName>&, core::Duration wait_max)>
      collect;
};

class NodeApi final : public http::Api {
 public:
  NodeApi(const core::Config& config, const env::Clock& clock, Loop& loop, EventRing& events,
          ApiPorts ports);

  core::Result<facade::SyncResponse> sync(const facade::SyncRequest& request) override;
  facade::StatusReport status() override;
  std::vector<facade::PeerStatus> nodes() override;
  std::vector<facade::FreshnessRow> freshness() override;
  facade::StatsReport stats() override;
  core::Result<facade::RouteReport> route(const facade::SyncRequest& request) override;
  std::vector<facade::TransferRow> transfers() override;
  std::vector<facade::EventRow> events_after(std::uint64_t id, core::Duration wait_max) override;
  core::Result<facade::FlushReport> flush(int acks, core::Duration deadline) override;
  core::Result<facade::VerifyReport> verify(const std::string& collection) override;
  core::Status notify(const std::string& event,
                      const std::map<std::string, std::string>& details) override;
  core::Status rotate_key() override;
  core::Status pause(const std::string& collection, bool is_paused) override;
  core::Status remove_node(const std::string& id) override;
  core::Result<std::vector<facade::DeadLetterRow>> dead_letters() override;
  core::Result<http::DeadLetterAnswer> handle_dead_letters(
      const http::DeadLetterRequest& request) override;
  std::string config_toml() override;
  std::string metrics_text() override;
  bool is_ready() override { return is_ready_; }
  core::Result<http::OpenedObject> open_object(const core::Root& root) override;
  core::Result<std::string> export_file(const std::string& form, const std::string& collection,
                                        const std::string& path) override;

  // ── from the loop ──
  void synced(std::uint64_t request, facade::SyncResponse response);
  void flushed(std::uint64_t request, facade::FlushReport report);
  void verified(const core::CollectionName& collection);
  void set_ready(bool is_ready) { is_ready_ = is_ready; }
  // Ends every call that waits; later ones answer at once.
  void close();

 private:
  facade::Known known();
  struct Prepared {
    engine::SyncRequested wanted;
    std::vector<AgentlessTarget> agentless;
    bool is_for_engine = true;  // false: all targets are without a daemon
  };
  core::Result<Prepared> prepare(const facade::SyncRequest& request);
  std::set<core::NodeId> agentless_with_daemon();
  core::Result<facade::SyncResponse> ask_engine(engine::SyncRequested wanted,
                                                core::Instant deadline);
  core::Result<facade::FlushReport> flush(int acks, core::Duration deadline,
                                          std::set<core::CollectionName> only);
  core::Status wait_until_durable(std::set<core::CollectionName> collections);
  void emit(std::string type, const std::string& collection, std::string message,
            std::map<std::string, std::string> details);

  const core::Config& config_;
  const env::Clock& clock_;
  Loop& loop_;
  EventRing& events_;
  ApiPorts ports_;
  core::Instant started_at_;
  std::atomic<bool> is_ready_{false};
  Waiters<facade::SyncResponse> syncs_;
  Waiters<facade::FlushReport> flushes_;
  Waiters<bool> verifies_;
  std::mutex mutex_;
  std::multimap<core::CollectionName, std::uint64_t> verifying_;
};

}  // namespace syncline::node
