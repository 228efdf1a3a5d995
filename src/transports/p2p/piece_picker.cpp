#include "transports/p2p/piece_picker.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace syncline::transports::p2p {

using core::Instant;
using core::NodeId;

namespace {
// A speed is taken over at least so long: shorter spans measure the kernel's buffers.
constexpr core::Duration kSampleMin = core::milliseconds(200);
constexpr double kNewSampleWeight = 0.3;
// Rule 2 looks at so many unasked pieces for the rarest: enough to spread, cheap for any size.
constexpr std::size_t kRarestAmong = 512;
// A second copy must be expected in half the time of the first, else it is bytes for nothing.
constexpr double kSecondCopyGain = 2;
constexpr double kUnknownBytesPerS = 16.0 * 1024 * 1024;
// Enough to keep a link full; more would wait there while another partner gets the piece.
constexpr std::size_t kOwedByPartnerMax = 2;
// One that is being sent and one that is next.
constexpr std::uint64_t kOwedByHolderWhileShared = 2;
}  // namespace

PiecePicker::PiecePicker(PickerSettings settings)
    : settings_(settings),
      state_(static_cast<std::size_t>((settings.size_bytes + kPieceBytes - 1) / kPieceBytes)),
      missing_(state_.size()),
      unasked_(state_.size()) {
  SYNCLINE_CHECK(settings_.size_bytes > 0, "an object without bytes has no pieces");
  settings_.first_piece %= state_.size();
}

std::uint64_t PiecePicker::piece_bytes(std::uint64_t piece) const {
  SYNCLINE_CHECK(piece < state_.size(), "piece", piece, "of", state_.size());
  return std::min(kPieceBytes, settings_.size_bytes - piece * kPieceBytes);
}

void PiecePicker::mark_present(std::uint64_t piece) {
  SYNCLINE_CHECK(state_[piece] == State::kMissing, "piece", piece, "was asked for already");
  state_[piece] = State::kPresent;
  --missing_;
  --unasked_;
}

// ── sources ─────────────────────────────────────────────────────────────────────────────────────

void PiecePicker::add_source(const NodeId& source, Instant now) {
  if (is_barred(source)) return;
  heard_at_ = std::max(heard_at_, now);
  auto [it, is_new] = sources_.try_emplace(source);
  if (is_new) it->second.sample_at = it->second.heard_at = now;
}

void PiecePicker::source_has(const NodeId& source, std::vector<bool> held) {
  auto it = sources_.find(source);
  if (it == sources_.end()) return;
  SYNCLINE_CHECK(held.size() == state_.size(), "entries", held.size(), "pieces", state_.size());
  it->second.held = std::move(held);
}

void PiecePicker::release(const NodeId& id, Source& source, std::uint64_t piece) {
  source.owes.erase(piece);
  source.owed_bytes -= piece_bytes(piece);
  in_flight_bytes_ -= piece_bytes(piece);
  if (source.is_partner) partner_bytes_ -= piece_bytes(piece);
  --awaited_;
  auto copies = asked_.find(piece);
  copies->second.erase(id);
  if (!copies->second.empty()) return;
  asked_.erase(copies);
  if (state_[piece] != State::kAsked) return;
  is_missing_again(piece);
}

void PiecePicker::is_missing_again(std::uint64_t piece) {
  state_[piece] = State::kMissing;
  ++unasked_;
  front_ = std::min(front_, piece);
  cursor_ = std::min(cursor_, (piece + state_.size() - settings_.first_piece) % state_.size());
}

void PiecePicker::drop_source(const NodeId& source) {
  auto it = sources_.find(source);
  if (it == sources_.end()) return;
  for (std::uint64_t piece : std::set<std::uint64_t>(it->second.owes)) {
    release(source, it->second, piece);
  }
  count_brought(it->second, -1);
  sources_.erase(it);
}

void PiecePicker::bar(const NodeId& source) {
  drop_source(source);
  barred_.insert(source);
}

bool PiecePicker::has_sources() const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const auto& source) { return !source.second.is_partner; });
}

double PiecePicker::bytes_per_s(const NodeId& source) const {
  auto it = sources_.find(source);
  return it == sources_.end() ? 0 : it->second.bytes_per_s;
}

// ── choosing ────────────────────────────────────────────────────────────────────────────────────

double PiecePicker::expected_seconds(const Source& source, std::uint64_t more_bytes) const {
  // Who was not measured yet is taken for as fast as the fastest: so it gets measured.
  double speed = source.bytes_per_s;
  if (speed <= 0) {
    for (const auto& [id, other] : sources_) speed = std::max(speed, other.bytes_per_s);
  }
  if (speed <= 0) speed = kUnknownBytesPerS;
  return static_cast<double>(source.owed_bytes + more_bytes) / speed;
}

