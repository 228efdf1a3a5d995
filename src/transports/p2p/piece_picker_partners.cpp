// Rule 7: who wants the same object takes another share of it, and gives what came.
#include <algorithm>

#include "transports/p2p/piece_picker.hpp"

namespace syncline::transports::p2p {

using core::Instant;
using core::NodeId;

namespace {
// Of a partner's share: pieces that it is fetching itself.
constexpr std::size_t kLeftToOwner = 3;
}  // namespace

void PiecePicker::add_partner(const NodeId& partner, Instant now) {
  if (sources_.count(partner) > 0) return;
  add_source(partner, now);
  const auto it = sources_.find(partner);
  if (it == sources_.end()) return;  // barred
  it->second.is_partner = true;
  it->second.held.resize(state_.size());
  bringers_.resize(state_.size());
}

void PiecePicker::partner_has(const NodeId& partner, std::uint64_t piece) {
  const auto it = sources_.find(partner);
  if (it == sources_.end() || !it->second.is_partner || it->second.held[piece]) return;
  it->second.held[piece] = true;
  it->second.takes.erase(piece);
  if (!it->second.is_silent) ++bringers_[piece];
}

void PiecePicker::partner_takes(const NodeId& partner, std::uint64_t piece) {
  const auto it = sources_.find(partner);
  if (it == sources_.end() || !it->second.is_partner || it->second.held[piece]) return;
  it->second.takes.insert(piece);
}

bool PiecePicker::is_taken(const Ask& ask) const {
  const auto it = sources_.find(ask.source);
  const bool is_of_holder = it != sources_.end() && !it->second.is_partner;
  return is_of_holder && !bringers_.empty() && rank_of(ask.piece) != settings_.share_rank;
}

void PiecePicker::count_brought(const Source& source, int by) {
  if (!source.is_partner || source.is_silent) return;
  for (std::size_t piece = 0; piece < state_.size(); ++piece) {
    if (source.has(piece)) bringers_[piece] = static_cast<std::uint16_t>(bringers_[piece] + by);
  }
}

void PiecePicker::set_silent(Source& source, bool is_silent) {
  if (source.is_silent == is_silent) return;
  count_brought(source, -1);
  source.is_silent = is_silent;
  count_brought(source, 1);
}

std::vector<NodeId> PiecePicker::partners() const {
  std::vector<NodeId> partners;
  for (const auto& [id, source] : sources_) {
    if (source.is_partner) partners.push_back(id);
  }
  return partners;
}

// Of what this partner has, what the fewest bring. Fetchers that begin at different pieces ask it
// for different ones.
std::optional<std::uint64_t> PiecePicker::rarest_of_partner(const Source& partner) const {
  const std::uint64_t width = std::min<std::uint64_t>(kSharedPieces, state_.size() - front_);
  std::optional<std::uint64_t> best;
  for (std::uint64_t i = 0; i < width; ++i) {
    const std::uint64_t piece = front_ + (settings_.first_piece + i) % width;
    if (state_[piece] != State::kMissing || !partner.held[piece]) continue;
    if (!best || bringers_[piece] < bringers_[*best]) best = piece;
    if (bringers_[*best] <= 1) break;
  }
  return best;
}

// What a holder is asked for while others want the object too (rule 7).
std::optional<std::uint64_t> PiecePicker::missing_among_partners(const Source& holder,
                                                                 Instant now) const {
  std::vector<std::vector<std::uint64_t>> left(settings_.share_count);  // by share, and unclaimed
  const std::uint64_t end = std::min<std::uint64_t>(state_.size(), front_ + kSharedPieces);
  std::vector<bool> taken(end - front_);
  for (const auto& [id, source] : sources_) {
    if (source.is_silent) continue;
    auto piece = source.takes.lower_bound(front_);
    for (; piece != source.takes.end() && *piece < end; ++piece) taken[*piece - front_] = true;
  }
  std::optional<std::uint64_t> claimed;
  std::optional<std::uint64_t> brought;
  for (std::uint64_t piece = front_; piece < end; ++piece) {
    if (state_[piece] != State::kMissing || !holder.has(piece)) continue;
    if (bringers_[piece] > 0) {
      if (!brought && !can_a_partner_send(piece)) brought = piece;
    } else if (taken[piece - front_]) {
      claimed = piece;
    } else if (rank_of(piece) == settings_.share_rank) {
      return piece;
    } else {
      left[rank_of(piece)].push_back(piece);
    }
  }
  // Helped is who has most left; its owner comes from the front and hears of this a moment later,
  // and other helpers choose at the same time.
  const auto most = std::max_element(
      left.begin(), left.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  if (most->size() > kLeftToOwner) {
    return (*most)[most->size() - 1 - settings_.share_rank % (most->size() - kLeftToOwner)];
  }
  if (!holder.owes.empty()) return std::nullopt;
  if (now - heard_at_ < kPartnerPatience) return brought;
  return most->empty() ? claimed : most->front();
}

bool PiecePicker::can_a_partner_send(std::uint64_t piece) const {
  return std::any_of(sources_.begin(), sources_.end(), [&](const auto& one) {
    const Source& source = one.second;
    return source.is_partner && !source.is_silent && source.has(piece) && has_room_for(source);
  });
}

}  // namespace syncline::transports::p2p
