#include "transports/p2p/bundles.hpp"

#include <algorithm>

#include "core/merkle.hpp"
#include "wire/packing.hpp"

namespace syncline::transports::p2p {

using core::Error;
using core::ErrorKind;
using core::NodeId;

namespace {
// Beside numbers of fetches, which begin at 1.
constexpr std::uint64_t kFirstNumber = std::uint64_t{1} << 63;
// Asked for ahead of what is being put down here.
constexpr std::size_t kUnderWayMax = 4;
// From a source of which nothing came for so long they go on alone, and are asked for elsewhere as
// well; where the request's connect_timeout does not say otherwise.
constexpr core::Duration kPatience = core::seconds(5);
}  // namespace

Bundles::Bundles(const env::Clock& clock, ExchangePorts ports, ExchangeLimits limits,
                 Workers& workers, Fetcher& fetcher)
    : clock_(clock),
      ports_(std::move(ports)),
      limits_(limits),
      workers_(workers),
      fetcher_(fetcher),
      last_number_(kFirstNumber) {}

void Bundles::turn(const std::function<void(Out&)>& change) {
  Out out;
  {
    const std::lock_guard lock(mutex_);
    change(out);
    workers_.set_ticking(Workers::Ticking::kBundles, !bundles_.empty());
  }
  std::set<NodeId> unreachable;
  for (auto& [peer, message] : out.messages) {
    if (!ports_.send(peer, std::move(message))) unreachable.insert(peer);
  }
  for (const EntryPtr& entry : out.alone) go_alone(entry);
  for (const NodeId& peer : unreachable) link_down(peer);
}

// ── in and out ──────────────────────────────────────────────────────────────────────────────────

bool Bundles::fetch(FetchRequest& request, FetchCallbacks& callbacks) {
  const bool is_small =
      request.object.size_bytes > 0 && request.object.size_bytes <= kBundledBytesMax;
  if (!is_small || request.is_metered || request.bandwidth_mbps > 0) return false;
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_closed_ || entries_.count(request.job) > 0) return false;
    const NodeId* chosen = nullptr;  // the best of those of which least is wanted
    std::size_t least = 0;
    for (const transports::Source& source : request.sources) {
      if (!fetcher_.is_linked(source.node)) continue;
      const auto wanted = sources_.find(source.node);
      const std::size_t waiting = wanted == sources_.end() ? 0 : wanted->second.waiting.size();
      if (chosen != nullptr && waiting >= least) continue;
      chosen = &source.node;
      least = waiting;
    }
    if (chosen == nullptr) return false;
    std::deque<EntryPtr>& line = sources_[*chosen].waiting;
    const std::uint64_t job = request.job;
    line.push_back(std::make_shared<Entry>(Entry{std::move(request), std::move(callbacks)}));
    entries_.emplace(job, line.back());
    is_first = !std::exchange(is_gathering_, true);
  }
  // By then, more that were wanted in the same moment are there.
  if (is_first) workers_.post([this] { turn([this](Out& out) { ask(out); }); });
  return true;
}

void Bundles::cancel(std::uint64_t job) {
  EntryPtr entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(job);
    if (found == entries_.end()) return;
    entry = found->second;
    if (!take_up(entry)) return;
  }
  end_cancelled(entry, "the fetch was cancelled");
}

void Bundles::close() {
  std::vector<EntryPtr> all;
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    for (const auto& [job, entry] : entries_) all.push_back(entry);
    for (const EntryPtr& entry : all) take_up(entry);
    bundles_.clear();
    sources_.clear();
  }
  for (const EntryPtr& entry : all) end_cancelled(entry, "this node stops");
}

bool Bundles::take_up(const EntryPtr& entry) {
  if (std::exchange(entry->is_over, true)) return false;
  entries_.erase(entry->request.job);
  return true;
}

bool Bundles::lock_and_take_up(const EntryPtr& entry) {
  const std::lock_guard lock(mutex_);
  return take_up(entry);
}

void Bundles::end_cancelled(const EntryPtr& entry, const char* why) {
  workers_.post([entry, why] {
    entry->callbacks.done({Error{ErrorKind::kCancelled, why, entry->request.path}, 0, {}});
  });
}

void Bundles::go_alone(const EntryPtr& entry) {
  fetcher_.fetch(std::move(entry->request), std::move(entry->callbacks));
}

// ── asking ──────────────────────────────────────────────────────────────────────────────────────

void Bundles::ask(Out& out) {
  is_gathering_ = false;
  for (auto it = sources_.begin(); it != sources_.end();) {
    auto& [source, state] = *it;
    while (!state.waiting.empty() && state.under_way < kUnderWayMax) {
      wire::BundleRequest request = gather(source, state);
      if (!request.objects.empty()) out.messages.emplace_back(source, std::move(request));
    }
    const bool is_done = state.waiting.empty() && state.under_way == 0;
    it = is_done ? sources_.erase(it) : std::next(it);
  }
}

wire::BundleRequest Bundles::gather(const NodeId& source, Source& state) {
  wire::BundleRequest request;
  Bundle bundle{source, kPatience, clock_.now(), {}};
  std::uint64_t bytes = 0;
  while (!state.waiting.empty() && request.objects.size() < wire::kBundleObjectsMax) {
    const EntryPtr& entry = state.waiting.front();
    const core::ObjectVersion& object = entry->request.object;
    if (!entry->is_over) {
      if (bytes + object.size_bytes > wire::kBundleBytesMax) break;
      bytes += object.size_bytes;
      request.objects.push_back({object.root, static_cast<std::uint32_t>(object.size_bytes)});
      bundle.entries.push_back(entry);
      const core::Duration timeout = entry->request.times.connect_timeout;
      if (timeout.count() > 0) bundle.patience = timeout;
    }
    state.waiting.pop_front();
  }
  if (request.objects.empty()) return request;
  request.job = ++last_number_;
  request.accepts_zstd = limits_.accepts_zstd;
  bundles_.emplace(request.job, std::move(bundle));
  ++state.under_way;
  return request;
}

