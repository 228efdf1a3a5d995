// From Fetch to FetchDone: copied from here or fetched, then put into place.
#include <algorithm>
#include <functional>

#include "node/files_state.hpp"
#include "node/known_file.hpp"

namespace syncline::node {

using core::Error;
using core::ErrorKind;

namespace {

// What a transport sees of a landing.
class LandingDestination final : public transports::Destination {
 public:
  LandingDestination(std::shared_ptr<disk::Landing> landing, std::shared_ptr<Arriving> arriving)
      : landing_(std::move(landing)), arriving_(std::move(arriving)) {}
  std::uint64_t size_bytes() const override { return landing_->request().object.size_bytes; }
  std::uint64_t piece_count() const override { return landing_->piece_count(); }
  bool has_piece(std::uint64_t piece) const override { return landing_->has_piece(piece); }
  std::uint64_t bytes_present() const override { return landing_->bytes_present(); }
  core::Status write_piece(std::uint64_t piece, std::string_view bytes,
                           const std::vector<core::Digest256>& block_hashes) override {
    SYNCLINE_TRY(landing_->write_piece(piece, bytes, block_hashes));
    if (arriving_) arriving_->add(piece);
    return {};
  }
  core::Status checkpoint() override { return landing_->checkpoint(); }
  std::string staged_path() const override { return landing_->staged_path(); }
  core::Status verify_all() override { return landing_->verify_all(); }

