// What it costs to choose the pieces of an object that eight machines fetch at once, per piece: one
// holder, seven partners to which the pieces of their shares come as fast as ours do to us.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "transports/p2p/piece_picker.hpp"

namespace {

using namespace syncline;
using namespace syncline::transports::p2p;

constexpr std::uint64_t kMachines = 8;

void one_piece_of_a_shared_object(benchmark::State& state) {
  const auto pieces = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    PickerSettings settings;
    settings.size_bytes = pieces * core::kPieceBytes;
    settings.share_count = kMachines;
    PiecePicker picker(settings);
    core::Instant now{};
    picker.add_source(core::NodeId("holder"), now);
    std::vector<core::NodeId> partners;
    for (std::uint64_t i = 1; i < kMachines; ++i) {
      partners.emplace_back("partner-" + std::to_string(i));
      picker.add_partner(partners.back(), now);
    }
    for (std::uint64_t round = 0; !picker.is_complete(); ++round) {
      now = now + core::milliseconds(10);
      for (std::uint64_t i = 1; i < kMachines; ++i) {
        const std::uint64_t piece = round * kMachines + i;
        for (const core::NodeId& partner : partners) {
          if (piece < pieces) picker.partner_has(partner, piece);
        }
      }
      std::vector<Ask> asked;
      while (const auto ask = picker.next(now)) asked.push_back(*ask);
      for (const Ask& ask : asked) {
        picker.bytes_came(ask, core::kPieceBytes, now);
        picker.arrived(ask);
        picker.verified(ask.piece);
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(one_piece_of_a_shared_object)
    ->Arg(800)
    ->Arg(8'000)
    ->Arg(40'000)
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
