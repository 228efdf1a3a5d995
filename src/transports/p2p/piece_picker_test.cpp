#include "transports/p2p/piece_picker.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace syncline::transports::p2p {
namespace {

using core::Instant;
using core::milliseconds;
using core::NodeId;

const NodeId kA("a");
const NodeId kB("b");
const NodeId kC("c");
constexpr std::uint64_t kMiB = kPieceBytes;

PickerSettings settings(std::uint64_t pieces, std::uint64_t window = 8) {
  PickerSettings out;
  out.size_bytes = pieces * kMiB;
  out.window_bytes = window * kMiB;
  return out;
}

Instant at_ms(std::int64_t ms) {
  return {milliseconds(ms)};
}

std::vector<Ask> ask_all(PiecePicker& picker, Instant now) {
  std::vector<Ask> asks;
  while (auto ask = picker.next(now)) asks.push_back(*ask);
  return asks;
}

void deliver(PiecePicker& picker, const Ask& ask, Instant now) {
  picker.bytes_came(ask, picker.piece_bytes(ask.piece), now);
  picker.arrived(ask);
  picker.verified(ask.piece);
}

TEST(PiecePicker, asks_no_more_than_the_window) {
  PiecePicker picker(settings(100, 4));
  picker.add_source(kA, at_ms(0));
  EXPECT_EQ(ask_all(picker, at_ms(0)).size(), 4u);
  EXPECT_EQ(picker.in_flight_bytes(), 4 * kMiB);
}

TEST(PiecePicker, a_piece_being_verified_still_fills_the_window) {
  PiecePicker picker(settings(100, 1));
  picker.add_source(kA, at_ms(0));
  const Ask ask = *picker.next(at_ms(0));
  picker.arrived(ask);
  EXPECT_FALSE(picker.next(at_ms(1)));
  picker.verified(ask.piece);
  EXPECT_TRUE(picker.next(at_ms(2)));
}

TEST(PiecePicker, a_window_below_a_piece_still_moves) {
  PickerSettings tiny = settings(3);
  tiny.window_bytes = 1;
  PiecePicker picker(tiny);
  picker.add_source(kA, at_ms(0));
  EXPECT_EQ(ask_all(picker, at_ms(0)).size(), 1u);
}

TEST(PiecePicker, what_is_present_is_not_asked) {
  PiecePicker picker(settings(4));
  picker.add_source(kA, at_ms(0));
  picker.mark_present(0);
  picker.mark_present(2);
  const auto asks = ask_all(picker, at_ms(0));
  ASSERT_EQ(asks.size(), 2u);
  EXPECT_EQ(asks[0].piece, 1u);
  EXPECT_EQ(asks[1].piece, 3u);
}

TEST(PiecePicker, the_last_piece_is_as_long_as_it_is) {
  PickerSettings odd = settings(2);
  odd.size_bytes += 5;
  PiecePicker picker(odd);
  EXPECT_EQ(picker.piece_count(), 3u);
  EXPECT_EQ(picker.piece_bytes(2), 5u);
}

TEST(PiecePicker, a_source_four_times_as_fast_is_asked_for_most) {
  PiecePicker picker(settings(400, 10));
  picker.add_source(kA, at_ms(0));
  picker.add_source(kB, at_ms(0));
  std::map<NodeId, double> owed_ms{{kA, 0}, {kB, 0}};
  std::map<NodeId, int> got;
  std::vector<Ask> open;
  // Each ms, `a` delivers a piece per 10 ms and `b` one per 40 ms.
  for (int ms = 0; ms < 4000 && !picker.is_complete(); ++ms) {
    for (const Ask& ask : ask_all(picker, at_ms(ms))) open.push_back(ask);
    for (const auto& [source, every] : std::map<NodeId, int>{{kA, 10}, {kB, 40}}) {
      if (ms % every != 0) continue;
      const auto it = std::find_if(open.begin(), open.end(),
                                   [&, &id = source](const Ask& ask) { return ask.source == id; });
      if (it == open.end()) continue;
      deliver(picker, *it, at_ms(ms));
      ++got[source];
      open.erase(it);
    }
  }
  EXPECT_TRUE(picker.is_complete());
  EXPECT_GT(got[kA], 3 * got[kB]);
  EXPECT_GT(got[kB], 40);
}

TEST(PiecePicker, what_a_silent_source_owes_is_asked_elsewhere) {
  PiecePicker picker(settings(2, 8));
  picker.add_source(kA, at_ms(0));
  const auto first = ask_all(picker, at_ms(0));
  ASSERT_EQ(first.size(), 2u);
  picker.add_source(kB, at_ms(10));
  EXPECT_TRUE(picker.give_up_silent(at_ms(4999)).empty());
  EXPECT_EQ(picker.give_up_silent(at_ms(5000)), first);
  const auto second = ask_all(picker, at_ms(5000));
  ASSERT_EQ(second.size(), 2u);
  EXPECT_EQ(second[0].source, kB);
  EXPECT_EQ(second[1].source, kB);
}

TEST(PiecePicker, a_silent_source_keeps_its_asks_while_there_is_no_other) {
  PiecePicker picker(settings(2));
  picker.add_source(kA, at_ms(0));
  ask_all(picker, at_ms(0));
  EXPECT_TRUE(picker.give_up_silent(at_ms(60'000)).empty());
}

TEST(PiecePicker, a_silent_source_that_speaks_again_is_asked_again) {
  PiecePicker picker(settings(100, 2));
  picker.add_source(kA, at_ms(0));
  const auto asks = ask_all(picker, at_ms(0));
  picker.add_source(kB, at_ms(0));
  picker.give_up_silent(at_ms(5000));
  EXPECT_FALSE(picker.bytes_came(asks[0], 100, at_ms(5001))) << "late bytes answer no ask";
  picker.drop_source(kB);
  EXPECT_EQ(picker.next(at_ms(5002))->source, kA);
}

TEST(PiecePicker, end_game_asks_an_idle_source_for_a_second_copy_and_never_a_third) {
  PiecePicker picker(settings(3));
  picker.add_source(kA, at_ms(0));
  EXPECT_EQ(ask_all(picker, at_ms(0)).size(), 3u);
  picker.add_source(kB, at_ms(0));
  picker.add_source(kC, at_ms(0));
  const auto second = ask_all(picker, at_ms(1));
  EXPECT_EQ(second.size(), 2u) << "one for each idle source";
  EXPECT_TRUE(ask_all(picker, at_ms(2)).empty());
  const auto useless = picker.verified(second[0].piece);
  EXPECT_EQ(useless.size(), 2u);
}

TEST(PiecePicker, the_rarest_piece_comes_first) {
  PiecePicker picker(settings(4, 1));
  for (const NodeId& id : {kA, kB, kC}) picker.add_source(id, at_ms(0));
  picker.source_has(kA, {true, true, true, true});
  picker.source_has(kB, {true, true, false, true});
  picker.source_has(kC, {true, false, false, true});
  EXPECT_EQ(picker.next(at_ms(0)), (Ask{kA, 2}));
}

TEST(PiecePicker, fetchers_begin_where_they_are_told) {
  PickerSettings from_two = settings(4, 4);
  from_two.first_piece = 6;
  PiecePicker picker(from_two);
  picker.add_source(kA, at_ms(0));
  std::vector<std::uint64_t> order;
  for (const Ask& ask : ask_all(picker, at_ms(0))) order.push_back(ask.piece);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{2, 3, 0, 1}));
}

TEST(PiecePicker, a_barred_source_is_never_asked_again) {
  PiecePicker picker(settings(4));
  picker.add_source(kA, at_ms(0));
  const Ask ask = *picker.next(at_ms(0));
  picker.arrived(ask);
  picker.failed(ask);
  picker.bar(kA);
  picker.add_source(kA, at_ms(1));
  EXPECT_FALSE(picker.has_sources());
  EXPECT_FALSE(picker.next(at_ms(2)));
  EXPECT_EQ(picker.in_flight_bytes(), 0u);
}

TEST(PiecePicker, a_busy_source_is_left_alone_until_then) {
  PiecePicker picker(settings(1));
  picker.add_source(kA, at_ms(0));
  picker.put_off(*picker.next(at_ms(0)), at_ms(200));
  EXPECT_FALSE(picker.next(at_ms(199)));
  EXPECT_TRUE(picker.next(at_ms(200)));
}

// Whatever happens to the sources, an object completes as soon as one honest source stays; and
// nothing ever exceeds the window by more than the copies it accounts for.
RC_GTEST_PROP(PiecePickerProperty, every_piece_comes_once_verified_whatever_the_sources_do, ()) {
  const auto pieces = *rc::gen::inRange<std::uint64_t>(1, 40);
  PickerSettings drawn = settings(pieces, *rc::gen::inRange<std::uint64_t>(1, 9));
  drawn.size_bytes -= *rc::gen::inRange<std::uint64_t>(0, kMiB);
  drawn.first_piece = *rc::gen::inRange<std::uint64_t>(0, 100);
  PiecePicker picker(drawn);
  std::set<std::uint64_t> present;
  std::vector<Ask> open;
  std::vector<Ask> verifying;
  const std::vector<NodeId> ids{kA, kB, kC};
  Instant now = at_ms(0);
  const auto forget_lost = [&](const NodeId& id) {
    std::erase_if(open, [&](const Ask& ask) { return ask.source == id; });
  };
  const auto settle = [&](const Ask ask, bool is_good) {
    std::erase(verifying, ask);
    if (!is_good) {
      picker.failed(ask);
      return;
    }
    for (const Ask& other : picker.verified(ask.piece)) std::erase(open, other);
    present.insert(ask.piece);
  };
  const auto one_step = [&](int what, const NodeId& id) {
    now = now + milliseconds(what % 3 == 0 ? 700 : 1);
    switch (what) {
      case 0:
        picker.add_source(id, now);
        break;
      case 1:
        picker.drop_source(id);
        forget_lost(id);
        break;
      case 2:
        for (const Ask& ask : picker.give_up_silent(now)) std::erase(open, ask);
        break;
      case 3:
        if (id == kC) break;  // one is honest
        picker.bar(id);
        forget_lost(id);
        break;
      case 4:
      case 5:
        if (open.empty()) break;
        verifying.push_back(open.front());
        picker.bytes_came(open.front(), picker.piece_bytes(open.front().piece), now);
        picker.arrived(open.front());
        open.erase(open.begin());
        break;
      case 6:
        if (!verifying.empty()) settle(verifying.front(), verifying.front().source == kC);
        break;
      default:
        if (auto ask = picker.next(now)) {
          RC_ASSERT(!picker.is_barred(ask->source));
          RC_ASSERT(present.count(ask->piece) == 0u);
          open.push_back(*ask);
        }
    }
    RC_ASSERT(picker.in_flight_bytes() <= std::max(drawn.window_bytes, kMiB) + kMiB);
    RC_ASSERT(picker.awaited() == open.size());
    RC_ASSERT(picker.is_complete() == (present.size() == picker.piece_count()));
  };
  const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 10), rc::gen::inRange(0, 3)));
  for (const auto& [what, who] : steps) one_step(what, ids[static_cast<std::size_t>(who)]);
  picker.add_source(kC, now);
  for (std::uint64_t i = 0; i < 20 * pieces + 20 && !picker.is_complete(); ++i) {
    for (int what : {2, 9, 9, 9, 4, 6, 6}) one_step(what, kC);
    if (i % 8 == 7) {  // whoever else owes something is gone for good
      for (const NodeId& id : {kA, kB}) one_step(1, id);
    }
  }
  while (!verifying.empty()) settle(verifying.front(), verifying.front().source == kC);
  RC_ASSERT(picker.is_complete());
}