std::vector<NodeId> PiecePicker::by_expected_finish(Instant now) const {
  std::vector<std::pair<double, NodeId>> order;
  const bool has_prompt = has_prompt_holder();
  for (const auto& [id, source] : sources_) {
    // A silent one is asked only where nobody else is left.
    if (source.not_before > now || (source.is_silent && has_prompt)) continue;
    order.emplace_back(expected_seconds(source, kPieceBytes), id);
  }
  std::sort(order.begin(), order.end());
  std::vector<NodeId> ids;
  for (auto& [seconds, id] : order) ids.push_back(std::move(id));
  return ids;
}

// One ask is always allowed: a window below a piece would be no window at all.
bool PiecePicker::has_room_for(const Source& source) const {
  if (source.is_partner) {
    return source.owes.size() < kOwedByPartnerMax &&
           (partner_bytes_ == 0 || partner_bytes_ + kPieceBytes <= settings_.partner_window_bytes);
  }
  const std::uint64_t owed = in_flight_bytes_ - partner_bytes_;
  return owed == 0 || owed + kPieceBytes <= holder_window();
}

std::uint64_t PiecePicker::holder_window() const {
  if (bringers_.empty()) return settings_.window_bytes;
  const auto holders = static_cast<std::uint64_t>(std::count_if(
      sources_.begin(), sources_.end(), [](const auto& one) { return !one.second.is_partner; }));
  return std::min(settings_.window_bytes,
                  std::max(settings_.window_bytes / settings_.share_count,
                           kOwedByHolderWhileShared * kPieceBytes * holders));
}

bool PiecePicker::has_prompt_holder() const {
  return std::any_of(sources_.begin(), sources_.end(), [](const auto& one) {
    return !one.second.is_partner && !one.second.is_silent;
  });
}

std::optional<std::uint64_t> PiecePicker::rarest_missing(const Source& source) const {
  const bool is_uniform = std::all_of(sources_.begin(), sources_.end(),
                                      [](const auto& s) { return s.second.held.empty(); });
  std::optional<std::uint64_t> best;
  std::size_t best_holders = 0;
  std::size_t looked_at = 0;
  for (std::uint64_t i = cursor_; i < state_.size() && looked_at < kRarestAmong; ++i) {
    const std::uint64_t piece = (settings_.first_piece + i) % state_.size();
    if (state_[piece] != State::kMissing || !source.has(piece)) continue;
    if (is_uniform) return piece;
    ++looked_at;
    const auto holders = static_cast<std::size_t>(std::count_if(
        sources_.begin(), sources_.end(), [&](const auto& s) { return s.second.has(piece); }));
    if (!best || holders < best_holders) {
      best = piece;
      best_holders = holders;
    }
  }
  return best;
}

std::size_t PiecePicker::copies(std::uint64_t piece) const {
  auto it = asked_.find(piece);
  return it == asked_.end() ? 0 : it->second.size();
}

std::optional<std::uint64_t> PiecePicker::worth_a_second_copy(const NodeId& id, Instant now) const {
  const Source& own = sources_.at(id);
  if (!own.owes.empty()) return std::nullopt;
  std::optional<std::uint64_t> best;
  double latest = expected_seconds(own, kPieceBytes) * kSecondCopyGain;
  for (const auto& [piece, owners] : asked_) {
    if (owners.size() != 1 || state_[piece] != State::kAsked || !own.has(piece)) continue;
    const NodeId& owner = *owners.begin();
    const Source& other = sources_.at(owner);
    if (owner == id) continue;
    if (other.is_partner && now - other.heard_at < kPartnerPatience) continue;
    const double seconds = expected_seconds(other, 0);
    if (seconds > latest || (other.is_silent && !best)) {
      latest = std::max(latest, seconds);
      best = piece;
    }
  }
  return best;
}

Ask PiecePicker::send(const NodeId& id, std::uint64_t piece, Instant now) {
  Source& source = sources_.at(id);
  if (source.owes.empty()) source.heard_at = source.sample_at = now;
  if (source.owes.empty()) source.sample_bytes = 0;
  if (state_[piece] == State::kMissing) --unasked_;
  state_[piece] = State::kAsked;
  asked_[piece].insert(id);
  source.owes.insert(piece);
  source.owed_bytes += piece_bytes(piece);
  in_flight_bytes_ += piece_bytes(piece);
  if (source.is_partner) partner_bytes_ += piece_bytes(piece);
  ++awaited_;
  return {id, piece};
}

