// One holder, many that want it at once: a small fleet of pickers in rounds.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "transports/p2p/piece_picker.hpp"

namespace syncline::transports::p2p {
namespace {

using core::Instant;
using core::NodeId;

const NodeId kHolder("holder");
constexpr std::int64_t kRoundMs = 40;  // a piece at 50 Mbit/s

// In each round every node, the holder too, sends so many pieces as its link carries.
struct Fleet {
  std::uint64_t pieces;
  std::vector<PiecePicker> pickers;
  std::vector<std::vector<bool>> has;
  std::vector<int> sends_each;  // a node with 3 sends in each third round only
  std::map<NodeId, std::vector<std::pair<std::size_t, Ask>>> queues;
  std::uint64_t sent_by_holder = 0;
  std::int64_t round = 0;

  Fleet(std::size_t count, std::uint64_t many)
      : pieces(many), has(count, std::vector<bool>(many)), sends_each(count, 1) {
    for (std::size_t i = 0; i < count; ++i) {
      PickerSettings settings;
      settings.size_bytes = pieces * kPieceBytes;
      settings.window_bytes = 2 * kPieceBytes;
      settings.share_rank = i;
      settings.share_count = count;
      settings.first_piece = i * 31;
      pickers.emplace_back(settings).add_source(kHolder, now());
      for (std::size_t j = 0; j < count; ++j) {
        if (j != i) pickers.back().add_partner(name(j), now());
      }
    }
  }
  static NodeId name(std::size_t i) { return NodeId("n" + std::to_string(10 + i)); }
  Instant now() const { return {core::milliseconds(round * kRoundMs)}; }
  bool is_over() const {
    return std::all_of(pickers.begin(), pickers.end(), [](auto& p) { return p.is_complete(); });
  }
  bool sends(const NodeId& server) const {
    if (server == kHolder) return true;
    const auto i = static_cast<std::size_t>(std::stoi(server.text.substr(1))) - 10;
    return round % sends_each[i] == 0;
  }
  void step() {
    for (std::size_t i = 0; i < pickers.size(); ++i) {
      while (const auto ask = pickers[i].next(now())) {
        queues[ask->source].emplace_back(i, *ask);
        if (!pickers[i].is_taken(*ask)) continue;
        for (std::size_t j = 0; j < pickers.size(); ++j) {
          if (j != i) pickers[j].partner_takes(name(i), ask->piece);
        }
      }
    }
    std::vector<std::pair<std::size_t, Ask>> arrived;
    for (auto& [server, queue] : queues) {
      if (queue.empty() || !sends(server)) continue;
      sent_by_holder += server == kHolder ? 1 : 0;
      const auto [to, ask] = queue.front();
      arrived.push_back(queue.front());
      queue.erase(queue.begin());
      // Links share what there is: whom it has served comes last.
      std::stable_partition(queue.begin(), queue.end(),
                            [to = to](const auto& one) { return one.first != to; });
    }
    ++round;
    for (const auto& [i, ask] : arrived) {
      if (has[i][ask.piece]) continue;
      pickers[i].bytes_came(ask, kPieceBytes, now());
      pickers[i].arrived(ask);
      for (const Ask& other : pickers[i].verified(ask.piece)) {
        std::erase(queues[other.source], std::pair{i, other});
      }
      has[i][ask.piece] = true;
      for (std::size_t j = 0; j < pickers.size(); ++j) {
        if (j != i) pickers[j].partner_has(name(i), ask.piece);
      }
    }
  }
  void run() {
    while (!is_over() && round < 10'000) step();
  }
};

TEST(Broadcast, however_many_want_it_the_holder_sends_little_more_than_one_copy) {
  for (const std::size_t count : {2u, 3u, 8u, 16u}) {
    Fleet fleet(count, 200);
    fleet.run();
    EXPECT_TRUE(fleet.is_over()) << count;
    EXPECT_LE(fleet.sent_by_holder, 210u) << count;
    EXPECT_LE(fleet.round, 220) << count;
  }
}

TEST(Broadcast, one_with_a_thin_uplink_holds_up_the_others_little) {
  Fleet fleet(8, 200);
  fleet.sends_each[3] = 5;
  fleet.run();
  EXPECT_TRUE(fleet.is_over());
  EXPECT_LE(fleet.round, 300);
}

}  // namespace
}  // namespace syncline::transports::p2p