// ── partners ────────────────────────────────────────────────────────────────────────────────────

PickerSettings shared(std::uint64_t pieces, std::uint64_t window, std::uint64_t rank,
                      std::uint64_t count) {
  PickerSettings out = settings(pieces, window);
  out.share_rank = rank;
  out.share_count = count;
  return out;
}

std::set<std::uint64_t> asked_of(const std::vector<Ask>& asks, const NodeId& source) {
  std::set<std::uint64_t> pieces;
  for (const Ask& ask : asks) {
    if (ask.source == source) pieces.insert(ask.piece);
  }
  return pieces;
}

TEST(PiecePicker, the_own_share_is_asked_from_the_holder_and_what_a_partner_has_from_that_one) {
  PiecePicker picker(shared(12, 4, 0, 2));
  picker.add_source(kA, at_ms(0));
  picker.add_partner(kB, at_ms(0));
  for (const std::uint64_t piece : {1, 3}) picker.partner_has(kB, piece);
  const std::vector<Ask> asks = ask_all(picker, at_ms(0));
  EXPECT_EQ(asked_of(asks, kA), (std::set<std::uint64_t>{0, 2}))
      << "and what waits there is little, for others could take it over";
  EXPECT_EQ(asked_of(asks, kB), (std::set<std::uint64_t>{1, 3}));
}

