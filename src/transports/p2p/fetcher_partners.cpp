// Those who fetch the same object: what has come to them, and to us.
#include <algorithm>

#include "transports/p2p/fetcher.hpp"
#include "transports/p2p/tellings.hpp"

namespace syncline::transports::p2p {

using core::NodeId;
using Phase = Fetch::Phase;

namespace {
// News of pieces go together for so long; with many partners for longer, so that the messages stay
// few: 5 ms with up to 7, 45 ms with 64.
constexpr core::Duration kTellEvery = core::milliseconds(5);
constexpr std::size_t kPartnersPerTelling = 8;
// Of one fetch: more would be news to too many about too little.
constexpr std::size_t kPartnersMax = 64;
}  // namespace

// Tells that we fetch it, and asks for what they have.
void Fetcher::greet_partners(Fetch& fetch, const std::vector<std::uint64_t>& present, Out& out) {
  if (!fetch.is_shared()) return;
  const std::vector<std::uint32_t> pieces(present.begin(), present.end());
  for (const NodeId& partner : fetch.request.partners) {
    if (linked_.count(partner) == 0) continue;
    for (auto& told : tellings(fetch.request.object.root, pieces, true)) {
      out.messages.emplace_back(partner, std::move(told));
    }
  }
}

void Fetcher::tell_partners(Fetch& fetch, bool is_urgent, Out& out) {
  if (fetch.fresh.empty() && fetch.taking.empty()) return;
  const core::Instant now = clock_.now();
  const auto every = kTellEvery * (1 + fetch.partners.size() / kPartnersPerTelling);
  if (!is_urgent && now - fetch.told_at < every) return;  // the next piece, or a tick
  fetch.told_at = now;
  const wire::ObjectPieces told{fetch.request.object.root, std::exchange(fetch.fresh, {}), false,
                                std::exchange(fetch.taking, {})};
  for (const NodeId& partner : fetch.partners) {
    if (linked_.count(partner) > 0) out.messages.emplace_back(partner, told);
  }
}

void Fetcher::on_pieces(const NodeId& peer, const wire::ObjectPieces& told) {
  turn([&](Out& out) {
    for (const auto& [id, fetch] : fetches_) {
      if (fetch->request.object.root != told.root || !fetch->is_shared()) continue;
      take_pieces(fetch, peer, told, out);
      return;
    }
  });
}

// Also of one that nobody named: it may have heard of the object before we heard of it.
void Fetcher::take_pieces(const FetchPtr& fetch, const NodeId& peer, const wire::ObjectPieces& told,
                          Out& out) {
  const auto& sources = fetch->request.sources;
  const bool is_holder = std::any_of(sources.begin(), sources.end(),
                                     [&](const Source& source) { return source.node == peer; });
  const bool is_welcome = !is_holder && fetch->picker && !fetch->picker->is_barred(peer) &&
                          fetch->refused.count(peer) == 0 && fetch->picker->has_sources();
  if (!is_welcome || (fetch->partners.count(peer) == 0 && fetch->partners.size() >= kPartnersMax)) {
    return;
  }
  const std::uint64_t count = fetch->picker->piece_count();
  const auto is_sane = [&](const std::vector<std::uint32_t>& pieces) {
    return std::all_of(pieces.begin(), pieces.end(), [&](auto piece) { return piece < count; });
  };
  if (!is_sane(told.pieces) || !is_sane(told.taking)) {
    blame(fetch, peer, "told of pieces that the object does not have", out);
    return;
  }
  fetch->partners.insert(peer);
  fetch->picker->add_partner(peer, clock_.now());
  for (const std::uint32_t piece : told.pieces) fetch->picker->partner_has(peer, piece);
  for (const std::uint32_t piece : told.taking) fetch->picker->partner_takes(peer, piece);
  if (told.asks && fetch->phase == Phase::kPieces) {
    std::vector<std::uint32_t> present;
    for (std::uint64_t piece = 0; piece < count; ++piece) {
      if (fetch->picker->is_present(piece)) present.push_back(static_cast<std::uint32_t>(piece));
    }
    for (auto& here : tellings(fetch->request.object.root, present, false)) {
      out.messages.emplace_back(peer, std::move(here));
    }
  }
  pump(fetch, out);
}

}  // namespace syncline::transports::p2p