std::optional<Ask> PiecePicker::next(Instant now) {
  while (cursor_ < state_.size() &&
         state_[(settings_.first_piece + cursor_) % state_.size()] != State::kMissing) {
    ++cursor_;
  }
  while (front_ < state_.size() && state_[front_] != State::kMissing) ++front_;
  if (missing_ == 0) return std::nullopt;
  std::vector<NodeId> order = by_expected_finish(now);
  std::erase_if(order, [this](const NodeId& id) { return !has_room_for(sources_.at(id)); });
  if (unasked_ > 0) {
    for (const NodeId& id : order) {
      const Source& source = sources_.at(id);
      const auto piece = bringers_.empty()   ? rarest_missing(source)
                         : source.is_partner ? rarest_of_partner(source)
                                             : missing_among_partners(source, now);
      if (piece) return send(id, *piece, now);
    }
  }
  for (const NodeId& id : order) {
    const auto piece = worth_a_second_copy(id, now);
    if (piece) return send(id, *piece, now);
  }
  return std::nullopt;
}

// ── what became of it ───────────────────────────────────────────────────────────────────────────

bool PiecePicker::bytes_came(const Ask& ask, std::uint64_t bytes, Instant now) {
  auto it = sources_.find(ask.source);
  if (it == sources_.end()) return false;
  Source& source = it->second;
  set_silent(source, false);
  source.heard_at = heard_at_ = now;
  source.sample_bytes += bytes;
  const core::Duration span = now - source.sample_at;
  if (span >= kSampleMin) {
    const double fresh = static_cast<double>(source.sample_bytes) / core::to_seconds(span);
    source.bytes_per_s = source.bytes_per_s <= 0 ? fresh
                                                 : (1 - kNewSampleWeight) * source.bytes_per_s +
                                                       kNewSampleWeight * fresh;
    source.sample_at = now;
    source.sample_bytes = 0;
  }
  return source.owes.count(ask.piece) > 0;
}

void PiecePicker::arrived(const Ask& ask) {
  auto it = sources_.find(ask.source);
  if (it == sources_.end() || it->second.owes.count(ask.piece) == 0) return;
  if (state_[ask.piece] == State::kAsked) {
    state_[ask.piece] = State::kArrived;
    in_flight_bytes_ += piece_bytes(ask.piece);  // its buffer lives until verified() or failed()
  }
  release(ask.source, it->second, ask.piece);
}

std::vector<Ask> PiecePicker::verified(std::uint64_t piece) {
  std::vector<Ask> others;
  if (state_[piece] == State::kPresent) return others;
  if (state_[piece] == State::kArrived) in_flight_bytes_ -= piece_bytes(piece);
  if (state_[piece] == State::kMissing) --unasked_;
  state_[piece] = State::kPresent;
  --missing_;
  auto copies = asked_.find(piece);
  if (copies == asked_.end()) return others;
  for (const NodeId& id : std::set<NodeId>(copies->second)) {
    others.push_back({id, piece});
    release(id, sources_.at(id), piece);
  }
  return others;
}

void PiecePicker::failed(const Ask& ask) {
  if (state_[ask.piece] == State::kArrived) {
    in_flight_bytes_ -= piece_bytes(ask.piece);
    if (asked_.count(ask.piece) > 0) {
      state_[ask.piece] = State::kAsked;
    } else {
      is_missing_again(ask.piece);
    }
    return;
  }
  auto it = sources_.find(ask.source);
  if (it != sources_.end() && it->second.owes.count(ask.piece) > 0) {
    release(ask.source, it->second, ask.piece);
  }
}

void PiecePicker::put_off(const Ask& ask, Instant until) {
  auto it = sources_.find(ask.source);
  if (it == sources_.end()) return;
  it->second.not_before = std::max(it->second.not_before, until);
  if (it->second.owes.count(ask.piece) > 0) release(ask.source, it->second, ask.piece);
}

std::vector<Ask> PiecePicker::give_up_silent(Instant now) {
  std::vector<Ask> given_up;
  const auto is_silent = [&](const Source& source) {
    return !source.owes.empty() && now - source.heard_at >= settings_.silence_max;
  };
  const bool has_elsewhere = std::any_of(sources_.begin(), sources_.end(), [&](const auto& s) {
    return !is_silent(s.second) && !s.second.is_silent && !s.second.is_partner &&
           s.second.not_before <= now;
  });
  if (!has_elsewhere) return given_up;
  for (auto& [id, source] : sources_) {
    if (!is_silent(source)) continue;
    set_silent(source, true);
    source.bytes_per_s = 0;
    for (std::uint64_t piece : std::set<std::uint64_t>(source.owes)) {
      given_up.push_back({id, piece});
      release(id, source, piece);
    }
  }
  return given_up;
}

}  // namespace syncline::transports::p2p