TEST(PiecePicker, who_has_its_share_helps_another_but_not_with_what_that_one_is_at) {
  PiecePicker picker(shared(16, 8, 0, 2));
  picker.add_source(kA, at_ms(0));
  picker.add_partner(kB, at_ms(0));
  for (int turn = 0; turn < 2; ++turn) {
    for (const Ask& ask : ask_all(picker, at_ms(0))) deliver(picker, ask, at_ms(100));
  }
  EXPECT_EQ(asked_of(ask_all(picker, at_ms(100)), kA), (std::set<std::uint64_t>{9, 11, 13, 15}));
}

TEST(PiecePicker, what_a_partner_is_to_bring_is_asked_from_the_holder_when_nothing_comes_any_more) {
  PiecePicker picker(shared(6, 8, 0, 2));
  picker.add_source(kA, at_ms(0));
  picker.add_partner(kB, at_ms(0));
  for (const Ask& ask : ask_all(picker, at_ms(0))) deliver(picker, ask, at_ms(100));
  EXPECT_FALSE(picker.next(at_ms(1000)));
  for (std::int64_t ms = 1100; !picker.is_complete(); ms += 1100) {
    const auto ask = picker.next(at_ms(ms));
    ASSERT_TRUE(ask.has_value());
    EXPECT_EQ(ask->source, kA);
    deliver(picker, *ask, at_ms(ms));
  }
}

