#include "transports/p2p/fetcher.hpp"

#include <algorithm>

namespace syncline::transports::p2p {

using core::Error;
using core::ErrorKind;
using core::Instant;
using core::NodeId;
using Phase = Fetch::Phase;

namespace {
constexpr double kBytesPerMb = 1e6;                    // "MB/s" of the configuration
constexpr std::uint64_t kAskAhead = 16 * kPieceBytes;  // of a metered fetch
}  // namespace

Fetcher::Fetcher(const NodeId& self, const env::Clock& clock, ExchangePorts ports,
                 ExchangeLimits limits, Workers& workers)
    : self_(self), clock_(clock), ports_(std::move(ports)), limits_(limits), workers_(workers) {}

void Fetcher::turn(const std::function<void(Out&)>& change) {
  Out out;
  {
    const std::lock_guard lock(mutex_);
    change(out);
    pump_line(out);
    workers_.set_ticking(Workers::Ticking::kFetches, !fetches_.empty());
  }
  for (const FetchPtr& fetch : out.asking) fetch->callbacks.asks(kAskAhead);
  for (auto& [peer, what] : out.blames) {
    if (ports_.blame) ports_.blame(peer, what);
  }
  std::set<NodeId> unreachable;
  for (auto& [peer, message] : out.messages) {
    if (!ports_.send(peer, std::move(message))) unreachable.insert(peer);
  }
  for (const NodeId& peer : unreachable) link_down(peer);
}

FetchPtr Fetcher::find(std::uint64_t id) const {
  auto it = fetches_.find(id);
  return it == fetches_.end() ? nullptr : it->second;
}

bool Fetcher::is_linked(const NodeId& node) const {
  const std::lock_guard lock(mutex_);
  return linked_.count(node) > 0;
}

// ── begin and end ───────────────────────────────────────────────────────────────────────────────

void Fetcher::fetch(FetchRequest request, FetchCallbacks callbacks) {
  auto fetch = std::make_shared<Fetch>(std::move(request), std::move(callbacks), workers_);
  bool is_too_late = false;
  turn([&](Out& out) {
    is_too_late = is_closed_;
    if (is_too_late) return;
    fetch->id = ++last_number_;
    fetches_[fetch->id] = fetch;
    if (!number_of_.emplace(fetch->request.job, fetch->id).second) {
      finish(fetch,
             Error{ErrorKind::kInvalid, "a fetch with this number is under way already",
                   fetch->request.path},
             {}, out);
    } else {
      begin(fetch, out);
    }
  });
  if (!is_too_late) return;  // else there may be no thread left to say so
  const Error stopping{ErrorKind::kCancelled, "this node stops", fetch->request.path};
  fetch->callbacks.done({stopping, 0, {}});
}

void Fetcher::begin(const FetchPtr& fetch, Out& out) {
  const Instant now = clock_.now();
  fetch->quiet_since = now;
  if (!fetch->request.is_metered) fetch->pace = Pace(fetch->request.bandwidth_mbps * kBytesPerMb);
  if (fetch->size_bytes() == 0) {
    fetch->phase = Phase::kOpening;
    fetch->strand->post([this, fetch] { opened(fetch, fetch->request.open({})); });
    return;
  }
  PickerSettings settings;
  settings.size_bytes = fetch->size_bytes();
  settings.window_bytes = limits_.window_bytes;
  settings.first_piece = std::hash<NodeId>{}(self_);
  if (fetch->is_shared()) {
    const auto count = static_cast<std::uint64_t>(fetch->request.share_count);
    settings.share_rank = static_cast<std::uint64_t>(fetch->request.share_rank);
    settings.share_count = count;
    // The holders' links are shared as well: what is asked further ahead could not be left to
    // another who is faster.
    settings.window_bytes = std::max(2 * kPieceBytes, 2 * limits_.window_bytes / count);
  }
  const transfer::Times& times = fetch->request.times;
  if (times.connect_timeout.count() > 0) settings.silence_max = times.connect_timeout;
  if (times.progress_timeout.count() > 0) {
    settings.silence_max = std::min(settings.silence_max, times.progress_timeout / 2);
  }
  fetch->picker.emplace(settings);
  for (const Source& source : fetch->request.sources) {
    if (linked_.count(source.node) > 0) fetch->picker->add_source(source.node, now);
  }
  if (!fetch->picker->has_sources()) {
    go_on_without(fetch, out);
  } else if (fetch->has_layer()) {
    fetch->phase = Phase::kLayer;
    ask_layer(fetch, out);
  } else {
    pump(fetch, out);
  }
}

void Fetcher::finish(const FetchPtr& fetch, core::Status status, const NodeId& node, Out& out) {
  if (fetch->phase == Phase::kOver) return;
  fetch->phase = Phase::kOver;
  fetches_.erase(fetch->id);
  auto number = number_of_.find(fetch->request.job);
  if (number != number_of_.end() && number->second == fetch->id) number_of_.erase(number);
  in_flight_bytes_ -= fetch->counted_bytes;
  FetchOutcome outcome{std::move(status), 0, node};
  std::uint64_t most = 0;
  for (const auto& [source, bytes] : fetch->bytes_from) {
    outcome.bytes += bytes;
    if (outcome.status.ok() && bytes > most) {
      most = bytes;
      outcome.node = source;
    }
  }
  if (!outcome.status.ok()) {
    for (const Source& source : fetch->request.sources) {
      if (fetch->picker && linked_.count(source.node) > 0) {
        out.messages.emplace_back(source.node, wire::CancelJob{fetch->id});
      }
    }
    for (const NodeId& partner : fetch->partners) {
      out.messages.emplace_back(partner, wire::CancelJob{fetch->id});
    }
  }
  tell_partners(*fetch, true, out);
  fetch->assemblies.clear();
  fetch->wrong.clear();
  fetch->strand->post([fetch, outcome = std::move(outcome)] {
    // What came is kept for the next try; that it could not be is told by the next try itself.
    if (!outcome.status.ok() && fetch->destination) (void)fetch->destination->checkpoint().ok();
    fetch->destination.reset();
    fetch->callbacks.done(outcome);
  });
}

void Fetcher::cancel(std::uint64_t job) {
  turn([&](Out& out) {
    auto number = number_of_.find(job);
    if (number == number_of_.end()) return;
    const FetchPtr fetch = find(number->second);
    finish(fetch, Error{ErrorKind::kCancelled, "the fetch was cancelled", fetch->request.path}, {},
           out);
  });
}

void Fetcher::close() {
  turn([&](Out& out) {
    is_closed_ = true;
    const auto fetches = fetches_;
    for (const auto& [id, fetch] : fetches) {
      finish(fetch, Error{ErrorKind::kCancelled, "this node stops", fetch->request.path}, {}, out);
    }
  });
}

// ── asking ──────────────────────────────────────────────────────────────────────────────────────

void Fetcher::recount(Fetch& fetch) {
  if (fetch.phase == Phase::kOver) return;
  in_flight_bytes_ += fetch.picker->in_flight_bytes() - fetch.counted_bytes;
  fetch.counted_bytes = fetch.picker->in_flight_bytes();
}

void Fetcher::pump(const FetchPtr& fetch, Out& out) {
  if (fetch->phase != Phase::kPieces) return;
  const Instant now = clock_.now();
  recount(*fetch);
  const std::uint64_t most = std::min(kPieceBytes, fetch->size_bytes());
  while (may_ask(*fetch, now)) {
    const bool has_room =
        in_flight_bytes_ == 0 || in_flight_bytes_ + most <= limits_.window_total_bytes;
    if (!has_room) {
      if (!std::exchange(fetch->is_in_line, true)) line_.push_back(fetch);
      return;
    }
    const bool was_quiet = fetch->picker->awaited() == 0;
    const auto ask = fetch->picker->next(now);
    if (!ask) return;
    if (was_quiet) fetch->quiet_since = now;
    recount(*fetch);
    const std::uint64_t bytes = fetch->picker->piece_bytes(ask->piece);
    fetch->pace.asked(bytes, now);
    if (fetch->request.is_metered) fetch->allowance -= static_cast<std::int64_t>(bytes);
    start(fetch, *ask, out);
    if (fetch->picker->is_taken(*ask)) {
      fetch->taking.push_back(static_cast<std::uint32_t>(ask->piece));
      tell_partners(*fetch, true, out);
    }
    ask_for_more(fetch, out);
  }
  ask_for_more(fetch, out);
}

bool Fetcher::may_ask(const Fetch& fetch, Instant now) const {
  if (fetch.request.is_metered) return fetch.allowance > 0;
  return fetch.pace.may_ask(now);
}

// Ahead of need, so that an answer that takes a moment costs no speed where the limit is high.
void Fetcher::ask_for_more(const FetchPtr& fetch, Out& out) {
  const bool is_short = fetch->request.is_metered && fetch->asked_for == 0 &&
                        fetch->allowance < static_cast<std::int64_t>(kAskAhead / 2);
  if (!is_short) return;
  fetch->asked_for = kAskAhead;
  out.asking.push_back(fetch);
}

void Fetcher::grant(std::uint64_t job, std::uint64_t bytes) {
  turn([&](Out& out) {
    auto number = number_of_.find(job);
    if (number == number_of_.end()) return;
    const FetchPtr fetch = find(number->second);
    fetch->allowance += static_cast<std::int64_t>(bytes);
    fetch->asked_for -= std::min(fetch->asked_for, bytes);
    if (fetch->phase == Phase::kPieces) pump(fetch, out);
  });
}

// Fetches that found no room go on in the order in which they came.
void Fetcher::pump_line(Out& out) {
  while (!line_.empty()) {
    const FetchPtr fetch = line_.front();
    const std::uint64_t most = std::min(kPieceBytes, fetch->size_bytes());
    const bool has_room =
        in_flight_bytes_ == 0 || in_flight_bytes_ + most <= limits_.window_total_bytes;
    if (!has_room && fetch->phase != Phase::kOver) return;
    line_.pop_front();
    fetch->is_in_line = false;
    pump(fetch, out);
  }
}

void Fetcher::start(const FetchPtr& fetch, const Ask& ask, Out& out) {
  auto assembly = std::make_shared<Assembly>(ask, fetch->picker->piece_bytes(ask.piece));
  fetch->assemblies[ask] = assembly;
  if (fetch->wrong.count(ask.piece) > 0) {
    assembly->waits_for_hashes = true;
    out.messages.emplace_back(ask.source,
                              wire::LayerRequest{fetch->id, fetch->request.object.root, ask.piece});
    return;
  }
  out.messages.emplace_back(
      ask.source,
      wire::ObjectRequest{fetch->id, fetch->request.object.root, ask.piece * kPieceBytes,
                          static_cast<std::uint32_t>(assembly->size_bytes), limits_.accepts_zstd});
}

std::optional<NodeId> Fetcher::not_asked_for_layer(const Fetch& fetch) const {
  for (const Source& source : fetch.request.sources) {
    const NodeId& node = source.node;
    const bool can_ask = linked_.count(node) > 0 && fetch.refused.count(node) == 0 &&
                         fetch.layer_asked.count(node) == 0 && !fetch.picker->is_barred(node);
    if (can_ask) return node;
  }
  return std::nullopt;
}

void Fetcher::ask_layer(const FetchPtr& fetch, Out& out) {
  auto source = not_asked_for_layer(*fetch);
  if (!source) {
    fetch->layer_asked.clear();  // all were asked: begin again with the first
    source = not_asked_for_layer(*fetch);
  }
  if (!source) {
    go_on_without(fetch, out);
    return;
  }
  fetch->layer_source = *source;
  fetch->layer_asked.insert(*source);
  fetch->layer_asked_at = clock_.now();
  out.messages.emplace_back(*source, wire::LayerRequest{fetch->id, fetch->request.object.root});
}

// ── time ────────────────────────────────────────────────────────────────────────────────────────

void Fetcher::tick() {
  turn([&](Out& out) {
    const auto fetches = fetches_;
    for (const auto& [id, fetch] : fetches) look_at(fetch, out);
  });
}

void Fetcher::look_at(const FetchPtr& fetch, Out& out) {
  if (fetch->phase != Phase::kLayer && fetch->phase != Phase::kPieces) return;
  const Instant now = clock_.now();
  const core::Duration timeout = fetch->request.times.progress_timeout;
  bool is_waiting = fetch->phase == Phase::kLayer;
  NodeId awaited = fetch->layer_source;
  if (fetch->phase == Phase::kLayer) {
    // A layer may have to be made from the file first, so the same node is not asked twice.
    const core::Duration patience = fetch->request.times.connect_timeout;
    const bool is_late = patience.count() > 0 && now - fetch->layer_asked_at >= patience;
    if (is_late && not_asked_for_layer(*fetch)) ask_layer(fetch, out);
  } else {
    forget(*fetch, fetch->picker->give_up_silent(now));
    tell_partners(*fetch, true, out);
    pump(fetch, out);
    // Nothing under way although nothing holds it back: no source serves what is missing.
    const bool is_stuck =
        fetch->picker->in_flight_bytes() == 0 && may_ask(*fetch, now) && !fetch->is_in_line;
    is_waiting = fetch->picker->awaited() > 0 || is_stuck;
    if (!fetch->assemblies.empty()) awaited = fetch->assemblies.begin()->first.source;
  }
  if (fetch->phase == Phase::kOver || timeout.count() == 0 || !is_waiting) return;
  if (now - fetch->quiet_since < timeout) return;
  const auto waited_s = std::chrono::duration_cast<core::seconds>(timeout).count();
  finish(fetch,
         Error{ErrorKind::kUnreachable,
               "nothing of it came for " + std::to_string(waited_s) + " s from any source",
               fetch->request.path},
         awaited, out);
}

}  // namespace syncline::transports::p2p
