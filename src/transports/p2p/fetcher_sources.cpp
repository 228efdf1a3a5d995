// Sources that come and go, refuse, or are to blame.
#include <algorithm>

#include "transports/p2p/fetcher.hpp"

namespace syncline::transports::p2p {

using core::Error;
using core::ErrorKind;
using core::NodeId;
using Phase = Fetch::Phase;

namespace {
// A busy source has thousands of requests to answer first; asking sooner only adds to them.
constexpr core::Duration kBusyPause = core::milliseconds(200);
}  // namespace

void Fetcher::link_up(const NodeId& peer) {
  turn([&](Out& out) {
    linked_.insert(peer);
    const auto fetches = fetches_;
    for (const auto& [id, fetch] : fetches) {
      const auto& partners = fetch->request.partners;
      const bool is_partner = std::find(partners.begin(), partners.end(), peer) != partners.end();
      if (is_partner && fetch->phase == Phase::kPieces) greet_partners(*fetch, {}, out);
      const bool is_useful =
          fetch->picker && fetch->is_source(peer) && fetch->refused.count(peer) == 0;
      if (!is_useful) continue;
      fetch->picker->add_source(peer, clock_.now());
      pump(fetch, out);
    }
  });
}

void Fetcher::link_down(const NodeId& peer) {
  turn([&](Out& out) {
    linked_.erase(peer);
    const auto fetches = fetches_;
    for (const auto& [id, fetch] : fetches) {
      if (!fetch->picker || !fetch->is_source(peer)) continue;
      fetch->problem = {ErrorKind::kUnreachable, "the link to the last source of it broke",
                        fetch->request.path};
      fetch->culprit = peer;
      drop_source(fetch, peer, out);
    }
  });
}

void Fetcher::drop_source(const FetchPtr& fetch, const NodeId& source, Out& out) {
  const auto leave = [&](const NodeId& node) {
    fetch->picker->drop_source(node);
    std::vector<Ask> asks;
    for (const auto& [ask, assembly] : fetch->assemblies) {
      if (ask.source == node) asks.push_back(ask);
    }
    forget(*fetch, asks);
    // While its link lives, what it was asked for may still come.
    if (linked_.count(node) > 0) return;
    std::erase_if(fetch->forgotten, [&](const Ask& ask) { return ask.source == node; });
  };
  leave(source);
  fetch->partners.erase(source);
  // Without a holder, what partners could still bring is no whole object.
  if (!fetch->picker->has_sources()) {
    for (const NodeId& partner : fetch->picker->partners()) leave(partner);
  }
  if (!fetch->picker->has_sources()) {
    go_on_without(fetch, out);
  } else if (fetch->phase == Phase::kLayer && fetch->layer_source == source) {
    ask_layer(fetch, out);
  } else {
    pump(fetch, out);
  }
}

// No source is left. What has arrived and is being verified may still complete the object.
void Fetcher::go_on_without(const FetchPtr& fetch, Out& out) {
  recount(*fetch);
  if (fetch->picker->in_flight_bytes() > 0) return;
  finish(fetch, fetch->problem, fetch->culprit, out);
}

void Fetcher::forget(Fetch& fetch, const std::vector<Ask>& asks) {
  for (const Ask& ask : asks) {
    fetch.assemblies.erase(ask);
    fetch.forgotten.insert(ask);
  }
}

void Fetcher::blame(const FetchPtr& fetch, const NodeId& source, const std::string& what,
                    Out& out) {
  if (fetch->picker->is_barred(source)) return;
  out.blames.emplace_back(source, what + " (" + fetch->request.path + ")");
  out.messages.emplace_back(source, wire::CancelJob{fetch->id});
  fetch->problem = {ErrorKind::kCorrupt, source.text + " " + what + "; fetch it from another node",
                    fetch->request.path};
  fetch->culprit = source;
  fetch->picker->bar(source);
  drop_source(fetch, source, out);
}

void Fetcher::on_refused(const NodeId& peer, const wire::ObjectRefused& refused) {
  turn([&](Out& out) {
    const FetchPtr fetch = find(refused.job);
    if (!fetch || !fetch->picker || !fetch->is_source(peer)) return;
    if (fetch->picker->is_barred(peer)) return;
    const core::Instant now = clock_.now();
    if (fetch->phase == Phase::kLayer) {
      if (fetch->layer_source != peer) return;
      // A busy one is asked again when its patience is over, or another one is.
      if (refused.is_busy) return;
    }
    const Ask ask{peer, refused.offset / kPieceBytes};
    if (refused.is_busy) {
      fetch->assemblies.erase(ask);
      fetch->picker->put_off(ask, now + kBusyPause);
      pump(fetch, out);
      return;
    }
    fetch->refused.insert(peer);
    fetch->problem = {ErrorKind::kMissing, peer.text + " does not serve it: " + refused.reason,
                      fetch->request.path};
    fetch->culprit = peer;
    drop_source(fetch, peer, out);
  });
}

}  // namespace syncline::transports::p2p
