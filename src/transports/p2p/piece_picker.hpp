// Which piece to ask next, and from whom. A core: no clock, no I/O, no randomness of its own.
//
// Rules:
// 1. At most window_bytes are asked and not yet settled: memory does not grow with the object.
//    While others fetch it too (rule 7), less: what waits at a holder nobody else takes over.
// 2. Among the pieces that nobody was asked for: the rarest among the sources first; among equally
//    rare ones in order from first_piece on, so that disks read forward. Fetchers that begin at
//    different pieces have different pieces to give to each other.
// 3. Each piece goes to the source that would have it here soonest, by what it still owes and by
//    its measured speed: a source twice as fast is asked for twice as much.
// 4. What a silent source owes is taken back and asked elsewhere, if there is an elsewhere. It is
//    asked again once it has sent something.
// 5. End game: when every missing piece is asked for and a source idles, it is asked for a second
//    copy of the piece whose copy under way would come latest; never for a third.
// 6. A source that sent wrong bytes is barred: never asked again, whatever else happens.
// 7. Partners want the same object now, and tell which pieces have come to them. Each has a share
//    (every so-manieth piece), which it asks from the holders first; then what is left of the
//    others' shares, but for what their owners are at. What a partner has is asked from it, and
//    from a holder only when that one would idle. So holders send each piece once, however many
//    want it; who is slow is helped. What partners owe has a window of its own, so that waiting
//    for them keeps no holder idle. All this goes on among the next kSharedPieces pieces, so that
//    choosing costs no more in a large object.
//
// A whole piece is asked from one source, so a wrong one has one culprit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/ids.hpp"
#include "core/merkle.hpp"
#include "core/time.hpp"

namespace syncline::transports::p2p {

using core::kPieceBytes;

struct PickerSettings {
  std::uint64_t size_bytes = 0;  // of the object; not zero
  std::uint64_t window_bytes = 8u << 20;
  std::uint64_t first_piece = 0;                          // where the order begins
  core::Duration silence_max = core::milliseconds(5000);  // rule 4
  // Rule 7. This one's share is each piece whose number leaves share_rank, divided by share_count.
  std::uint64_t share_rank = 0;
  std::uint64_t share_count = 1;
  std::uint64_t partner_window_bytes = 32u << 20;  // owed by all partners together
};

struct Ask {
  core::NodeId source;
  std::uint64_t piece = 0;
  auto operator<=>(const Ask&) const = default;
};

class PiecePicker {
 public:
  explicit PiecePicker(PickerSettings settings);

  std::uint64_t piece_count() const { return state_.size(); }
  std::uint64_t piece_bytes(std::uint64_t piece) const;

  void mark_present(std::uint64_t piece);
  // A source that holds everything, until told otherwise. A barred one stays barred.
  void add_source(const core::NodeId& source, core::Instant now);
  // Rule 7: one that has nothing yet. A source that is here already stays what it is.
  void add_partner(const core::NodeId& partner, core::Instant now);
  void partner_has(const core::NodeId& partner, std::uint64_t piece);
  // It asks a holder for this piece of another's share.
  void partner_takes(const core::NodeId& partner, std::uint64_t piece);
  // Holds only these; `held` has an entry per piece.
  void source_has(const core::NodeId& source, std::vector<bool> held);
  // Gone, or it will not serve: what it owed is asked elsewhere. It may be added again.
  void drop_source(const core::NodeId& source);
  void bar(const core::NodeId& source);

  // The next ask to send now, if any; it counts as sent.
  std::optional<Ask> next(core::Instant now);

  // Bytes of an ask under way have come. False: no such ask (any more).
  bool bytes_came(const Ask& ask, std::uint64_t bytes, core::Instant now);
  // All bytes of the ask are here and are being verified.
  void arrived(const Ask& ask);
  // Verified and written. Answers the other copies under way: their bytes are of no use any more.
  std::vector<Ask> verified(std::uint64_t piece);
  // Not verified: the piece is missing again (see bar()).
  void failed(const Ask& ask);
  // The source has the object but serves nothing more before `until`.
  void put_off(const Ask& ask, core::Instant until);
  // Asks taken back by rule 4. Their bytes may still come; nobody waits for them.
  std::vector<Ask> give_up_silent(core::Instant now);