TEST(PiecePicker, what_only_a_gone_or_silent_partner_had_is_asked_from_the_holder) {
  for (const bool is_gone : {true, false}) {
    PiecePicker picker(shared(8, 8, 0, 2));
    picker.add_source(kA, at_ms(0));
    picker.add_partner(kB, at_ms(0));
    for (const std::uint64_t piece : {1, 3, 5, 7}) picker.partner_has(kB, piece);
    for (const Ask& ask : ask_all(picker, at_ms(0))) {
      if (ask.source == kA) deliver(picker, ask, at_ms(100));
    }
    if (is_gone) {
      picker.drop_source(kB);
    } else {
      EXPECT_EQ(picker.give_up_silent(at_ms(5000)).size(), 2u);
    }
    for (std::int64_t ms = 5001; !picker.is_complete() && ms < 15'000; ms += 1100) {
      for (const Ask& ask : ask_all(picker, at_ms(ms))) {
        EXPECT_EQ(ask.source, kA);
        deliver(picker, ask, at_ms(ms));
      }
    }
    EXPECT_TRUE(picker.is_complete()) << is_gone;
  }
}

TEST(PiecePicker, partners_that_keep_us_waiting_never_keep_a_holder_idle) {
  PickerSettings with = shared(30, 2, 0, 3);
  with.partner_window_bytes = 3 * kMiB;
  PiecePicker picker(with);
  picker.add_source(kA, at_ms(0));
  for (const NodeId& partner : {kB, kC}) picker.add_partner(partner, at_ms(0));
  for (std::uint64_t piece = 0; piece < 30; ++piece) {
    if (piece % 3 != 0) picker.partner_has(piece % 3 == 1 ? kB : kC, piece);
  }
  const std::vector<Ask> asks = ask_all(picker, at_ms(0));
  EXPECT_EQ(asked_of(asks, kA).size(), 2u);
  EXPECT_EQ(asks.size(), 5u);
}

TEST(PiecePicker, partners_alone_are_no_sources) {
  PiecePicker picker(shared(6, 8, 0, 2));
  picker.add_partner(kB, at_ms(0));
  EXPECT_FALSE(picker.has_sources());
  EXPECT_EQ(picker.partners(), std::vector<NodeId>{kB});
}

}  // namespace
}  // namespace syncline::transports::p2p