Bundles::Bundle Bundles::take_out(std::map<std::uint64_t, Bundle>::iterator bundle) {
  Bundle taken = std::move(bundle->second);
  bundles_.erase(bundle);
  --sources_.at(taken.source).under_way;
  return taken;
}

void Bundles::take_back(std::map<std::uint64_t, Bundle>::iterator bundle, Out& out) {
  for (const EntryPtr& entry : take_out(bundle).entries) {
    if (take_up(entry)) out.alone.push_back(entry);
  }
}

void Bundles::link_down(const NodeId& peer) {
  turn([&](Out& out) {
    const auto source = sources_.find(peer);
    if (source == sources_.end()) return;
    for (const EntryPtr& entry : source->second.waiting) {
      if (take_up(entry)) out.alone.push_back(entry);
    }
    for (auto it = bundles_.begin(); it != bundles_.end();) {
      const auto bundle = it++;
      if (bundle->second.source == peer) take_back(bundle, out);
    }
    sources_.erase(source);
  });
}

bool Bundles::on_refused(const wire::ObjectRefused& refused) {
  if (refused.job < kFirstNumber) return false;
  turn([&](Out& out) {
    const auto bundle = bundles_.find(refused.job);
    if (bundle == bundles_.end()) return;
    take_back(bundle, out);
    ask(out);
  });
  return true;
}

void Bundles::tick() {
  turn([&](Out& out) {
    const core::Instant now = clock_.now();
    for (auto it = bundles_.begin(); it != bundles_.end();) {
      const auto bundle = it++;
      if (now - bundle->second.quiet_since < bundle->second.patience) continue;
      out.messages.emplace_back(bundle->second.source, wire::CancelJob{bundle->first});
      take_back(bundle, out);
    }
    ask(out);
  });
}

// ── what comes ──────────────────────────────────────────────────────────────────────────────────

void Bundles::on_data(const NodeId& peer, wire::BundleData data) {
  turn([&](Out& out) {
    const auto found = bundles_.find(data.job);
    if (found == bundles_.end() || found->second.source != peer) return;  // it was given up
    Bundle bundle = take_out(found);
    for (auto& [number, other] : bundles_) {
      if (other.source == peer) other.quiet_since = clock_.now();
    }
    workers_.post([this, bundle = std::move(bundle), data = std::move(data)]() mutable {
      receive(bundle, std::move(data));
    });
    ask(out);
  });
}

void Bundles::receive(const Bundle& bundle, wire::BundleData data) {
  const std::uint64_t wire_bytes = data.bytes.size();
  if (data.raw_bytes > 0 && !wire::decompress(data.bytes, data.raw_bytes)) {
    return refuse_all_of(bundle, "sent packed bytes that cannot be unpacked");
  }
  std::vector<bool> is_missing(bundle.entries.size());
  for (const std::uint32_t at : data.missing) {
    if (at >= is_missing.size()) return refuse_all_of(bundle, "refused what nobody asked for");
    is_missing[at] = true;
  }
  std::uint64_t wanted = 0;
  for (std::size_t i = 0; i < bundle.entries.size(); ++i) {
    if (!is_missing[i]) wanted += bundle.entries[i]->request.object.size_bytes;
  }
  if (wanted != data.bytes.size()) {
    return refuse_all_of(bundle, "sent more or fewer bytes than were asked for");
  }
  std::string_view rest = data.bytes;
  for (std::size_t i = 0; i < bundle.entries.size(); ++i) {
    const EntryPtr& entry = bundle.entries[i];
    const std::uint64_t size = is_missing[i] ? 0 : entry->request.object.size_bytes;
    const std::string_view bytes = rest.substr(0, size);
    rest.remove_prefix(size);
    if (!lock_and_take_up(entry)) continue;
    if (is_missing[i]) {
      go_alone(entry);
    } else {
      land(entry, bundle.source, bytes, size * wire_bytes / data.bytes.size());
    }
  }
}

void Bundles::land(const EntryPtr& entry, const NodeId& source, std::string_view bytes,
                   std::uint64_t wire_bytes) {
  const std::vector<core::Digest256> hashes = core::block_hashes(bytes);
  if (core::merkle_root(hashes, 0, 1) != entry->request.object.root) {
    return blame(entry, source, "sent wrong bytes in a bundle");
  }
  core::Status status;
  {
    const auto destination = entry->request.open({});
    status = destination.ok() ? (*destination)->write_piece(0, bytes, hashes)
                              : core::Status(destination.error());
  }
  const bool is_ok = status.ok();  // nobody is to blame for our disk
  entry->callbacks.done({std::move(status), wire_bytes, is_ok ? source : NodeId()});
}

void Bundles::refuse_all_of(const Bundle& bundle, const std::string& what) {
  for (const EntryPtr& entry : bundle.entries) {
    if (lock_and_take_up(entry)) blame(entry, bundle.source, what);
  }
}

void Bundles::blame(const EntryPtr& entry, const NodeId& source, const std::string& what) {
  FetchRequest& request = entry->request;
  if (ports_.blame) ports_.blame(source, what + " (" + request.path + ")");
  std::erase_if(request.sources, [&](const transports::Source& one) { return one.node == source; });
  if (!request.sources.empty()) return go_alone(entry);
  entry->callbacks.done(
      {Error{ErrorKind::kCorrupt, source.text + " " + what + "; fetch it from another node",
             request.path},
       0, source});
}

}  // namespace syncline::transports::p2p