  bool is_present(std::uint64_t piece) const { return state_[piece] == State::kPresent; }
  bool is_complete() const { return missing_ == 0; }
  bool has_sources() const;  // partners alone are none
  std::vector<core::NodeId> partners() const;
  bool is_barred(const core::NodeId& source) const { return barred_.count(source) > 0; }
  std::uint64_t in_flight_bytes() const { return in_flight_bytes_; }
  // Asks whose bytes are still awaited.
  std::size_t awaited() const { return awaited_; }
  // Rule 7: this piece was asked from a holder although it is of another's share.
  bool is_taken(const Ask& ask) const;
  double bytes_per_s(const core::NodeId& source) const;  // 0: not measured yet

 private:
  // So long nothing may come before a holder is asked for what a partner is to bring.
  static constexpr core::Duration kPartnerPatience = core::milliseconds(1000);

  static constexpr std::uint64_t kSharedPieces = 2048;

  enum class State : std::uint8_t { kMissing, kAsked, kArrived, kPresent };
  struct Source {
    std::vector<bool> held;         // empty: everything
    std::set<std::uint64_t> owes;   // pieces
    std::set<std::uint64_t> takes;  // of a partner: not its share, and not here yet
    std::uint64_t owed_bytes = 0;
    double bytes_per_s = 0;
    std::uint64_t sample_bytes = 0;  // since sample_at
    core::Instant sample_at;
    core::Instant heard_at;  // the last byte, or when it was first asked after owing none
    core::Instant not_before;
    bool is_silent = false;
    bool is_partner = false;
    bool has(std::uint64_t piece) const { return held.empty() || held[piece]; }
  };
  std::vector<core::NodeId> by_expected_finish(core::Instant now) const;
  double expected_seconds(const Source& source, std::uint64_t more_bytes) const;
  std::optional<std::uint64_t> rarest_missing(const Source& source) const;
  std::optional<std::uint64_t> rarest_of_partner(const Source& partner) const;
  void is_missing_again(std::uint64_t piece);
  std::optional<std::uint64_t> missing_among_partners(const Source& holder,
                                                      core::Instant now) const;
  bool has_room_for(const Source& source) const;
  std::uint64_t holder_window() const;
  bool has_prompt_holder() const;
  bool can_a_partner_send(std::uint64_t piece) const;
  void set_silent(Source& source, bool is_silent);
  void count_brought(const Source& source, int by);
  std::uint64_t rank_of(std::uint64_t piece) const { return piece % settings_.share_count; }
  std::optional<std::uint64_t> worth_a_second_copy(const core::NodeId& id, core::Instant now) const;
  Ask send(const core::NodeId& id, std::uint64_t piece, core::Instant now);
  void release(const core::NodeId& id, Source& source, std::uint64_t piece);
  std::size_t copies(std::uint64_t piece) const;

  PickerSettings settings_;
  std::vector<State> state_;
  std::map<std::uint64_t, std::set<core::NodeId>> asked_;  // piece -> who owes a copy
  std::map<core::NodeId, Source> sources_;
  std::vector<std::uint16_t> bringers_;  // piece -> partners that have it; empty without any
  core::Instant heard_at_;               // of anybody
  std::set<core::NodeId> barred_;
  std::uint64_t missing_ = 0;          // not present yet
  std::uint64_t unasked_ = 0;          // kMissing
  std::uint64_t cursor_ = 0;           // no kMissing piece lies between first_piece and here
  std::uint64_t front_ = 0;            // … nor before this one
  std::uint64_t in_flight_bytes_ = 0;  // asked (each copy) or being verified
  std::uint64_t partner_bytes_ = 0;    // of those, owed by partners
  std::size_t awaited_ = 0;
};

}  // namespace syncline::transports::p2p