 private:
  std::shared_ptr<disk::Landing> landing_;
  std::shared_ptr<Arriving> arriving_;  // null: small
};

// Then whoever else waits for the lander has a turn.
constexpr int kLotsInARow = 64;

bool is_small(const FilesJobPtr& job) {
  return job->fetch.object.size_bytes < disk::kResumeBytesMin;
}

}  // namespace

// ── begin ───────────────────────────────────────────────────────────────────────────────────────

core::Result<FilesJobPtr> FilesShell::State::accept(engine::Fetch action) {
  auto job = std::make_shared<FilesJob>();
  job->lane = lane(action.collection);
  if (job->lane == nullptr) {
    return Error{ErrorKind::kInvalid, "the collection has no root on this node", action.path};
  }
  transfer::Transport name = transfer::Transport::kP2p;
  if (!action.transport.empty()) {
    SYNCLINE_ASSIGN(name, transfer::parse_transport(action.transport));
  }
  auto transport = transports.find(name);
  if (transport == transports.end()) {
    return Error{ErrorKind::kInvalid,
                 std::string("the transport ") + to_string(name) + " is not set up on this node",
                 action.path};
  }
  job->transport = transport->second;
  job->fetch = std::move(action);
  return job;
}

void FilesShell::carry_out(engine::Fetch action) {
  State& s = *state_;
  const std::uint64_t id = action.job;
  const core::Root root = action.object.root;
  auto accepted = s.accept(std::move(action));
  if (!accepted.ok()) {
    s.ports.post(engine::FetchDone{id, accepted.error(), 0, {}, {}});
    return;
  }
  const FilesJobPtr job = std::move(accepted).value();
  {
    const std::lock_guard lock(s.jobs_mutex);
    s.jobs[id] = job;
  }
  bool is_here = false;  // under another path: copied, not fetched
  for (auto& [name, lane] : s.lanes) {
    const std::lock_guard lock(lane->mutex);
    is_here |= lane->by_root.count(root) > 0;
  }
  if (!is_here) {
    s.start(job);
    return;
  }
  s.copier.post([&s, job] {
    const core::Status copied = s.copy_from_here(job);
    if (copied.ok()) {
      s.fetched(job, {});
    } else {  // it changed meanwhile, or cannot be read: the others have it too
      job->landing.reset();
      s.start(job);
    }
  });
}

transports::Source FilesShell::State::source(const FilesJob& job, const core::NodeId& node) const {
  transports::Source source;
  source.node = node;
  const auto found = job.fetch.reach.find(node);
  if (found == job.fetch.reach.end()) return source;
  const engine::Reach& reach = found->second;
  if (reach.objects_port > 0) {
    source.objects_url = "https://" + reach.host + ":" + std::to_string(reach.objects_port);
  }
  if (reach.swarm_port > 0) {
    source.swarm_address = reach.host + ":" + std::to_string(reach.swarm_port);
  }
  if (reach.root.empty()) return source;
  if (reach.is_shared) source.local_root = reach.root;
  if (config.ssh.is_set_up()) {
    source.ssh.host = reach.host;
    source.ssh.user = config.ssh.user;
    source.ssh.port = static_cast<std::uint16_t>(config.ssh.port);
    source.ssh.key_file = config.ssh.key_file;
    source.ssh.known_hosts_file = config.ssh.known_hosts_file;
    source.ssh.root = reach.root;
  }
  return source;
}

void FilesShell::State::start(const FilesJobPtr& job) {
  if (job->is_cancelled || is_closed) {
    end(job, Error{ErrorKind::kCancelled, "the fetch was cancelled", job->fetch.path}, {});
    return;
  }
  transports::FetchRequest request;
  request.job = job->fetch.job;
  request.collection = job->fetch.collection;
  request.path = job->fetch.path;
  request.object = job->fetch.object;
  for (const core::NodeId& node : job->fetch.sources) request.sources.push_back(source(*job, node));
  request.swarm_peers = job->fetch.swarm_peers;
  request.partners = job->fetch.partners;
  request.share_rank = job->fetch.share_rank;
  request.share_count = job->fetch.share_count;
  request.times = transfer::times_of(job->transport->name(), config.transport);
  request.priority = job->fetch.priority;
  request.bandwidth_mbps = job->fetch.bandwidth_mbps;
  request.is_metered = job->fetch.is_metered;
  request.open = [this, job](std::vector<core::Digest256> layer) {
    return open_landing(job, std::move(layer));
  };
  if (const std::string why = job->transport->why_not(request); !why.empty()) {
    end(job, Error{ErrorKind::kUnreachable, why, job->fetch.path}, {});
    return;
  }
  for (const core::NodeId& node : job->fetch.sources) ask_to_seed(*job, node);
  transports::FetchCallbacks callbacks;
  callbacks.progress = [this, id = job->fetch.job](std::uint64_t bytes) {
    ports.post(engine::FetchProgress{id, bytes});
  };
  callbacks.asks = [this, id = job->fetch.job](std::uint64_t bytes) {
    ports.post(engine::FetchAsks{id, bytes});
  };
  callbacks.done = [this, job](transports::FetchOutcome outcome) {
    fetched(job, std::move(outcome));
  };
  job->transport->fetch(std::move(request), std::move(callbacks));
}

void FilesShell::State::ask_to_seed(const FilesJob& job, const core::NodeId& node) {
  if (job.transport->name() != transfer::Transport::kSwarm) return;
  ports.ask_to_seed(node, job.fetch.object.root);
}

void FilesShell::linked(const core::NodeId& node) {
  State& s = *state_;
  const std::lock_guard lock(s.jobs_mutex);
  for (const auto& [id, job] : s.jobs) {
    const auto& sources = job->fetch.sources;
    const bool is_source = std::find(sources.begin(), sources.end(), node) != sources.end();
    if (is_source) s.ask_to_seed(*job, node);
  }
}

std::shared_ptr<Arriving> FilesShell::State::arriving(const core::Root& root) {
  const std::lock_guard lock(jobs_mutex);
  for (const auto& [id, job] : jobs) {
    if (job->arriving && job->fetch.object.root == root) return job->arriving;
  }
  return nullptr;
}

FilesJobPtr FilesShell::State::under_way(std::uint64_t id) {
  const std::lock_guard lock(jobs_mutex);
  auto it = jobs.find(id);
  return it == jobs.end() ? nullptr : it->second;
}

void FilesShell::carry_out(const engine::GrantFetch& action) {
  const FilesJobPtr job = state_->under_way(action.job);
  if (job) job->transport->grant(action.job, action.bytes);
}

void FilesShell::carry_out(const engine::PaceFetch& action) {
  const FilesJobPtr job = state_->under_way(action.job);
  if (job) job->transport->pace(action.job, action.mbps);
}

void FilesShell::carry_out(const engine::CancelFetch& action) {
  const FilesJobPtr job = state_->under_way(action.job);
  if (!job) return;
  job->is_cancelled = true;
  job->transport->cancel(action.job);
}

// ── bytes ───────────────────────────────────────────────────────────────────────────────────────

core::Result<transports::DestinationPtr> FilesShell::State::open_landing(
    const FilesJobPtr& job, std::vector<core::Digest256> layer) {
  FilesLane& lane = *job->lane;
  SYNCLINE_ASSIGN(const FilesLane::Open open, lane.open(config.node.id));
  disk::LandingRequest request;
  request.path = job->fetch.path;
  request.object = job->fetch.object;
  request.piece_layer = std::move(layer);
  request.replaces = job->fetch.replaces;
  request.is_read_while_it_lands = job->fetch.share_count > 1;
  const auto known = lane.known_at(job->fetch.path);
  const bool has_older = known && known->root == request.replaces && !request.replaces.is_zero();
  if (has_older) request.replaces_known = *known;
  SYNCLINE_ASSIGN(job->landing, open.site->begin(std::move(request)));
  if (has_older && job->landing->piece_count() > 1) {
    // A delta that fails costs bytes on the wire, nothing else.
    (void)job->landing->reuse_from(job->fetch.path).ok();
  }
  std::shared_ptr<Arriving> arriving;
  if (!is_small(job)) {
    arriving = std::make_shared<Arriving>(*job->landing);
    const std::lock_guard lock(jobs_mutex);
    job->arriving = arriving;
  }
  return transports::DestinationPtr(
      std::make_shared<LandingDestination>(job->landing, std::move(arriving)));
}

core::Status FilesShell::State::copy_from_here(const FilesJobPtr& job) {
  SYNCLINE_ASSIGN(const Found found, find(job->fetch.object.root));
  SYNCLINE_ASSIGN(auto layer, found.tree->piece_layer(found.path, found.reader->known()));
  SYNCLINE_ASSIGN(const auto opened, open_landing(job, std::move(layer)));
  disk::Landing& landing = *job->landing;
  // Shared extents where the file system can; what it cannot is copied below.
  if (found.lane == job->lane) (void)landing.reuse_from(found.path).ok();
  std::string bytes;
  for (std::uint64_t piece = 0; piece < landing.piece_count(); ++piece) {
    if (landing.has_piece(piece)) continue;
    if (job->is_cancelled || is_closed) {
      return Error{ErrorKind::kCancelled, "the copy was cancelled", job->fetch.path};
    }
    bytes.resize(landing.piece_bytes(piece));
    SYNCLINE_ASSIGN(const std::size_t got,
                    found.reader->read_at(piece * disk::kPieceBytes, std::span<char>(bytes)));
    SYNCLINE_TRY(landing.write_piece(piece, std::string_view(bytes).substr(0, got)));
  }
  return {};
}

// ── into place ──────────────────────────────────────────────────────────────────────────────────

void FilesShell::State::fetched(const FilesJobPtr& job, transports::FetchOutcome outcome) {
  job->outcome = std::move(outcome);
  if (!job->outcome.status.ok()) {
    job->landing.reset();  // what came stays on the disk, to be resumed
    end(job, job->outcome.status, {});
    return;
  }
  FilesLane& lane = *job->lane;
  {
    const std::lock_guard lock(lane.mutex);
    lane.arrived.push_back(job);
    if (lane.is_placing_posted) return;
    lane.is_placing_posted = true;
  }
  lane.lander.post([this, &lane] { place(lane); });
}

// What arrived while others were being placed is placed together; a large one does not hold up the
// small ones. As long as more come, one sync serves two lots.
void FilesShell::State::place(FilesLane& lane) {
  const auto open = lane.opened();
  SYNCLINE_CHECK(open.has_value(), "landed where nothing is open", lane.config.name);
  disk::Finishing finishing(*open->site);
  std::vector<FilesJobPtr> before;
  const auto place_some = [&](std::vector<FilesJobPtr> some) {
    std::vector<disk::Landing*> landings;
    for (const FilesJobPtr& job : some) landings.push_back(job->landing.get());
    auto results = finishing.next(landings);
    placed(lane, *open->tree, before, std::move(results));
    before = std::move(some);
  };
  for (int lots = 0; lots < kLotsInARow; ++lots) {
    std::vector<FilesJobPtr> arrived;
    {
      const std::lock_guard lock(lane.mutex);
      arrived.swap(lane.arrived);
    }
    if (arrived.empty()) break;
    begin_placing(lane, arrived);
    const auto large = std::stable_partition(arrived.begin(), arrived.end(), is_small);
    if (large != arrived.begin()) place_some({arrived.begin(), large});
    for (auto it = large; it != arrived.end(); ++it) {
      place_some({});
      place_some({*it});
    }
  }
  place_some({});
  const std::lock_guard lock(lane.mutex);
  lane.is_placing_posted = !lane.arrived.empty();
  if (lane.is_placing_posted) lane.lander.post([this, &lane] { place(lane); });
}

// Those that were cancelled meanwhile end here.
void FilesShell::State::begin_placing(FilesLane& lane, std::vector<FilesJobPtr>& lot) {
  const auto is_cancelled = [](const FilesJobPtr& job) { return job->is_cancelled.load(); };
  const auto cancelled = std::stable_partition(lot.begin(), lot.end(), std::not_fn(is_cancelled));
  for (auto job = cancelled; job != lot.end(); ++job) {
    (*job)->landing.reset();
    end(*job, Error{ErrorKind::kCancelled, "the fetch was cancelled", (*job)->fetch.path}, {});
  }
  lot.erase(cancelled, lot.end());
  const std::lock_guard lock(lane.mutex);
  for (const FilesJobPtr& job : lot) lane.placing.emplace(job->fetch.path, false);
}

void FilesShell::State::placed(FilesLane& lane, const disk::Tree& tree,
                               const std::vector<FilesJobPtr>& lot,
                               std::vector<core::Result<disk::Landed>> results) {
  if (lot.empty()) return;
  std::vector<bool> is_known(lot.size());
  std::map<std::string, disk::KnownFile> seen_changing;
  {
    const std::lock_guard lock(lane.mutex);
    for (std::size_t i = 0; i < lot.size(); ++i) {
      const std::string& path = lot[i]->fetch.path;
      is_known[i] = results[i].ok() && !lot[i]->is_cancelled;
      if (is_known[i]) lane.remember(path, results[i]->known);
      const auto placing = lane.placing.find(path);
      if (placing->second) {
        seen_changing.emplace(path, is_known[i] ? results[i]->known : disk::KnownFile{});
      }
      lane.placing.erase(placing);
    }
  }
  // Mostly what was seen was our own doing; if not, the scan tells what it was.
  for (const std::string& path : tree.differing(seen_changing)) look_again(lane, path);
  struct Saving {
    FilesJobPtr job;
    std::string conflict_copy;
    bool is_known = false;
  };
  std::vector<storage::FileChange> notes;
  std::vector<Saving> saving;
  for (std::size_t i = 0; i < lot.size(); ++i) {
    const FilesJobPtr& job = lot[i];
    const std::string& path = job->fetch.path;
    job->landing.reset();
    if (!results[i].ok()) {
      end(job, results[i].error(), {});
      continue;
    }
    if (!results[i]->conflict_copy.empty()) look_again(lane, results[i]->conflict_copy);
    // Cancelled at the last moment: the engine does not know that it is there, the scan tells.
    if (!is_known[i]) look_again(lane, path);
    if (is_known[i]) notes.push_back({path, encode(results[i]->known), job->fetch.object});
    saving.push_back({job, std::move(results[i]->conflict_copy), is_known[i]});
  }
  save(lane.config.name, std::move(notes),
       [this, saving = std::move(saving)](const core::Status& saved) {
         if (saved.ok()) {
           const std::lock_guard lock(versions_mutex);
           for (const Saving& one : saving) {
             const engine::Fetch& fetch = one.job->fetch;
             if (one.is_known) landed[fetch.collection][fetch.path] = fetch.object;
           }
         }
         for (const Saving& one : saving) end(one.job, saved, one.conflict_copy);
       });
}

void FilesShell::State::end(const FilesJobPtr& job, core::Status status,
                            std::string conflict_copy) {
  {
    const std::lock_guard lock(jobs_mutex);
    jobs.erase(job->fetch.job);
  }
  ports.post(engine::FetchDone{job->fetch.job, std::move(status), job->outcome.bytes,
                               std::move(conflict_copy), job->outcome.node});
}

}  // namespace syncline::node
